"""Exercises of notebook 03: when a product overflows, and where the first inf stands."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from helpers.checks.arrays import one_array, to_array
from helpers.checks.compare import Mistake, check_errors, named
from helpers.checks.harness import Case, attempt
from helpers.checks.predictions import predicted
from helpers.checks.registry import exercise
from helpers.checks.results import FAILED, WRONG_SHAPE, WRONG_VALUES, Verdict
from helpers.overflow import measured_overflow_step
from helpers.validation import Array

EDGE = 1e-9  # of the exponent: nearer to the edge, rounding decides
LARGEST = tuple(torch.finfo(d).max for d in (torch.float16, torch.float32, torch.float64))


@exercise(
    "03", 1, "When does 1.5^t overflow?", points=1, minutes=2, difficulty=1, kind="prediction"
)
def guess_overflow_step(answer: Any) -> str:
    """A prediction: the first step at which 1.5^t is inf in float32."""
    lesson = "The step grows with the logarithm of the largest number: a huge range buys few steps."
    return predicted(
        answer,
        lambda: measured_overflow_step(1.5, torch.float32),
        low=1,
        lesson=lesson,
    )


EDGE_SAID = "Your growth stands on the edge, where rounding decides: go between the two steps."
GROWTH_MISTAKES = (
    Mistake(
        f"Its power at the step just reaches the largest number. {EDGE_SAID}",
        lambda step, largest: largest ** (1 / step),
    ),
    Mistake(
        f"It reaches the largest number one step early. {EDGE_SAID}",
        lambda step, largest: largest ** (1 / (step - 1)),
    ),
    Mistake(
        "Off by one: at this step it is still finite.",
        lambda step, largest: largest ** (1 / (step + 1)),
    ),
    Mistake(
        "This is the logarithm of the growth: take it back with exp.",
        lambda step, largest: math.log(largest) / step,
    ),
    Mistake(
        "Two bases are mixed: exp takes back log, 10** takes back log10, 2** takes back log2.",
        lambda step, largest: math.exp(math.log10(largest) / step),
    ),
    Mistake(
        "Two bases are mixed: exp takes back log, 10** takes back log10, 2** takes back log2.",
        lambda step, largest: math.exp(math.log2(largest) / step),
    ),
    Mistake(
        "You divided the largest number by the steps; growth multiplies, so take a root.",
        lambda step, largest: largest / step,
    ),
)


@exercise("03", 2, "The growth that overflows at a given step", points=2, minutes=8, difficulty=2)
def growth_for(answer: Any) -> str:
    """A growth g with g^(step - 1) <= largest < g^step."""
    steps = (28, 5, 100, 219, 1000)
    cases: list[Case] = [{"step": s, "largest": m} for s in steps for m in LARGEST]
    outcomes = attempt(answer, cases, _number)
    check_errors(answer, cases, outcomes)
    given = [float(outcome.value[0]) for outcome in outcomes]
    wrong = [
        pair for pair in zip(cases, given, strict=True) if not _overflows_at(pair[1], **pair[0])
    ]
    if not wrong:
        return f"Right for all {len(cases)} steps and ranges that were tried."
    lines = named(cases, [outcome.value for outcome in outcomes], 0, GROWTH_MISTAKES)
    case, growth = wrong[0]
    raise Verdict(WRONG_VALUES, *(lines or _growth_seen(growth, **case)), head="wrong values")


def _number(value: Any) -> tuple[Array]:
    array = to_array(value)
    if array.size != 1:
        raise Verdict(WRONG_SHAPE, f"It returned shape {array.shape}; one number is needed.")
    return (array.reshape(()),)


def _overflows_at(growth: float, step: int, largest: float) -> bool:
    if not 1 < growth < math.inf:
        return False
    log_growth, log_largest = math.log(growth), math.log(largest)
    edge = EDGE * log_largest
    return (step - 1) * log_growth < log_largest - edge and step * log_growth > log_largest + edge


def _growth_seen(growth: float, step: int, largest: float) -> list[str]:
    lines = [f"For step {step} and a largest number of {largest:.3g} it returned {growth:.6g}."]
    if not 1 < growth < math.inf:
        return [*lines, "A growth must be a finite number above 1."]
    first = math.floor(math.log(largest) / math.log(growth)) + 1
    side = "too small" if first > step else "too large"
    return [*lines, f"Its powers overflow first at step {first}: it is {side}."]


def _first_row(rows: Array) -> int | None:
    for step, row in enumerate(rows.tolist()):
        if any(row):
            return step
    return None


def _first_inf(states: Array) -> int | None:
    return _first_row(np.isinf(states))


def _moved(step: int | None, by: int) -> int | None:
    return None if step is None else step + by


def _with(states: Array, none: int | None) -> int | None:
    found = _first_inf(states)
    return none if found is None else found


def _flat(states: Array) -> int | None:
    found = np.flatnonzero(np.isinf(states))
    return int(found[0]) if len(found) else None


def _last(states: Array) -> int | None:
    found = np.flatnonzero(np.isinf(states).any(axis=1))
    return int(found[-1]) if len(found) else None


INF_MISTAKES = (
    Mistake(
        "You count NaN as well: the question is for inf, which says where it began.",
        lambda states: _first_row(~np.isfinite(states)),
    ),
    Mistake(
        "You look for NaN: inf is another value, and comes before it.",
        lambda states: _first_row(np.isnan(states)),
    ),
    Mistake(
        "You look at +inf alone: what overflows downwards is -inf.",
        lambda states: _first_row(states == np.inf),
    ),
    Mistake("This is the last step with an inf; the first tells where it began.", _last),
    Mistake("Off by one: steps are counted from 0.", lambda states: _moved(_first_inf(states), 1)),
    Mistake("Off by one: a step too early.", lambda states: _moved(_first_inf(states), -1)),
    Mistake(
        "Without any inf it says 0, as argmax does: 0 is a step. Return None there.",
        lambda states: _with(states, 0),
    ),
    Mistake("Without any inf it says -1; return None there.", lambda states: _with(states, -1)),
    Mistake("This is a place in the flattened array; the row is the step.", _flat),
    Mistake(
        "You take a step only when all of its entries are inf; one is enough.",
        lambda states: _first_row(np.isinf(states).all(axis=1, keepdims=True)),
    ),
    Mistake(
        "Is an inf at step 0 lost? As a condition, 0 counts as False.",
        lambda states: _first_inf(states) or None,
    ),
)


@exercise("03", 3, "Find the first inf", points=2, minutes=8, difficulty=2)
def first_inf(answer: Any) -> str:
    """The first step of states (steps, hidden) that holds inf or -inf, or None."""
    cases = [{"states": states} for states in _state_cases()]
    outcomes = attempt(answer, cases, _step_or_none, may_return_none=True)
    check_errors(answer, cases, outcomes)
    given = [None if o.value is None else o.value[0] for o in outcomes]
    wrong = [i for i, case in enumerate(cases) if given[i] != _first_inf(**case)]
    if not wrong:
        return f"Right on {len(cases)} arrays, with and without inf and NaN."
    for mistake in INF_MISTAKES:
        if [mistake.formula(**case) for case in cases] == given:
            raise Verdict(WRONG_VALUES, mistake.says, head="wrong values")
    raise Verdict(WRONG_VALUES, _inf_seen(cases, given, wrong), head="wrong values")


def _inf_seen(cases: Sequence[Case], given: Sequence[Any], wrong: Sequence[int]) -> str:
    states = cases[wrong[0]]["states"]
    held = [
        word
        for word, there in (
            ("inf", (states == np.inf).any()),
            ("-inf", (states == -np.inf).any()),
            ("NaN", np.isnan(states).any()),
        )
        if there
    ]
    said = f"it returned {given[wrong[0]]}, which is not right"
    content = f"with {' and '.join(held)}" if held else "without inf and NaN"
    return f"On an array of shape {states.shape} {content}, {said}."


def _step_or_none(value: Any) -> tuple[int]:
    (array,) = one_array(value)
    if array.size != 1:
        raise Verdict(
            WRONG_SHAPE, f"It returned shape {array.shape}; one step, or None, is needed."
        )
    number = float(array.reshape(()))
    if not number.is_integer():
        raise Verdict(FAILED, f"It returned {number:g}; a step is a whole number.")
    return (int(number),)


def _state_cases() -> list[Array]:
    """States (steps, hidden) with inf and NaN at telling places."""
    rng = np.random.default_rng(303)
    places: tuple[dict[tuple[int, int], float], ...] = (
        {(3, 1): np.inf, (5, 0): np.inf},
        {},
        {(2, 2): -np.inf, (4, 0): np.inf},
        {(1, 0): np.nan, (4, 3): np.inf, (5, 3): np.nan},
        {(2, 1): np.nan},
        {(0, 3): np.inf, (1, 0): np.nan},
        {(6, 0): np.nan, (6, 2): -np.inf},
        {(3, column): np.inf for column in range(4)},
    )
    cases = []
    for marks in places:
        states = rng.normal(0, 100, (7, 4))
        for place, value in marks.items():
            states[place] = value
        cases.append(states)
    return cases
