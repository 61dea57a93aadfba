"""Exercises of notebook 05: when a product overflows, and where the first inf stands."""

from __future__ import annotations

from typing import Any

import numpy as np

from helpers.checks.attempt import Case, attempt, check_errors
from helpers.checks.compare import number, unchanged
from helpers.checks.registry import exercise
from helpers.checks.results import FAILED, WRONG_VALUES, Verdict
from helpers.validation import Array

inf, nan = np.inf, np.nan
COLUMNS = "You do not look at every column: any of a step's entries may be the inf."


def _first(marked: Array) -> int | None:
    """The first step, row of a table of truth values, with a mark; None without one."""
    return next((step for step, row in enumerate(marked) if np.any(row)), None)


def _inf_mistakes(states: Array) -> list[tuple[str, int | None]]:
    found, steps = np.isinf(states), np.flatnonzero(np.isinf(states).any(axis=1))
    first = _first(found)
    return [
        ("You count NaN as well: the question is for inf, which says where it began.",
         _first(~np.isfinite(states))),
        ("You look for NaN: inf is another value, and comes before it.", _first(np.isnan(states))),
        ("You look at +inf alone: what overflows downwards is -inf.", _first(states == inf)),
        ("This is the last step with an inf; the first tells where it began.",
         next(iter(steps[::-1]), None)),
        ("Off by one: steps are counted from 0.", None if first is None else first + 1),
        ("Off by one: a step too early.", None if first is None else first - 1),
        ("Without any inf it says 0, as argmax does: 0 is a step. Return None there.",
         0 if first is None else first),
        ("Without any inf it says -1; return None there.", -1 if first is None else first),
        ("This is a place in the flattened array; the row is the step.", _first(found.ravel())),
        ("You take a step only when all of its entries are inf; one is enough.",
         _first(found.all(axis=1))),
        ("Is an inf at step 0 lost? As a condition, 0 counts as False.", first or None),
        (COLUMNS, _first(found[:, 1:])),
        (COLUMNS, _first(found[:, :1])),
    ]  # fmt: skip


@exercise("05", 1, "Find the first inf", points=2, minutes=4, difficulty=2)
def first_inf(answer: Any) -> str:
    """Check a function of states (steps, hidden) that returns a step or None."""
    arrays = _states()
    cases: list[Case] = [{"states": states} for states in arrays]
    outcomes = attempt(answer, cases, _step, may_return_none=True)
    check_errors(answer, cases, outcomes)
    with unchanged(outcomes):
        _judge(arrays, [outcome.value for outcome in outcomes])
    return f"Right on {len(cases)} arrays, with and without inf and NaN."


def _judge(arrays: list[Array], given: list[int | None]) -> None:
    wrong = [i for i, states in enumerate(arrays) if given[i] != _first(np.isinf(states))]
    if not wrong:
        return
    for mistake in zip(*map(_inf_mistakes, arrays), strict=True):
        if [step for _, step in mistake] == given:
            raise Verdict(WRONG_VALUES, mistake[0][0], head="wrong values")
    states, step = arrays[wrong[0]], given[wrong[0]]
    marks = {"inf": states == inf, "-inf": states == -inf, "NaN": np.isnan(states)}
    held = " and ".join(word for word, there in marks.items() if there.any())
    content = f"with {held}" if held else "without inf and NaN"
    seen = f"On an array of shape {states.shape} {content}, it returned {step}, "
    row = states[step] if step in range(len(states)) else np.array([inf])
    if np.isinf(row).any():
        seen += "which is not right."
    elif np.isnan(row).any():
        seen += "a step with NaN and without inf."
    else:
        seen += f"and the largest number of that step, {np.abs(row).max():.1e}, is finite."
    raise Verdict(WRONG_VALUES, seen, head="wrong values")


def _step(value: Any) -> int:
    step = number(value)
    if not step.is_integer():
        raise Verdict(FAILED, f"It returned {step:g}; a step is a whole number.")
    return int(step)


def _states() -> list[Array]:
    """States (steps, hidden) with inf, NaN and huge finite numbers at telling places."""
    rng = np.random.default_rng(303)
    places: list[tuple[tuple[int, int], dict[Any, float]]] = [
        ((7, 4), {(3, 1): inf, (5, 0): inf}),
        ((7, 4), {}),
        ((7, 4), {(2, 2): -inf, (4, 0): inf}),
        ((7, 4), {(1, 0): nan, (4, 3): inf, (5, 3): nan}),
        ((7, 4), {(2, 1): nan}),
        ((7, 4), {(0, 3): inf, (1, 0): nan}),
        ((7, 4), {(6, 0): nan, (6, 2): -inf}),
        ((7, 4), {3: inf}),
        ((7, 4), {(1, 2): 1e300, (2, 0): -1e300, (5, 1): inf}),
        ((7, 4), {(4, 0): 1.7e308}),
        *(((5, 3), {(2, column): inf}) for column in range(3)),
        ((3, 5), {(2, 4): -inf}),
        ((1, 1), {(0, 0): inf}),
        ((20, 2), {(19, 0): inf}),
    ]
    arrays = []
    for shape, marks in places:
        arrays.append(rng.normal(0, 100, shape))
        for place, value in marks.items():
            arrays[-1][place] = value
    return arrays
