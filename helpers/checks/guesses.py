"""Guesses: how far a guess is from what was measured, and what the distance means."""

from __future__ import annotations

import math
from numbers import Integral
from typing import Any

from helpers.checks.lessons import LESSONS
from helpers.checks.results import FAILED, FAR, NEAR, NO_GUESS, Result
from helpers.figures.picture import about, size

SPANS = {"%": 100.0, "degrees": 180.0}  # the largest that such a quantity can be
NEAR_SPAN = 0.05  # of the span
NEAR_RATIO = 1.25  # of two sizes
NEAR_RATE = 1.3  # of two factors per step: of their logarithms, which add up over the steps
NEAR_COUNT = 0.1
SAME = 0.01


def guess(name: str, guess: Any, measured: float, unit: str = "", *, rough: bool = False) -> Result:
    """Say how far a guess is from the measured value, near or far; None gets the value alone.

    measured: a whole number (int) is printed and judged as such, a float after "≈". unit: of
    both; "%" and "degrees" are compared by their difference, "per step" and "per word" as
    factors, by what they lose or gain at each step, all else by its ratio.
    rough: of measured only the size holds on every processor; it is printed after "~".
    A typed guess is followed by what its distance teaches, where LESSONS has it.
    """
    whole = isinstance(measured, Integral)
    value = float(measured)
    if abs(value) < SPANS.get(unit, 0.0) / 1e5:
        value = 0.0  # a rounding error of what is 0
    shown = size(value) if rough else f"{value:,.0f}" if whole else about(value, 3)
    was = f"measured {shown} {unit}".rstrip()
    if guess is None:
        return Result(name, NO_GUESS, head=was)
    typed = _number(guess)
    if typed is None:
        wanted = f"write one number{f', in {unit}' if unit in SPANS else ''}, such as 12.5"
        line = f"Your guess is {guess!r}: {wanted}, without quotes or words."
        return Result(name, FAILED, (line,), "no number yet")
    if unit in SPANS:
        near, distance = _by_difference(typed, value, unit)
    elif unit.startswith("per ") and value > 0:
        near, distance = _by_rate(typed, value, unit)
    else:
        near, distance = (_by_count if whole else _by_ratio)(typed, value)
    status = NEAR if near else FAR
    lines = (f"{status.capitalize()}: {distance}", *([LESSONS[name]] if name in LESSONS else ()))
    head = f"you wrote {f'{_as_typed(typed)} {unit}'.rstrip()}, {was}"
    return Result(name, status, lines, head)


def _number(guess: Any) -> float | None:
    """The guess as a float; None if it is no finite number."""
    if isinstance(guess, (str, bool)):
        return None
    try:
        number = float(guess.item() if hasattr(guess, "item") else guess)
    except (TypeError, ValueError, RuntimeError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _as_typed(number: float) -> str:
    if number.is_integer() and abs(number) < 1e15:
        return f"{number + 0.0:,.0f}"  # + 0.0: no "-0"
    return f"{number:.12g}"


def _roughly(number: float) -> str:
    return size(number) if number >= 1e6 else about(number).replace("≈", "~")


def _by_difference(guess: float, value: float, unit: str) -> tuple[bool, str]:
    span, off = SPANS[unit], guess - value
    near = abs(off) <= NEAR_SPAN * span
    if abs(off) < span / 1000:
        return True, "that is what was measured."
    word = "points" if unit == "%" else unit
    seen = f"{_roughly(abs(off))} {word} too {'high' if off > 0 else 'low'}."
    if unit == "%" and not near and 0 < guess <= 1 and abs(100 * guess - value) <= 5:
        seen += " Did you write a share of 1? The answer is in percent."
    return near, seen


def _by_rate(guess: float, value: float, unit: str) -> tuple[bool, str]:
    near = guess == value
    if guess > 0 and guess != 1 and value != 1:
        near = 1 / NEAR_RATE < math.log(guess) / math.log(value) < NEAR_RATE
    return near, f"yours {_change(guess)} {unit}, the measured one {_change(value)}."


def _change(factor: float) -> str:
    """What one step with this factor does to a signal."""
    if factor == 1:
        return "loses nothing"
    if factor <= 0:
        return "leaves nothing"
    if factor >= 2:
        return f"multiplies by {_roughly(factor)}"
    return f"{'loses' if factor < 1 else 'gains'} {_roughly(100 * abs(1 - factor))} %"


def _by_count(guess: float, value: float) -> tuple[bool, str]:
    off = abs(guess - value)
    if off == 0:
        return True, "exactly what was measured."
    near = off <= max(1.0 if value >= 5 else 0.0, NEAR_COUNT * abs(value))
    seen = f"{_as_typed(round(off, 9))} too {'large' if guess > value else 'small'}."
    if not guess.is_integer():
        seen += " Only a whole number can be exact here."
    return near, seen


def _by_ratio(guess: float, value: float) -> tuple[bool, str]:
    if guess == value == 0:
        return True, "exactly what was measured."
    if value == 0 or guess == 0:
        return False, f"{'it is' if value == 0 else 'it is not'} exactly 0."
    if guess * value < 0:
        return False, "it has the other sign."
    ratio = guess / value
    times = max(ratio, 1 / ratio)
    side = "large" if ratio > 1 else "small"
    if times < 1 + SAME:
        return True, "that is what was measured."
    if times < NEAR_RATIO:
        return True, f"{_roughly(100 * abs(ratio - 1))} % too {side}."
    return False, f"{_roughly(times)} times too {side}."
