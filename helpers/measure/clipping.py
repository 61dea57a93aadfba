"""Gradient clipping: limit the step without losing the gradient, and say what was done.

By global norm, with g all gradients as one vector and c the threshold,

    g <- g * min(1, c / (||g|| + 1e-6))

One factor for all entries: the length changes, the direction does not. Per tensor, each
tensor has a norm and a factor of its own; by value, each entry is limited on its own to
[-c, c]. Both turn the gradient. The 1e-6 is PyTorch's: a norm a hair below c shrinks too.

All functions work in place, as torch.nn.utils.clip_grad_norm_ and clip_grad_value_ do,
and agree with these on finite gradients to the rounding of the dtype. They differ where
PyTorch is silent:

    a gradient holds     clip_grad_norm_ leaves        clip_grad_value_ leaves   here
    inf                  NaN there, 0 elsewhere        c there                   an error
    NaN                  NaN everywhere                NaN there                 an error
    squares beyond       0 everywhere (the norm        the right gradient        the right
    the dtype's range    is inf)                                                 gradient

Norms are taken in float64, in units of the largest entry, so their squares always fit.

Source: Pascanu, Mikolov & Bengio 2013, section 3.2 and algorithm 1 (by norm), which names
Mikolov's thesis of 2012 for clipping by value.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from helpers.measure.nonfinite import nonfinite_tensors
from helpers.validation import Array, finite_array, number_above

Gradients = nn.Module | Tensor | Iterable[Tensor | None] | Iterable[tuple[str, Tensor | None]]

EPSILON = 1e-6


class NonFiniteGradientError(ValueError):
    """A gradient holds inf or NaN; no gradient was changed.

    name: of the first such tensor; index and value: of its first such entry.
    """

    def __init__(self, name: str, index: tuple[int, ...], value: float, others: int) -> None:
        more = f", and {others} more tensors are not finite" if others else ""
        super().__init__(
            f"the gradient of {name} is {value} at entry {index}{more}; nothing was clipped: "
            "clipping cannot repair it, so leave this update out or stop"
        )
        self.name, self.index, self.value = name, index, value


@dataclass(frozen=True)
class Clipped:
    """What one call did.

    norm: length of all gradients together before (inf only beyond float64's range).
    coefficient: length after, divided by norm; by global norm it is the factor of the rule.
    by_tensor: the factor on each tensor's length, by name.
    angle: degrees between the gradient before and after, rounding apart; exactly 0 by
    global norm.
    clipped: whether the rule shrank anything.
    """

    norm: float
    coefficient: float
    by_tensor: Mapping[str, float]
    angle: float
    clipped: bool


def clip_by_global_norm(gradients: Gradients, max_norm: float) -> Clipped:
    """Shrink all gradients together, in place, by g * min(1, max_norm / (||g|| + 1e-6)).

    gradients: a model; or parameters, or pairs (name, parameter), whose .grad is meant and
    which are passed over when it is None; or tensors that are gradients themselves (no
    requires_grad, no .grad). Dtypes may differ. Without any gradient the norm is 0.
    max_norm: of all of them as one vector.
    Raises NonFiniteGradientError (a ValueError) naming the tensor if one holds inf or NaN,
    and ValueError if max_norm is not a finite number above 0, or so small that nothing but
    zeros would be left in the gradients' dtypes, or something given is no gradient. Nothing
    has been changed then.
    Source: Pascanu, Mikolov & Bengio 2013, algorithm 1; PyTorch's clip_grad_norm_.
    """
    found, max_norm = _checked(gradients, "max_norm", max_norm)
    before = [_wide(gradient) for gradient in found.values()]
    scale, rate = _rule(before, max_norm)
    coefficient = min(1.0, rate / scale)
    if rate < scale:
        _write(found, [each / scale * rate for each in before])
    by_tensor = dict.fromkeys(found, coefficient)
    return Clipped(_norm(before), coefficient, by_tensor, 0.0, rate < scale)


def clip_per_tensor(gradients: Gradients, max_norm: float) -> Clipped:
    """Shrink each gradient that is longer than max_norm, in place, by the rule of its own norm.

    gradients, errors: as for `clip_by_global_norm`. max_norm: of each tensor.
    The gradient turns when the tensors' factors differ, towards the shorter ones.
    """
    found, max_norm = _checked(gradients, "max_norm", max_norm)
    before = [_wide(gradient) for gradient in found.values()]
    rules = [_rule([each], max_norm) for each in before]
    after = [
        each / scale * rate if rate < scale else each
        for each, (scale, rate) in zip(before, rules, strict=True)
    ]
    factors = [min(1.0, rate / scale) for scale, rate in rules]
    return _apply(found, before, after, factors, any(factor < 1 for factor in factors))


def clip_by_value(gradients: Gradients, max_value: float) -> Clipped:
    """Limit each entry of the gradients to [-max_value, max_value], in place.

    gradients, errors: as for `clip_by_global_norm`. max_value: rounded to each dtype.
    The gradient turns whenever an entry is limited and another, not 0, is limited less.
    Source: PyTorch's clip_grad_value_.
    """
    found, max_value = _checked(gradients, "max_value", max_value)
    before = [_wide(gradient) for gradient in found.values()]
    limits = [_in_dtype(max_value, gradient) for gradient in found.values()]
    after = [each.clamp(-limit, limit) for each, limit in zip(before, limits, strict=True)]
    factors = [_ratio([new], [old]) for new, old in zip(after, before, strict=True)]
    changed = any(not new.equal(old) for new, old in zip(after, before, strict=True))
    return _apply(found, before, after, factors, changed)


def global_norm(gradients: Gradients) -> float:
    """Length of all gradients as one vector, which clipping is about: log it at each step.

    gradients, errors: as for `clip_by_global_norm`. Returns the norm, in float64.
    """
    return _norm([_wide(gradient) for gradient in _finite(gradients).values()])


def share_clipped(coefficients: Array) -> float:
    """Share of training steps at which the gradient was clipped, from 0 to 1.

    coefficients: (steps,), each step's `Clipped.coefficient`, as History keeps them.
    Raises ValueError if there are none, or one is not from 0 to 1.
    """
    factors = finite_array("coefficients", coefficients, ("steps",))
    if len(factors) == 0 or factors.min() < 0 or factors.max() > 1:
        raise ValueError("coefficients must be numbers from 0 to 1, at least one of them")
    return float((factors < 1).mean())


def _checked(gradients: Gradients, name: str, threshold: float) -> tuple[dict[str, Tensor], float]:
    """The gradients, finite, and the threshold, if it is a number above 0 in their dtypes."""
    threshold = number_above(name, threshold, 0)
    found = _finite(gradients)
    for each in found.values():
        if _in_dtype(threshold, each) == 0:
            raise ValueError(
                f"{name} {threshold!r} is 0 in {each.dtype}: no gradient would be left"
            )
    return found, threshold


def _finite(gradients: Gradients) -> dict[str, Tensor]:
    found = _named(gradients)
    bad = nonfinite_tensors(found.items())
    if bad:
        raise NonFiniteGradientError(bad[0].name, bad[0].index, bad[0].value, len(bad) - 1)
    return found


def _named(gradients: Gradients) -> dict[str, Tensor]:
    """The gradients that there are, by name, each once."""
    if isinstance(gradients, nn.Module):
        gradients = gradients.named_parameters()
    elif isinstance(gradients, Tensor):
        gradients = [gradients]
    if isinstance(gradients, Mapping) or not isinstance(gradients, Iterable):
        raise ValueError(
            "gradients must be a model, or parameters, gradients or pairs (name, parameter); "
            f"got {type(gradients).__name__}"
        )
    found: dict[str, Tensor] = {}
    for position, item in enumerate(gradients):
        name, tensor = item if _is_pair(item) else (f"tensor {position}", item)
        gradient = _gradient(name, tensor)
        if gradient is None:
            continue
        if name in found or any(gradient is other for other in found.values()):
            raise ValueError(f"{name} is given twice: give each gradient once")
        found[name] = gradient
    return found


def _is_pair(item: object) -> bool:
    return isinstance(item, tuple) and len(item) == 2 and isinstance(item[0], str)


def _gradient(name: str, tensor: Tensor | None) -> Tensor | None:
    """The tensor's gradient, or the tensor if it is one; None if there is none."""
    if tensor is None:
        return None
    if not isinstance(tensor, Tensor):
        raise ValueError(f"{name} must be a tensor; got {type(tensor).__name__}")
    if not tensor.is_leaf:
        raise ValueError(f"{name} is the result of a computation: give its .detach()")
    parameter = isinstance(tensor, nn.Parameter) or tensor.requires_grad
    gradient = tensor.grad if parameter or tensor.grad is not None else tensor
    if gradient is None:
        return None
    if gradient.layout != torch.strided or not gradient.is_floating_point():
        raise ValueError(
            f"the gradient of {name} must be dense floating-point numbers; "
            f"got {gradient.dtype}, {gradient.layout}"
        )
    repeated = zip(gradient.shape, gradient.stride(), strict=True)
    if gradient.numel() and any(size > 1 and stride == 0 for size, stride in repeated):
        raise ValueError(f"the entries of {name} share memory: give its .clone()")
    return gradient


def _wide(gradient: Tensor) -> Tensor:
    """A copy in float64, outside of any graph."""
    return gradient.detach().to(torch.float64, copy=True)


def _in_dtype(threshold: float, gradient: Tensor) -> float:
    """The threshold as the gradient's dtype holds it, at most the dtype's largest number."""
    largest = torch.finfo(gradient.dtype).max
    return torch.tensor(min(threshold, largest), dtype=gradient.dtype).item()


def _size(tensors: list[Tensor]) -> tuple[float, float]:
    """(size, unit): the norm of float64 tensors is size * unit, and unit is a power of two."""
    largest = max((each.abs().max().item() for each in tensors if each.numel()), default=0.0)
    unit = 2.0 ** (math.frexp(largest)[1] - 1) if largest else 1.0
    return math.sqrt(sum((each / unit).square().sum().item() for each in tensors)), unit


def _norm(tensors: list[Tensor]) -> float:
    size, unit = _size(tensors)
    return size * unit


def _ratio(after: list[Tensor], before: list[Tensor]) -> float:
    """Length after divided by length before; 1 if that was 0."""
    (new, new_unit), (old, old_unit) = _size(after), _size(before)
    return min(1.0, new / old * (new_unit / old_unit)) if old else 1.0


def _rule(tensors: list[Tensor], max_norm: float) -> tuple[float, float]:
    """(scale, rate): g / scale * rate is the rule's result, and rate < scale if it shrinks.

    With scale 1 the rate is max_norm / (||g|| + 1e-6). A scale as large as the entries
    keeps a very small factor, and each step of its calculation, within float64's range.
    """
    size, unit = _size(tensors)
    scale = max(1.0, unit)
    return scale, max_norm / (size * (unit / scale) + EPSILON / scale)


def _apply(
    found: dict[str, Tensor],
    before: list[Tensor],
    after: list[Tensor],
    factors: list[float],
    clipped: bool,
) -> Clipped:
    """Write the gradients after clipping, and report."""
    if clipped:
        _write(found, after)
    angle = _angle(before, after) if clipped else 0.0
    by_tensor = dict(zip(found, factors, strict=True))
    return Clipped(_norm(before), _ratio(after, before), by_tensor, angle, clipped)


@torch.no_grad()
def _write(found: dict[str, Tensor], values: list[Tensor]) -> None:
    """Round the values to the gradients' dtypes, and put them there unless all are 0 now."""
    pairs = zip(found.values(), values, strict=True)
    rounded = [value.to(gradient.dtype) for gradient, value in pairs]
    if not any(each.any() for each in rounded):
        dtypes = ", ".join(sorted({str(each.dtype) for each in rounded}))
        raise ValueError(
            f"clipped to this threshold, nothing but zeros would be left in {dtypes}: "
            "use a larger one, or gradients in float32"
        )
    for gradient, value in zip(found.values(), rounded, strict=True):
        gradient.copy_(value)


def _angle(before: list[Tensor], after: list[Tensor]) -> float:
    """Degrees between two vectors given in parts, exact near 0 too (Kahan's formula)."""
    old, new = (_direction(parts) for parts in (before, after))
    return math.degrees(2 * math.atan2((old - new).norm().item(), (old + new).norm().item()))


def _direction(parts: list[Tensor]) -> Tensor:
    """The vector of length 1."""
    size, unit = _size(parts)
    return torch.cat([part.flatten() for part in parts]) / unit / size
