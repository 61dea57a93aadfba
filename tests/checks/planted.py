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


def right(answers: Mapping[str, Sequence[Callable[..., Any]]]) -> pytest.MarkDecorator:
    """Run a test for each right answer."""
    assert min(map(len, answers.values())) >= FEWEST_RIGHT
    cases = [(name, each) for name, written in answers.items() for each in written]
    names = [f"{name}-{number}" for number, (name, _) in enumerate(cases)]
    return pytest.mark.parametrize(("name", "answer"), cases, ids=names)


def wrong(planted: Sequence[Planted]) -> pytest.MarkDecorator:
    """Run a test for each wrong answer."""
    names = [f"{each.exercise}-{each.mistake}" for each in planted]
    return pytest.mark.parametrize("planted", planted, ids=names)


def check_right(name: str, answer: Callable[..., Any]) -> None:
    """Fail unless the answer passes with all points."""
    result = getattr(checks, name)(answer)
    assert result.status == RIGHT, str(result)
    assert result.points == checks.EXERCISES[name].points


def check_wrong(planted: Planted) -> None:
    """Fail unless the answer gets its status and words, and no solution."""
    result = getattr(checks, planted.exercise)(planted.answer)
    assert (result.status, result.points, result.passed) == (planted.status, 0, False)
    assert planted.says in str(result)
    assert str(result).startswith(f"{planted.exercise}: ")
    assert not [each for each in SOLUTIONS if each in str(result)]
