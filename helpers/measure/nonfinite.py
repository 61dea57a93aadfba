"""Where inf and NaN begin: the first step and the first tensor that hold one.

First comes inf, from a number too large; NaN comes from inf - inf or 0 * inf, which need
two entries to meet: one or two steps later where growth is slow (1.5 a step), at times
within the very matrix product that overflowed where it is fast (3 a step). A scalar map
h <- g h never gets beyond inf.

Source: IEEE 754-2019, sections 6.1 (arithmetic with inf) and 7.2 (invalid operations).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from helpers.networks import Classifier
from helpers.validation import Array


@dataclass(frozen=True)
class NonFinite:
    """The first entry of a tensor that is inf or NaN, in the order of its computation.

    name: the tensor's. index: of the entry, within the step if there is one. value: inf,
    -inf or nan. step: position along the tensor's steps, from 0; None if it has none.
    """

    name: str
    index: tuple[int, ...]
    value: float
    step: int | None = None

    def __str__(self) -> str:
        where = "" if self.step is None else f" at step {self.step}"
        return f"{self.name}: {self.value}{where}, entry {self.index}"


def first_inf(states: Array) -> int | None:
    """Return the first step of states (steps, hidden) that holds inf or -inf, or None.

    NaN does not count.
    """
    steps = np.flatnonzero(np.isinf(states).any(axis=1))
    return int(steps[0]) if len(steps) else None


def nonfinite_tensors(named: Iterable[tuple[str, Tensor]]) -> list[NonFinite]:
    """Find the tensors that hold inf or NaN, with the first such entry of each, in their order.

    named: such as model.named_parameters().
    """
    found = []
    for name, values in named:
        if not values.isfinite().all():
            index = tuple((~values.isfinite()).nonzero()[0].tolist())
            found.append(NonFinite(name, index, values[index].item()))
    return found


def find_nonfinite(model: Classifier, tokens: Tensor, labels: Tensor) -> list[NonFinite]:
    """Find all that is inf or NaN in one forward and backward pass, in the order of computation.

    tokens (n, steps); labels (n,). Looked at in turn: the parameters (if one of them is not
    finite, nothing else is computed), the states by step, the logits, the loss (mean
    cross-entropy), dL/dh_t from the last step back, the parameters' gradients. The first
    of the answers is where the trouble begins; no answer: all is finite.
    Parameters and their .grad stay as they were.
    """
    named = dict(model.named_parameters())
    if found := nonfinite_tensors(named.items()):
        return found
    states = model.states(tokens).detach()
    probe = states.new_zeros((*tokens.shape, model.state_size), requires_grad=True)
    logits = model(tokens, probe)
    loss = nn.functional.cross_entropy(logits, labels)
    signal, *gradients = torch.autograd.grad(loss, [probe, *named.values()])
    return [
        *_first_step("states", states.unbind(1)),
        *nonfinite_tensors([("logits", logits), ("loss", loss)]),
        *_first_step("dL/dh", signal.unbind(1), back=True),
        *nonfinite_tensors(zip([f"gradient of {name}" for name in named], gradients, strict=True)),
    ]


def _first_step(name: str, steps: tuple[Tensor, ...], *, back: bool = False) -> list[NonFinite]:
    """Find the first step that holds inf or NaN, or the last one: there a pass back meets it."""
    bad = [t for t, values in enumerate(steps) if not values.isfinite().all()]
    if not bad:
        return []
    step = bad[-1 if back else 0]
    (entry,) = nonfinite_tensors([(name, steps[step])])
    return [NonFinite(name, entry.index, entry.value, step)]
