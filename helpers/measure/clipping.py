"""Gradient clipping: limit the step without losing the gradient, and measure how far it turns.

By global norm, with g all gradients as one vector and c the threshold,

    g <- g * min(1, c / (||g|| + 1e-6))

One factor for all entries: the length changes, the direction does not. Per tensor, each
tensor has a norm and a factor of its own; by value, each entry is limited on its own to
[-c, c]. Both turn the gradient. The 1e-6 is PyTorch's: a norm a hair below c shrinks too.

Gradients are tensors of any shapes and stay as they are: torch.nn.utils.clip_grad_norm_ and
clip_grad_value_, with which these agree to the rounding of the dtype, work in place.

Source: Pascanu, Mikolov & Bengio 2013, section 3.2 and algorithm 1 (by norm), which names
Mikolov's thesis of 2012 for clipping by value.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from helpers.validation import Array


class Clipped(NamedTuple):
    """Clipped gradients, and how many degrees they point away from what they were.

    The angle is measured in float64, NaN if either vector is 0. By global norm it is what the
    rounding of the entries leaves: about 10^-6 in float32.
    """

    gradients: list[Tensor]
    angle: float


def clip_by_norm(gradients: Sequence[Tensor], c: float) -> list[Tensor]:
    """Return the gradients times min(1, c / norm), with the norm of all of them together.

    c: above 0.
    Source: Pascanu, Mikolov & Bengio 2013, algorithm 1; PyTorch's clip_grad_norm_.
    """
    norm = torch.stack([gradient.norm() for gradient in gradients]).norm()
    return [gradient * (c / (norm + 1e-6)).clamp(max=1) for gradient in gradients]


def clip_by_global_norm(gradients: Sequence[Tensor], c: float) -> Clipped:
    """Clip by `clip_by_norm`, and measure the angle."""
    return _measured(gradients, clip_by_norm(gradients, c))


def clip_per_tensor(gradients: Sequence[Tensor], c: float) -> Clipped:
    """Clip each gradient by its own norm; they turn together towards the shorter ones."""
    return _measured(gradients, [clip_by_norm([each], c)[0] for each in gradients])


def clip_by_value(gradients: Sequence[Tensor], c: float) -> Clipped:
    """Limit each entry to [-c, c], as PyTorch's clip_grad_value_ does.

    The gradient turns whenever an entry is limited and another, not 0, is limited less.
    """
    return _measured(gradients, [each.clamp(-c, c) for each in gradients])


def global_norm(gradients: Sequence[Tensor]) -> float:
    """Return the length of all gradients as one vector, in float64: log it at each step."""
    return _joined(gradients).norm().item()


def choose_threshold(norms: Array) -> float:
    """Return a threshold for a log of gradient norms (steps,): twice the finite ones' median.

    Source: Pascanu, Mikolov & Bengio 2013, section 3.2, which takes half to ten times the mean.
    """
    return 2 * float(np.median(norms[np.isfinite(norms)]))


def _joined(gradients: Sequence[Tensor]) -> Tensor:
    return torch.cat([each.double().flatten() for each in gradients])


def _measured(before: Sequence[Tensor], after: list[Tensor]) -> Clipped:
    """The angle by Kahan's formula, which is exact near 0 too."""
    old, new = (joined / joined.norm() for joined in map(_joined, (before, after)))
    half = math.atan2((old - new).norm().item(), (old + new).norm().item())
    return Clipped(after, math.degrees(2 * half))
