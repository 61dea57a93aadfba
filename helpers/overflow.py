"""When numbers run out: the step at which a product overflows or underflows, and where.

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

First comes inf, from a number too large; NaN comes from inf - inf or 0 * inf, which need
two entries to meet: one or two steps later where growth is slow (1.5 a step), at times
within the very matrix product that overflowed where it is fast (3 a step). A scalar map
h <- g h never gets beyond inf.

Source: IEEE 754-2019, sections 3.3 (formats), 4.3.1 (rounding to nearest), 7.2 and 7.4.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

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


@dataclass(frozen=True)
class NonFinite:
    """The first entry of a tensor that is inf or NaN, in the order of its computation.

    name: the tensor's. step: position along its steps, from 0; None if it has none.
    index: of the entry, within the step if there is one. value: inf, -inf or nan.
    inf_step, nan_step: the first step that holds inf, and NaN; None if no step does.
    """

    name: str
    step: int | None
    index: tuple[int, ...]
    value: float
    inf_step: int | None = None
    nan_step: int | None = None

    def __str__(self) -> str:
        where = "" if self.step is None else f" at step {self.step}"
        text = f"{self.name}: {self.value}{where}, entry {self.index}"
        if self.nan_step is not None and self.nan_step != self.step:
            text += f"; NaN from step {self.nan_step}"
        return text


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
    The sum's own rounding is left out.
    Raises ValueError as `overflow_step` does, and if entries is below 2.
    """
    integer("entries", entries, minimum=2)
    growth, start = _held_growth(growth, start, dtype)
    summed = torch.promote_types(dtype, torch.float32)
    highest = min(number_range(summed).log2_overflow / 2, number_range(dtype).log2_overflow)
    return _prediction(highest - math.log2(entries) / 2 - math.log2(start), growth, dtype)


def underflow_step(factor: float, dtype: torch.dtype, start: float = 1.0) -> Prediction:
    """First step k at which start * factor^k is below the smallest normal number.

    From there on digits are lost, and helpers.rnn's backward pass takes the signal as 0.
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


def first_nonfinite(name: str, values: Any) -> NonFinite | None:
    """The first step of a forward pass that holds inf or NaN; None if all are finite.

    name: for the answer. values: (steps, ...), array or tensor of any dtype.
    Raises ValueError if values has no steps or does not hold real numbers.
    """
    return _first_in(name, _real(name, values), backward=False)


def first_nonfinite_backward(name: str, values: Any) -> NonFinite | None:
    """The same for a backward pass, which begins at the last step: values is dL/dh_t.

    The answer's step counts from the first word all the same, so `step` of the answer is
    the largest that holds inf or NaN, and a `nan_step` that came later is below it.
    """
    return _first_in(name, _real(name, values), backward=True)


def nonfinite_tensors(named: Iterable[tuple[str, Tensor | None]]) -> tuple[NonFinite, ...]:
    """The tensors that hold inf or NaN, with the first such entry of each, in their order.

    named: such as model.named_parameters(), or the names with each one's .grad; None is
    passed over. Raises ValueError if one does not hold real numbers.
    """
    found = []
    for name, tensor in named:
        values = None if tensor is None else _real(name, tensor)
        if values is not None and not values.isfinite().all():
            index = (~values.isfinite()).nonzero()[0].tolist()
            found.append(NonFinite(name, None, tuple(index), values[tuple(index)].item()))
    return tuple(found)


def find_nonfinite(model: nn.Module, tokens: Tensor, labels: Tensor) -> tuple[NonFinite, ...]:
    """All that is inf or NaN in one forward and backward pass, in the order of computation.

    model: a Classifier of helpers.models, or one with the same `states` and `probe`.
    tokens (n, steps); labels (n,). Looked at in turn: the parameters (if one of them is not
    finite, nothing else is computed), the states by step, the logits, the loss (mean
    cross-entropy), dL/dh_t from the last step back, the parameters' gradients. The first
    of the answers is where the trouble begins; no answer: all is finite.
    Parameters and their .grad stay as they were.
    Raises ValueError if the model has no `states`, or does not use its probe.
    """
    if not hasattr(model, "states"):
        raise ValueError(f"{type(model).__name__} has no states(tokens, probe) to look at")
    parameters = dict(model.named_parameters())
    found = nonfinite_tensors(parameters.items())
    if found:
        return found
    trained = {name: each for name, each in parameters.items() if each.requires_grad}
    with torch.no_grad():
        states = model.states(tokens)
    with torch.enable_grad():
        probe = torch.zeros_like(states, requires_grad=True)
        logits = model(tokens, probe=probe)
        loss = nn.functional.cross_entropy(logits, labels)
        signal, *gradients = torch.autograd.grad(
            loss, [probe, *trained.values()], allow_unused=True
        )
    if signal is None:
        raise ValueError(f"{type(model).__name__} does not use its probe: add it to the states")
    names = (f"gradient of {name}" for name in trained)
    in_time = (
        first_nonfinite("states", states.transpose(0, 1)),
        *nonfinite_tensors([("logits", logits), ("loss", loss)]),
        first_nonfinite_backward("dL/dh", signal.transpose(0, 1)),
        *nonfinite_tensors(zip(names, gradients, strict=True)),
    )
    return tuple(each for each in in_time if each is not None)


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
    counts = (distance / (rate + by) for by in (0.0, spread, -spread))
    return Prediction(*(math.floor(n) + 1 if beyond else math.ceil(n) for n in counts))


def _real(name: str, values: Any) -> Tensor:
    try:
        tensor = torch.as_tensor(values).detach()
    except (TypeError, ValueError, RuntimeError) as error:
        raise ValueError(f"{name} must be an array of real numbers; {error}") from error
    if tensor.is_complex():
        raise ValueError(f"{name} must hold real numbers; got {tensor.dtype}")
    return tensor


def _first_in(name: str, values: Tensor, *, backward: bool) -> NonFinite | None:
    if values.ndim == 0 or len(values) == 0:
        raise ValueError(f"{name} must have shape (steps, ...); got {tuple(values.shape)}")
    rows = values.reshape(len(values), -1)
    order = -1 if backward else 0
    steps = {
        kind: each(rows).any(dim=1).nonzero().flatten().tolist()
        for kind, each in (("inf", torch.isinf), ("nan", torch.isnan))
    }
    inf_step, nan_step = (steps[kind][order] if steps[kind] else None for kind in ("inf", "nan"))
    reached = [step for step in (inf_step, nan_step) if step is not None]
    if not reached:
        return None
    step = max(reached) if backward else min(reached)
    (entry,) = nonfinite_tensors([(name, values[step])])
    return NonFinite(name, step, entry.index, entry.value, inf_step, nan_step)
