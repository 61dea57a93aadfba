"""When numbers run out: the step at which a product overflows or underflows.

A floating-point format with p binary digits and exponents below E holds nothing above
(1 - 2^-p) 2^E; what is nearer to 2^E than to that largest number becomes inf. So a product
that grows by a factor g per step overflows at the first k with g^k >= (1 - 2^-(p+1)) 2^E.
Each step's product is rounded, by a factor between 1 - 2^-p and 1 + 2^-p, which over many
steps can move the overflow. Doubling is never rounded.

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
    """What a dtype can hold: its smallest number above 0, its binary digits p and its E."""

    smallest: float
    digits: int
    exponent: int


class Underflow(NamedTuple):
    """How a shrinking product ended: the first step with the value that all later ones keep."""

    last: int
    value: float


def number_range(dtype: torch.dtype) -> NumberRange:
    """Return the range of float16, bfloat16, float32 or float64."""
    info = torch.finfo(dtype)
    digits, exponent = 1 - round(math.log2(info.eps)), round(math.log2(info.max))
    return NumberRange(info.tiny * info.eps, digits, exponent)


def overflow_step(growth: float, dtype: torch.dtype) -> int:
    """Predict the first step k at which growth^k is inf, as if no product were rounded.

    That is ceil(ln max / ln growth). growth: rounded to dtype first, as a network in that dtype
    would hold it; above 1 there.
    """
    _, digits, exponent = number_range(dtype)
    overflow = exponent + math.log1p(-(2.0 ** -(digits + 1))) / math.log(2)
    return math.ceil(overflow / math.log2(torch.tensor(growth, dtype=dtype).item()))


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
