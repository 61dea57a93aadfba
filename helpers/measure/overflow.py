"""When numbers run out: the step at which a product overflows or underflows.

A signal that grows by a factor g per step is start * g^k after k steps. A floating-point
format with p binary digits and exponents below E holds nothing above (1 - 2^-p) 2^E;
what is nearer to 2^E than to that largest number becomes inf, so the product overflows
at the first k with start * g^k >= (1 - 2^-(p+1)) 2^E.

Each step's product is rounded, by a factor between 1 - 2^-p and 1 + 2^-p. Over many
steps that can move the overflow: `Prediction` says by how much at most. Doubling is
never rounded.

Below the smallest normal number the rounding is no longer relative, and no formula for
g^k holds: where a product ends is measured, not predicted. With rounding to nearest, a
factor of at most 1/2 gets to 0, and one above 1/2 never does: the last number it
reaches, a few times the smallest one above 0, is rounded to itself.

What happens after inf, and how to find it: `helpers.measure.nonfinite`.

Source: IEEE 754-2019, sections 3.3 (formats), 4.3.1 (rounding to nearest) and 7.4.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch

LONGEST = 100_000  # steps that are measured one by one


class NumberRange(NamedTuple):
    """What a dtype can hold.

    largest, smallest_normal, smallest (above 0): floats. digits: p, binary digits of a
    normal number. exponent: E; the largest number is (1 - 2^-p) 2^E.
    """

    largest: float
    smallest_normal: float
    smallest: float
    digits: int
    exponent: int

    @property
    def log2_overflow(self) -> float:
        """log2 of the smallest real number that is rounded to inf."""
        return self.exponent + math.log1p(-(2.0 ** -(self.digits + 1))) / math.log(2)


class Prediction(NamedTuple):
    """A predicted step.

    step: from the formula, as if no product were rounded. earliest, latest: where it can
    be if every product is rounded as far as possible, each time in the same direction.
    """

    step: int
    earliest: int
    latest: int


class Underflow(NamedTuple):
    """How a shrinking product ended.

    subnormal: first step below the smallest normal number, where digits begin to go.
    last: first step with the value that all later steps keep. value: that value, 0 or a
    few times the smallest number above 0.
    """

    subnormal: int
    last: int
    value: float


def number_range(dtype: torch.dtype) -> NumberRange:
    """Return the range of float16, bfloat16, float32 or float64.

    Source: IEEE 754-2019, section 3.3.
    """
    info = torch.finfo(dtype)
    digits = 1 - round(math.log2(info.eps))
    exponent = round(math.log2(info.max))
    return NumberRange(info.max, info.tiny, info.tiny * info.eps, digits, exponent)


def overflow_step(growth: float, dtype: torch.dtype, start: float = 1.0) -> Prediction:
    """Predict the first step k at which start * growth^k is inf.

    That is ceil((ln max - ln start) / ln growth). growth, start: rounded to dtype first,
    as a network in that dtype would hold them; start is the size of the quantity at step
    0, so for a vector its largest entry.
    Raises ValueError if in dtype growth is not above 1, or start is 0 or inf.
    Source: this module's head.
    """
    growth, start = _held_growth(growth, start, dtype)
    return _prediction(number_range(dtype).log2_overflow - math.log2(start), growth, dtype)


def underflow_step(factor: float, dtype: torch.dtype, start: float = 1.0) -> Prediction:
    """Predict the first step k at which start * factor^k is below the smallest normal number.

    factor: below 1; start: a normal number. From there on digits are lost, and the backward
    pass of `helpers.networks.rnn` takes the signal as 0. The step at which it is 0 without
    that help, if there is one, can only be measured.
    """
    factor, start = _held(factor, dtype), _held(start, dtype)
    distance = math.log2(start) - math.log2(number_range(dtype).smallest_normal)
    return _prediction(distance, factor, dtype, beyond=True)


def measured_overflow_step(growth: float, dtype: torch.dtype, start: float = 1.0) -> int:
    """Return the step that `overflow_step` predicts, counted by multiplying in dtype.

    Raises ValueError as `overflow_step` does, and if more than LONGEST steps may be needed.
    """
    _check_length(overflow_step(growth, dtype, start))
    value, factor = torch.tensor(start, dtype=dtype), torch.tensor(growth, dtype=dtype)
    step = 0
    while not value.isinf():
        value = value * factor
        step += 1
    return step


def measured_underflow(factor: float, dtype: torch.dtype, start: float = 1.0) -> Underflow:
    """Return where start * factor^k ends, found by multiplying in dtype until nothing changes.

    Raises ValueError if more than LONGEST steps may be needed.
    """
    _check_length(underflow_step(factor, dtype, start))
    smallest_normal = number_range(dtype).smallest_normal
    value, multiplier = torch.tensor(start, dtype=dtype), torch.tensor(factor, dtype=dtype)
    step = subnormal = 0
    while (following := value * multiplier) != value:
        value = following
        step += 1
        if not subnormal and value < smallest_normal:
            subnormal = step
    return Underflow(subnormal, step, value.item())


def _held(value: float, dtype: torch.dtype) -> float:
    """The number that dtype holds for value."""
    return torch.tensor(float(value), dtype=torch.float64).to(dtype).item()


def _held_growth(growth: float, start: float, dtype: torch.dtype) -> tuple[float, float]:
    held, first = _held(growth, dtype), _held(start, dtype)
    if not 1 < held < math.inf:
        raise ValueError(
            f"growth must be above 1 and finite in {dtype}; {growth!r} is {held} there"
        )
    if not 0 < first < math.inf:
        raise ValueError(f"start must be above 0 and finite in {dtype}; {start!r} is {first} there")
    return held, first


def _check_length(predicted: Prediction) -> None:
    if predicted.latest > LONGEST:
        raise ValueError(
            f"step {predicted.step} is too far to count to (at most {LONGEST}): predict it, "
            "or take a factor farther from 1"
        )


def _prediction(
    distance: float, factor: float, dtype: torch.dtype, *, beyond: bool = False
) -> Prediction:
    """Steps of |log2(factor)| to get at least this far (beyond: farther)."""
    rate = abs(math.log2(factor))
    power_of_two = math.frexp(factor)[0] == 0.5
    rounding = 0.0 if power_of_two else 2.0 ** -number_range(dtype).digits
    spread = math.log1p(rounding) / math.log(2)
    if rate <= spread:
        raise ValueError(f"{factor!r} is too close to 1: rounding moves a product as far")
    counts = (max(0.0, distance) / (rate + by) for by in (0.0, spread, -spread))
    return Prediction(*(math.floor(n) + 1 if beyond else math.ceil(n) for n in counts))
