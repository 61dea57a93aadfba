"""When numbers run out: the step at which a product overflows or underflows.

A product that grows by a factor g per step is inf at the first k at which g^k is above the
largest number of its format, if no product is rounded. Each is, in a format with p binary
digits by a factor between 1 - 2^-p and 1 + 2^-p, which over many steps can move the overflow.
Doubling is never rounded.

Below the smallest normal number the rounding is no longer relative, and where a product ends
is measured, not predicted. With rounding to nearest, a factor of at most 1/2 gets to 0, and
one above 1/2 never does: the last number it reaches is rounded to itself.

Source: IEEE 754-2019, sections 3.3 (formats), 4.3.1 (rounding to nearest) and 7.4.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch

LONGEST = 100_000  # steps that are counted one by one


class NumberRange(NamedTuple):
    """The smallest number above 0 and the largest number of a dtype."""

    smallest: float
    largest: float


class Underflow(NamedTuple):
    """How a shrinking product ended: the first step with the value that all later ones keep."""

    last: int
    value: float


def number_range(dtype: torch.dtype) -> NumberRange:
    """Return the range of float16, bfloat16, float32 or float64."""
    info = torch.finfo(dtype)
    return NumberRange(info.tiny * info.eps, info.max)


def overflow_step(growth: float, dtype: torch.dtype) -> int:
    """Predict the first step k at which growth^k is inf: ceil(ln max / ln growth).

    growth: above 1; rounded to dtype first, as a network in that dtype would hold it.
    """
    held = torch.tensor(growth, dtype=dtype).item()
    return math.ceil(math.log2(number_range(dtype).largest) / math.log2(held))


def measured_overflow_step(growth: float, dtype: torch.dtype) -> int:
    """Return the step that `overflow_step` predicts, counted by multiplying in dtype.

    Raises ValueError if more than LONGEST steps do not overflow.
    """
    value, factor = torch.tensor(1.0, dtype=dtype), torch.tensor(growth, dtype=dtype)
    for step in range(LONGEST):
        if value.isinf():
            return step
        value = value * factor
    raise ValueError(f"it takes more than {LONGEST:,} steps to count to the overflow")


def measured_underflow(factor: float, dtype: torch.dtype) -> Underflow:
    """Return where factor^k ends, found by multiplying in dtype until nothing changes.

    Raises ValueError if that takes more than LONGEST steps.
    """
    value, multiplier = torch.tensor(1.0, dtype=dtype), torch.tensor(factor, dtype=dtype)
    for step in range(LONGEST):
        following = value * multiplier
        if following == value:
            return Underflow(step, value.item())
        value = following
    raise ValueError(f"it takes more than {LONGEST:,} steps to count to the underflow")
