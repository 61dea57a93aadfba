"""Tables of answers to an exercise, and what its check must say to each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import pytest

from helpers import checks
from helpers.checks.results import RIGHT, WRONG_VALUES

FEWEST_RIGHT, FEWEST_WRONG = 4, 6
SOLUTIONS = ("h**2", "W.T", "np.outer", "log(T - 1)", "step - 0.5", "c / norm", "* np.tanh")


class Planted(NamedTuple):
    """A wrong answer to an exercise, and what its check must say."""

    exercise: str
    mistake: str
    answer: Callable[..., Any]
    says: str
    status: str = WRONG_VALUES


def rows(exercise: str, *planted: tuple[Any, ...]) -> list[Planted]:
    """Return wrong answers to an exercise, each (mistake, answer, says) or with its status."""
    table = [Planted(exercise, *each) for each in planted]
    assert len({each.says for each in table}) >= FEWEST_WRONG, exercise
    return table


def value(returned: Any) -> Callable[[], Any]:
    """Return a function without arguments that returns this."""
    return lambda: returned


def planted_tests(
    answers: Mapping[str, Sequence[Callable[..., Any]]], planted: Sequence[Planted]
) -> tuple[Callable[..., None], Callable[..., None]]:
    """Return a test of each right answer, and one of each wrong answer.

    A right one passes with all points; a wrong one gets its status and words, and no solution.
    """
    assert min(map(len, answers.values())) >= FEWEST_RIGHT
    cases = [(name, each) for name, written in answers.items() for each in written]
    numbered = [f"{name}-{number}" for number, (name, _) in enumerate(cases)]
    mistakes = [f"{each.exercise}-{each.mistake}" for each in planted]

    @pytest.mark.parametrize(("name", "answer"), cases, ids=numbered)
    def passes(name: str, answer: Callable[..., Any]) -> None:
        result = getattr(checks, name)(answer)
        assert result.status == RIGHT, str(result)
        assert result.points == checks.EXERCISES[name].points

    @pytest.mark.parametrize("row", planted, ids=mistakes)
    def is_told(row: Planted) -> None:
        result = getattr(checks, row.exercise)(row.answer)
        assert (result.status, result.points, result.passed) == (row.status, 0, False)
        assert row.says in str(result)
        assert str(result).startswith(f"{row.exercise}: ")
        assert not [each for each in SOLUTIONS if each in str(result)]

    return passes, is_told
