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
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from helpers.validation import Array


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


def first_inf(states: Array) -> int | None:
    """Return the first step of states (steps, hidden) that holds inf or -inf, or None.

    NaN does not count.
    """
    steps = np.flatnonzero(np.isinf(states).any(axis=1))
    return int(steps[0]) if len(steps) else None


def first_nonfinite(name: str, values: Array | Tensor) -> NonFinite | None:
    """Find the first step of a forward pass that holds inf or NaN; None if all are finite.

    name: for the answer. values: (steps, ...), array or tensor of any dtype.
    """
    return _first_in(name, _tensor(values), backward=False)


def first_nonfinite_backward(name: str, values: Array | Tensor) -> NonFinite | None:
    """Find the same in a backward pass, which begins at the last step: values is dL/dh_t.

    The answer's step counts from the first word all the same, so `step` of the answer is
    the largest that holds inf or NaN, and a `nan_step` that came later is below it.
    """
    return _first_in(name, _tensor(values), backward=True)


def nonfinite_tensors(named: Iterable[tuple[str, Tensor | None]]) -> tuple[NonFinite, ...]:
    """Find the tensors that hold inf or NaN, with the first such entry of each, in their order.

    named: such as model.named_parameters(), or the names with each one's .grad; None is
    passed over.
    """
    found = []
    for name, values in named:
        if values is not None and not values.isfinite().all():
            index = tuple((~values.isfinite()).nonzero()[0].tolist())
            found.append(NonFinite(name, None, index, values[index].item()))
    return tuple(found)


def find_nonfinite(model: Any, tokens: Tensor, labels: Tensor) -> tuple[NonFinite, ...]:
    """All that is inf or NaN in one forward and backward pass, in the order of computation.

    model: a Classifier of helpers.networks.classifiers, or one with the same `states` and `probe`.
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
        size = getattr(model, "state_size", states.shape[2])
        probe = states.new_zeros((*states.shape[:2], size), requires_grad=True)
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


def _tensor(values: Array | Tensor) -> Tensor:
    """The values as a tensor without a graph; reversed and read-only arrays are copied."""
    return values.detach() if isinstance(values, Tensor) else torch.tensor(np.array(values))


def _first_in(name: str, values: Tensor, *, backward: bool) -> NonFinite | None:
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
