"""Checks of arguments that all rooms share; each error names the argument."""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable
from numbers import Real
from typing import Any

import numpy as np

Array = np.ndarray


def integer(name: str, value: Any, *, minimum: int, maximum: int | None = None) -> int:
    """Return value as an int; raises ValueError if it is no integer within the bounds."""
    bounds = f"at least {minimum}" if maximum is None else f"from {minimum} to {maximum}"
    try:
        number = None if isinstance(value, bool) else operator.index(value)
    except TypeError:
        number = None
    if number is None:
        raise ValueError(f"{name} must be an integer, {bounds}; got {value!r}")
    if number < minimum or (maximum is not None and number > maximum):
        raise ValueError(f"{name} must be {bounds}; got {number}")
    return number


def number_above(name: str, value: Any, bound: float) -> float:
    """Return value as a float; raises ValueError unless it is a finite number above bound."""
    number: Any = value if isinstance(value, Real) else math.nan
    if not bound < number < math.inf:
        raise ValueError(f"{name} must be a finite number above {bound:g}; got {value!r}")
    return float(number)


def finite_number(name: str, value: Any) -> float:
    """Return value as a float; raises ValueError unless it is a finite number."""
    if not isinstance(value, Real) or not math.isfinite(value):
        raise ValueError(f"{name} must be a finite number; got {value!r}")
    return float(value)


def choice(name: str, value: Any, allowed: Iterable[str]) -> str:
    """Return value; raises ValueError if it is not one of the allowed words."""
    words = list(allowed)
    if not isinstance(value, str) or value not in words:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, words))}; got {value!r}")
    return value
