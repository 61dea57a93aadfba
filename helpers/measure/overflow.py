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

What happens after inf, and how to find it, stands in `helpers.measure.nonfinite`.

Source: IEEE 754-2019, sections 3.3 (formats), 4.3.1 (rounding to nearest) and 7.4.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch

from helpers.validation import integer, number_above

DTYPES = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
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
    """A step said beforehand.

    step: from the formula, as if no product were rounded. earliest, latest: where it can
    be if every product is rounded as far as it can be, each time in the same direction.
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
    """The range of float16, bfloat16, float32 or float64.

    Raises ValueError if dtype is none of these.
    Source: IEEE 754-2019, section 3.3.
    """
    if dtype not in DTYPES:
        raise ValueError(f"dtype must be one of {', '.join(map(str, DTYPES))}; got {dtype!r}")
    info = torch.finfo(dtype)
    digits = 1 - round(math.log2(info.eps))
    exponent = round(math.log2(info.max))
    return NumberRange(info.max, info.tiny, info.tiny * info.eps, digits, exponent)


def overflow_step(growth: float, dtype: torch.dtype, start: float = 1.0) -> Prediction:
    """First step k at which start * growth^k is inf: ceil((ln max - ln start) / ln growth).

    growth, start: rounded to dtype first, as a network in that dtype would hold them; start
    is the size of the quantity at step 0, so for a vector its largest entry.
    Raises ValueError if growth is not above 1 or start not above 0, in dtype.
    Source: this module's head.
    """
    growth, start = _held_growth(growth, start, dtype)
    distance = number_range(dtype).log2_overflow - math.log2(start)
    return _prediction(distance, growth, dtype)


def norm_overflow_step(
    growth: float, dtype: torch.dtype, entries: int, start: float = 1.0
) -> Prediction:
    """First step at which PyTorch's norm of a vector of equal entries is inf, on CPU.

    growth, start: of each entry, as for `overflow_step`. entries: of the vector, at least
    2: of a single one PyTorch takes the magnitude. The sum of squares overflows at half
    the exponent that the entries may have. float16 and bfloat16 are summed in float32:
    the range of bfloat16 is no smaller, but a float16 norm overflows only with its result.
    The sum's own rounding is left out. A start whose norm is inf overflows at step 0.
    Raises ValueError as `overflow_step` does, and if entries is below 2.
    """
    integer("entries", entries, minimum=2)
    growth, start = _held_growth(growth, start, dtype)
    summed = torch.promote_types(dtype, torch.float32)
    highest = min(number_range(summed).log2_overflow / 2, number_range(dtype).log2_overflow)
    return _prediction(highest - math.log2(entries) / 2 - math.log2(start), growth, dtype)


def underflow_step(factor: float, dtype: torch.dtype, start: float = 1.0) -> Prediction:
    """First step k at which start * factor^k is below the smallest normal number.

    From there on digits are lost, and helpers.networks.rnn's backward pass takes the signal as 0.
    The step at which it is 0 without that help, if there is one, can only be measured.
    Raises ValueError if factor is not between 0 and 1, or start is not a normal number.
    """
    factor, start = _held("factor", factor, dtype), _held("start", start, dtype)
    smallest = number_range(dtype).smallest_normal
    if factor >= 1 or start < smallest:
        raise ValueError(
            f"in {dtype}, factor must be below 1 and start at least {smallest:.3g}; "
            f"there they are {factor} and {start}"
        )
    return _prediction(math.log2(start) - math.log2(smallest), factor, dtype, beyond=True)


def measured_overflow_step(growth: float, dtype: torch.dtype, start: float = 1.0) -> int:
    """The step that `overflow_step` predicts, counted by multiplying in dtype.

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
    """Where start * factor^k ends, found by multiplying in dtype until nothing changes.

    Raises ValueError as `underflow_step` does, and if more than LONGEST steps may be needed.
    """
    _check_length(underflow_step(factor, dtype, start))
    smallest_normal = number_range(dtype).smallest_normal
    value, multiplier = torch.tensor(start, dtype=dtype), torch.tensor(factor, dtype=dtype)
    step = 0
    subnormal = None
    while (following := value * multiplier) != value:
        value = following
        step += 1
        if subnormal is None and value < smallest_normal:
            subnormal = step
    return Underflow(subnormal, step, value.item())


def _held(name: str, value: float, dtype: torch.dtype) -> float:
    """The number that dtype holds for value; raises ValueError if that is 0 or inf."""
    number_range(dtype)
    held = torch.tensor(number_above(name, value, 0), dtype=torch.float64).to(dtype).item()
    if held == 0 or math.isinf(held):
        raise ValueError(f"{name} must lie within the range of {dtype}; {value!r} is {held} there")
    return held


def _held_growth(growth: float, start: float, dtype: torch.dtype) -> tuple[float, float]:
    held = _held("growth", growth, dtype)
    if held <= 1:
        raise ValueError(f"growth must be above 1 in {dtype}; {growth!r} is {held} there")
    return held, _held("start", start, dtype)


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
