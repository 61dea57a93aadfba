"""Checks of predictions: is it a number, and how far is it from what is measured?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from helpers.checks.attempt import attempt
from helpers.checks.compare import one_number
from helpers.checks.results import FAILED, WRONG_VALUES, Verdict

NEAR = 0.02  # of the measured value: as good as the same


def predicted(
    function: Any,
    measure: Callable[[], float],
    *,
    unit: str = "",
    low: float = -np.inf,
    high: float = np.inf,
    whole: bool = False,
    lesson: str,
) -> str:
    """Say how far a well-formed guess is from the measured value; any such guess is done.

    measure: computes the value. unit: of both, to be shown. low, high: bounds that every
    sensible guess keeps. whole: whether only whole numbers make sense, of which none but the
    measured one is exact. lesson: what the measured value teaches.
    Raises a Verdict if the guess is no finite number, or none that could be right.
    """
    guess = _number(attempt(function, [{}], one_number)[0].value[0])
    wanted = _wanted(guess, low, high, whole)
    if wanted:
        raise Verdict(
            WRONG_VALUES,
            f"You wrote {_shown(guess, unit)}; it must {wanted}.",
            head="not a possible value",
        )
    value = measure()
    off = abs(guess - value)
    near = 0 if whole else NEAR * abs(value)
    how_far = f"off by {_shown(off, unit)}" if off > near else "as good as exact"
    seen = f"You wrote {_shown(guess, unit)}; measured: {_shown(value, unit)}; {how_far}."
    return f"{seen}\n{lesson}"


def _wanted(guess: float, low: float, high: float, whole: bool) -> str | None:
    """What a guess must be and is not."""
    if not low <= guess <= high:
        return f"lie between {low:g} and {high:g}" if high < np.inf else f"be {low:g} or more"
    if whole and not guess.is_integer():
        return "be a whole number"
    return None


def _number(array: np.ndarray) -> float:
    if array.size != 1 or not np.isfinite(array).all():
        what = f"an array of shape {array.shape}" if array.size != 1 else str(array.reshape(()))
        raise Verdict(FAILED, f"It returned {what}; one finite number is needed.")
    return float(array.reshape(()))


def _shown(value: float, unit: str) -> str:
    digits = 3 if abs(value) < 1000 else 6
    return f"{value + 0.0:.{digits}g} {unit}".rstrip()  # + 0.0: no "-0"
