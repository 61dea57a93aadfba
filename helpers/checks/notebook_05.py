"""Exercises of notebook 05: when a product overflows, and where the first inf stands."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from helpers.checks.arrays import one_number, to_number
from helpers.checks.compare import Mistake, check_errors, named
from helpers.checks.harness import Case, attempt, changes_told
from helpers.checks.registry import exercise
from helpers.checks.results import FAILED, WRONG_SHAPE, WRONG_VALUES, Verdict
from helpers.validation import Array

EDGE = 1e-9  # of the exponent: nearer to the edge, rounding decides
LARGEST = tuple(torch.finfo(d).max for d in (torch.float16, torch.float32, torch.float64))
SINGLE = LARGEST[1]


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


@exercise("05", 2, "The growth that overflows at a given step", points=2, minutes=8, difficulty=2)
def growth_for(answer: Any) -> str:
    """Check a function of (step, largest) that returns a growth per step."""
    steps = (28, 5, 100, 219, 1000)
    cases: list[Case] = [{"step": s, "largest": m} for s in steps for m in LARGEST]
    outcomes = attempt(answer, cases, _number_and_range)
    check_errors(answer, cases, outcomes)
    held = [(c, o.value) for c, o in zip(cases, outcomes, strict=True)
            if c["largest"] <= o.value[1]]  # fmt: skip
    given = [(case, float(growth)) for case, (growth, _) in held]
    wrong = [(case, growth) for case, growth in given if not _overflows_at(growth, **case)]
    if not wrong:
        said = f"Right for all {len(given)} steps and ranges that were tried."
        left = len(cases) - len(given)
        return f"{said}\n{LEFT_OUT.format(left)}" if left else said
    lines = named([case for case, _ in held], [value for _, value in held], 0, GROWTH_MISTAKES)
    case, growth = wrong[0]
    raise Verdict(WRONG_VALUES, *(lines or _growth_seen(growth, **case)), head="wrong values")


def _number_and_range(value: Any) -> tuple[Array, float]:
    """The number, and the largest one of the format that it came in."""
    array = to_number(value)
    if array.size != 1:
        raise Verdict(WRONG_SHAPE, f"It returned shape {array.shape}; one number is needed.")
    dtype = getattr(value, "dtype", None)
    if isinstance(dtype, torch.dtype) and dtype.is_floating_point:
        return array.reshape(()), max(LARGEST[0], torch.finfo(dtype).max)
    if isinstance(dtype, np.dtype) and dtype.kind == "f":
        return array.reshape(()), float(np.finfo(dtype).max)
    return array.reshape(()), math.inf


def _overflows_at(growth: float, step: int, largest: float) -> bool:
    if not 1 < growth < math.inf:
        return False
    log_growth, log_largest = math.log(growth), math.log(largest)
    edge = EDGE * log_largest
    return (step - 1) * log_growth < log_largest - edge and step * log_growth > log_largest + edge


LEFT_OUT = (
    "Your numbers are of a shorter format than float64: the {} cases whose `largest` is inf there "
    "were left out."
)


def _growth_seen(growth: float, step: int, largest: float) -> list[str]:
    lines = [f"For step {step} and a largest number of {largest:.3g} it returned {growth:.6g}."]
    if growth == math.inf and largest > SINGLE:
        return [*lines, "Did you calculate in float32? There this largest number is inf already."]
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


@exercise("05", 1, "Find the first inf", points=2, minutes=8, difficulty=2)
def first_inf(answer: Any) -> str:
    """Check a function of states (steps, hidden) that returns a step or None."""
    cases = [{"states": states} for states in _state_cases()]
    want = [_first_inf(**case) for case in cases]
    outcomes = attempt(answer, cases, _step_or_none, may_return_none=True)
    check_errors(answer, cases, outcomes)
    given = [None if o.value is None else o.value[0] for o in outcomes]
    with changes_told(outcomes) as told:
        if given == want:
            return f"Right on {len(cases)} arrays, with and without inf and NaN.{told}"
        for mistake in INF_MISTAKES:
            if [mistake.formula(**case) for case in cases] == given:
                raise Verdict(WRONG_VALUES, mistake.says, head="wrong values")
        wrong = [i for i, right in enumerate(want) if given[i] != right]
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
    (array,) = one_number(value)
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
