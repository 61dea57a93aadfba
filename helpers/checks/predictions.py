"""Checks of predictions: is it a number, and how far is it from what is measured?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from helpers.checks.arrays import to_array
from helpers.checks.harness import attempt
from helpers.checks.results import FAILED, WRONG_VALUES, Verdict

NEAR = 0.02  # of the measured value: as good as the same


def predicted(
    function: Any,
    measure: Callable[[], float],
    *,
    unit: str = "",
    low: float = -np.inf,
    high: float = np.inf,
    lesson: str,
) -> str:
    """Say how far a well-formed guess is from the measured value; any such guess is done.

    measure: computes the value. unit: of both, to be shown. low, high: bounds that every
    sensible guess keeps. lesson: what the measured value teaches.
    Raises a Verdict if the guess is no finite number within the bounds.
    """
    guess = _number(attempt(function, [{}], to_array)[0].value)
    if not low <= guess <= high:
        raise Verdict(
            WRONG_VALUES,
            f"You wrote {_shown(guess, unit)}; it must lie between {low:g} and {high:g}.",
            head="not a possible value",
        )
    value = measure()
    off = abs(guess - value)
    how_far = f"off by {_shown(off, unit)}" if off > NEAR * abs(value) else "as good as exact"
    seen = f"You wrote {_shown(guess, unit)}; measured: {_shown(value, unit)}; {how_far}."
    return f"{seen}\n{lesson}"


def _number(array: np.ndarray) -> float:
    if array.size != 1 or not np.isfinite(array).all():
        what = f"an array of shape {array.shape}" if array.size != 1 else str(array.reshape(()))
        raise Verdict(FAILED, f"It returned {what}; one finite number is needed.")
    return float(array.reshape(()))


def _shown(value: float, unit: str) -> str:
    return f"{value:.3g} {unit}".rstrip()
