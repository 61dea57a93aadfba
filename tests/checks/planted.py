"""Tables of answers to exercises, and what their checks must say to each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from helpers import checks
from helpers.checks.results import RIGHT, WRONG_VALUES

FEWEST_WRONG = 6
SOLUTIONS = ("h**2", "W.T", "np.outer", "log(T - 1)", "step - 0.5", "c / norm", "* np.tanh")


def value(returned: Any) -> Callable[[], Any]:
    """Return a function without arguments that returns this."""
    return lambda: returned


def planted_tests(
    right: Mapping[str, Sequence[Callable[..., Any]]],
    wrong: Mapping[str, Sequence[tuple[Any, ...]]],
) -> tuple[Callable[..., None], Callable[..., None]]:
    """Return a test of each right answer, and one of each wrong answer.

    A right one passes. A wrong one, (answer, words) or with its status, gets
    its status and words, and no solution.
    """
    assert right.keys() == wrong.keys()
    assert min(len({row[1] for row in rows}) for rows in wrong.values()) >= FEWEST_WRONG
    good = [pytest.param(n, a, id=f"{n}-{i}") for n in right for i, a in enumerate(right[n])]
    bad = [
        pytest.param(name, answer, says, *(status or [WRONG_VALUES]), id=f"{name}-{says}")
        for name, rows in wrong.items()
        for answer, says, *status in rows
    ]

    @pytest.mark.parametrize(("name", "answer"), good)
    def passes(name: str, answer: Callable[..., Any]) -> None:
        result = getattr(checks, name)(answer)
        assert result.status == RIGHT, str(result)

    @pytest.mark.parametrize(("name", "answer", "says", "status"), bad)
    def is_told(name: str, answer: Callable[..., Any], says: str, status: str) -> None:
        result = getattr(checks, name)(answer)
        assert (result.status, result.passed) == (status, False), str(result)
        assert says in str(result)
        assert str(result).startswith(f"{name}: ")
        assert name == "quiz" or not [each for each in SOLUTIONS if each in str(result)]

    return passes, is_told
