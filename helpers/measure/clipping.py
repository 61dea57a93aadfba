"""Gradient clipping: limit the step without losing the gradient, and report what was done.

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

Everything reported is measured on the gradients as they stand after the call, in float64.

Source: Pascanu, Mikolov & Bengio 2013, section 3.2 and algorithm 1 (by norm), which names
Mikolov's thesis of 2012 for clipping by value.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from helpers.measure.nonfinite import nonfinite_tensors
from helpers.validation import Array, number_above

Gradients = nn.Module | Tensor | Iterable[Tensor | None]

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
    """What one call did, measured.

    norm: length of all gradients together before.
    coefficient: length after, divided by norm (1 if that is 0).
    by_tensor: the same for each tensor alone, by name.
    angle: degrees between the gradient before and after. By global norm it is what the
    rounding of the entries leaves: about 10^-6 in float32.
    clipped: whether any entry changed.
    """

    norm: float
    coefficient: float
    by_tensor: Mapping[str, float]
    angle: float
    clipped: bool


def clip_by_global_norm(gradients: Gradients, max_norm: float) -> Clipped:
    """Shrink all gradients together, in place, by g * min(1, max_norm / (||g|| + 1e-6)).

    gradients: a model or parameters, whose .grad is meant and which are passed over when
    it is None; or tensors that are gradients themselves. Dtypes may differ.
    max_norm: of all of them as one vector.
    Raises NonFiniteGradientError (a ValueError) naming the tensor if one holds inf or NaN,
    and ValueError if max_norm is not a finite number above 0, or so small that nothing but
    zeros would be left in the gradients' dtypes. Nothing has been changed then.
    Source: Pascanu, Mikolov & Bengio 2013, algorithm 1; PyTorch's clip_grad_norm_.
    """
    threshold = number_above("max_norm", max_norm, 0)
    return _clip(gradients, lambda wide: _shrunk(wide, threshold))


def clip_per_tensor(gradients: Gradients, max_norm: float) -> Clipped:
    """Shrink each gradient that is longer than max_norm, in place, by the rule of its own norm.

    gradients, errors: as for `clip_by_global_norm`. max_norm: of each tensor.
    The gradient turns when the tensors' factors differ, towards the shorter ones.
    """
    threshold = number_above("max_norm", max_norm, 0)
    return _clip(gradients, lambda wide: [_shrunk([each], threshold)[0] for each in wide])


def clip_by_value(gradients: Gradients, max_value: float) -> Clipped:
    """Limit each entry of the gradients to [-max_value, max_value], in place.

    gradients, errors: as for `clip_by_global_norm`.
    The gradient turns whenever an entry is limited and another, not 0, is limited less.
    Source: PyTorch's clip_grad_value_.
    """
    threshold = number_above("max_value", max_value, 0)
    return _clip(gradients, lambda wide: [each.clamp(-threshold, threshold) for each in wide])


def clip_by_norm(gradients: Sequence[Tensor], c: float) -> list[Tensor]:
    """Return the gradients times min(1, c / norm), with the norm of all of them together.

    gradients: tensors of any shapes, which stay as they are; c: above 0.
    Source: Pascanu, Mikolov & Bengio 2013, algorithm 1.
    """
    norm = torch.stack([gradient.norm() for gradient in gradients]).norm()
    return [gradient * (c / (norm + 1e-6)).clamp(max=1) for gradient in gradients]


def choose_threshold(norms: Array) -> float:
    """Return a threshold for a log of gradient norms (steps,): twice the finite ones' median.

    Source: Pascanu, Mikolov & Bengio 2013, section 3.2, which takes half to ten times the mean.
    """
    return 2 * float(np.median(norms[np.isfinite(norms)]))


def global_norm(gradients: Gradients) -> float:
    """Return the length of all gradients as one vector, in float64: log it at each step.

    gradients, errors: as for `clip_by_global_norm`.
    """
    return _norm([each.double() for each in _finite(gradients).values()])


@torch.no_grad()
def _clip(gradients: Gradients, rule: Callable[[list[Tensor]], list[Tensor]]) -> Clipped:
    """Apply a rule for float64 copies, write its result in each dtype, and measure it."""
    found = _finite(gradients)
    before = [each.double() for each in found.values()]
    after = [new.to(old.dtype) for new, old in zip(rule(before), found.values(), strict=True)]
    written = [each.double() for each in after]
    clipped = any(not new.equal(old) for new, old in zip(written, before, strict=True))
    if clipped and not any(each.any() for each in written):
        dtypes = ", ".join(sorted({str(each.dtype) for each in after}))
        raise ValueError(
            f"clipped to this threshold, nothing but zeros would be left in {dtypes}: "
            "use a larger one, or gradients in float32"
        )
    by_tensor = {
        name: _ratio([new], [old]) for name, new, old in zip(found, written, before, strict=True)
    }
    report = Clipped(
        _norm(before), _ratio(written, before), by_tensor, _angle(before, written), clipped
    )
    for gradient, value in zip(found.values(), after, strict=True):
        gradient.copy_(value)
    return report


def _finite(gradients: Gradients) -> dict[str, Tensor]:
    """Return the gradients by name; skip None. Raises NonFiniteGradientError."""
    if isinstance(gradients, nn.Module):
        named = dict(gradients.named_parameters())
    else:
        given = [gradients] if isinstance(gradients, Tensor) else gradients
        named = {f"tensor {i}": each for i, each in enumerate(given) if each is not None}
    found = {
        name: each.grad if each.grad is not None else each.detach()
        for name, each in named.items()
        if each.grad is not None or not isinstance(each, nn.Parameter)
    }
    bad = nonfinite_tensors(found.items())
    if bad:
        raise NonFiniteGradientError(bad[0].name, bad[0].index, bad[0].value, len(bad) - 1)
    return found


def _shrunk(wide: list[Tensor], max_norm: float) -> list[Tensor]:
    """The rule's result for one vector given in parts."""
    factor = max_norm / (_norm(wide) + EPSILON)
    return [each * factor for each in wide] if factor < 1 else wide


def _unit(parts: list[Tensor]) -> float:
    """The largest entry's size: in this unit, squares neither over- nor underflow."""
    return max((each.abs().max().item() for each in parts if each.numel()), default=0.0) or 1.0


def _norm(parts: list[Tensor]) -> float:
    """Length of one vector given in parts."""
    unit = _unit(parts)
    return unit * math.sqrt(sum((each / unit).square().sum().item() for each in parts))


def _ratio(after: list[Tensor], before: list[Tensor]) -> float:
    length = _norm(before)
    return _norm(after) / length if length else 1.0


def _angle(before: list[Tensor], after: list[Tensor]) -> float:
    """Degrees between two vectors given in parts, exact near 0 too (Kahan's formula)."""
    if not any(part.any() for part in before):
        return 0.0
    old, new = (
        torch.cat([part.flatten() for part in parts]) / _unit(parts) for parts in (before, after)
    )
    old, new = old / old.norm(), new / new.norm()
    return math.degrees(2 * math.atan2((old - new).norm().item(), (old + new).norm().item()))
