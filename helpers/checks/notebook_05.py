"""Exercises of notebook 05: when a product overflows, and where the first inf stands."""

from __future__ import annotations

from typing import Any

import numpy as np

from helpers.checks.attempt import Case, attempt, check_errors
from helpers.checks.compare import Mistake, one_number, unchanged
from helpers.checks.registry import exercise
from helpers.checks.results import FAILED, WRONG_SHAPE, WRONG_VALUES, Verdict
from helpers.validation import Array

inf, nan = np.inf, np.nan


def _first_row(rows: Array) -> int | None:
    found = np.flatnonzero(rows.any(axis=1))
    return int(found[0]) if len(found) else None


def _first_inf(states: Array) -> int | None:
    return _first_row(np.isinf(states))


def _moved(step: int | None, by: int) -> int | None:
    return None if step is None else step + by


def _flat(states: Array) -> int | None:
    found = np.flatnonzero(np.isinf(states))
    return int(found[0]) if len(found) else None


def _last(states: Array) -> int | None:
    found = np.flatnonzero(np.isinf(states).any(axis=1))
    return int(found[-1]) if len(found) else None


def _without_inf(value: int) -> Any:
    return lambda states: value if _first_inf(states) is None else _first_inf(states)


INF_MISTAKES = (
    Mistake("You count NaN as well: the question is for inf, which says where it began.",
            lambda states: _first_row(~np.isfinite(states))),
    Mistake("You look for NaN: inf is another value, and comes before it.",
            lambda states: _first_row(np.isnan(states))),
    Mistake("You look at +inf alone: what overflows downwards is -inf.",
            lambda states: _first_row(states == np.inf)),
    Mistake("This is the last step with an inf; the first tells where it began.", _last),
    Mistake("Off by one: steps are counted from 0.", lambda states: _moved(_first_inf(states), 1)),
    Mistake("Off by one: a step too early.", lambda states: _moved(_first_inf(states), -1)),
    Mistake("Without any inf it says 0, as argmax does: 0 is a step. Return None there.",
            _without_inf(0)),
    Mistake("Without any inf it says -1; return None there.", _without_inf(-1)),
    Mistake("This is a place in the flattened array; the row is the step.", _flat),
    Mistake("You take a step only when all of its entries are inf; one is enough.",
            lambda states: _first_row(np.isinf(states).all(axis=1, keepdims=True))),
    Mistake("Is an inf at step 0 lost? As a condition, 0 counts as False.",
            lambda states: _first_inf(states) or None),
    Mistake("You do not look at every column: any of a step's entries may be the inf.",
            lambda states: _first_row(np.isinf(states[:, 1:]))),
    Mistake("You do not look at every column: any of a step's entries may be the inf.",
            lambda states: _first_row(np.isinf(states[:, :1]))),
)  # fmt: skip


@exercise("05", 1, "Find the first inf", points=2, minutes=4, difficulty=2)
def first_inf(answer: Any) -> str:
    """Check a function of states (steps, hidden) that returns a step or None."""
    cases = _state_cases()
    want = [_first_inf(**case) for case in cases]
    outcomes = attempt(answer, cases, _step_or_none, may_return_none=True)
    check_errors(answer, cases, outcomes)
    given = [outcome.value for outcome in outcomes]
    with unchanged(outcomes):
        if given != want:
            raise Verdict(WRONG_VALUES, _inf_seen(cases, given, want), head="wrong values")
    return f"Right on {len(cases)} arrays, with and without inf and NaN."


def _inf_seen(cases: list[Case], given: list[int | None], want: list[int | None]) -> str:
    for mistake in INF_MISTAKES:
        if [mistake.formula(**case) for case in cases] == given:
            return mistake.says
    wrong = next(i for i, right in enumerate(want) if given[i] != right)
    states = cases[wrong]["states"]
    marks = {"inf": states == np.inf, "-inf": states == -np.inf, "NaN": np.isnan(states)}
    held = " and ".join(word for word, there in marks.items() if there.any())
    content = f"with {held}" if held else "without inf and NaN"
    step = given[wrong]
    seen = f"On an array of shape {states.shape} {content}, it returned {step}, "
    row = states[step] if step is not None and 0 <= step < len(states) else np.array([inf])
    if np.isinf(row).any():
        return f"{seen}which is not right."
    if np.isnan(row).any():
        return f"{seen}a step with NaN and without inf."
    return f"{seen}and the largest number of that step, {np.abs(row).max():.1e}, is finite."


def _step_or_none(value: Any) -> int:
    (array,) = one_number(value)
    if array.size != 1:
        raise Verdict(
            WRONG_SHAPE, f"It returned shape {array.shape}; one step, or None, is needed."
        )
    number = float(array.reshape(()))
    if not number.is_integer():
        raise Verdict(FAILED, f"It returned {number:g}; a step is a whole number.")
    return int(number)


def _state_cases() -> list[Case]:
    """Return states (steps, hidden) with inf, NaN and huge finite numbers at telling places."""
    rng = np.random.default_rng(303)
    places: list[tuple[tuple[int, int], dict[tuple[int, int], float]]] = [
        ((7, 4), {(3, 1): inf, (5, 0): inf}),
        ((7, 4), {}),
        ((7, 4), {(2, 2): -inf, (4, 0): inf}),
        ((7, 4), {(1, 0): nan, (4, 3): inf, (5, 3): nan}),
        ((7, 4), {(2, 1): nan}),
        ((7, 4), {(0, 3): inf, (1, 0): nan}),
        ((7, 4), {(6, 0): nan, (6, 2): -inf}),
        ((7, 4), {(3, column): inf for column in range(4)}),
        ((7, 4), {(1, 2): 1e300, (2, 0): -1e300, (5, 1): inf}),
        ((7, 4), {(4, 0): 1.7e308}),
        *(((5, 3), {(2, column): inf}) for column in range(3)),
        ((3, 5), {(2, 4): -inf}),
        ((1, 1), {(0, 0): inf}),
        ((20, 2), {(19, 0): inf}),
    ]
    cases: list[Case] = []
    for shape, marks in places:
        states = rng.normal(0, 100, shape)
        for place, value in marks.items():
            states[place] = value
        cases.append({"states": states})
    return cases
