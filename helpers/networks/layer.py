"""What the recurrent layers written by hand share: parameters, the call, memory layout.

These layers are kernels for this course: one layer, in one direction, with biases, batch
first, on the CPU. Their mathematics works on NumPy arrays with the steps first, (steps, batch,
features): one step's states are then one block of memory, and all steps together are one
matrix (steps * batch, features), so that a weight's gradient is a single matrix product.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from helpers.validation import Array, finite_number, integer

CHUNK_ENTRIES = 1 << 16  # of one array; a handful of float32 arrays then fit a core's cache
CHUNK_STEPS = 64


def chunk_length(batch: int, hidden: int) -> int:
    """Return how many steps to work on at a time, so that they stay in a core's cache."""
    return max(1, min(CHUNK_STEPS, CHUNK_ENTRIES // (batch * hidden)))


def all_finite(array: Array) -> bool:
    return bool(np.isfinite(array).all())


@contextmanager
def flush_subnormal() -> Iterator[None]:
    """Let this thread take numbers below the dtype's smallest normal one as 0, here inside.

    A processor takes a hundred times longer over a product with such a number.
    """
    before = np.float32(1e-38) * np.float32(0.1) == 0
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(bool(before))


class Gradients(NamedTuple):
    """Gradients of a loss; None are those that were not asked for.

    inputs (steps, batch, input); h0 (batch, hidden); states (steps, batch, hidden), the
    total derivatives dL/dh_1 ... dL/dh_T; weight_ih (gates * hidden, input), weight_hh
    (gates * hidden, hidden), bias_ih and bias_hh (gates * hidden,).
    """

    inputs: Array | None
    h0: Array | None
    states: Array | None
    weight_ih: Array | None
    weight_hh: Array | None
    bias_ih: Array | None
    bias_hh: Array | None


class Recurrence(torch.autograd.Function):
    """Put a layer's `propagate` and `backpropagate` into PyTorch's graph."""

    @staticmethod
    def forward(ctx: Any, layer: RecurrentLayer, *tensors: Any) -> tuple[Tensor, Tensor]:
        inputs, h0, probe, *parameters = tensors
        inputs = inputs.contiguous()
        if probe is not None and not probe.any():
            probe = None
        given = map(_array, (inputs, *parameters, h0))
        kept = [torch.from_numpy(each) for each in layer.propagate(*given, probe=_array(probe))]
        ctx.layer = layer
        ctx.save_for_backward(probe, inputs, *kept, *parameters[:2])
        ctx.set_materialize_grads(False)
        states = kept[0]
        return states[1:], states[-1].clone(memory_format=torch.contiguous_format)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor | None) -> tuple[Tensor | None, ...]:
        if torch.is_grad_enabled():
            raise RuntimeError(
                "layers written by hand give first derivatives only: leave out "
                "create_graph=True, or use PyTorch's own layer for second ones"
            )
        grad_states, grad_last = map(_array, grads)
        probe, inputs, *given = map(_array, ctx.saved_tensors)
        if grad_states is None:
            states = given[0][1:]
            grad_states = np.broadcast_to(states.dtype.type(0), states.shape)
        # autograd's arguments after the layer are in the order of Gradients
        needs = ctx.needs_input_grad[1:]
        wanted = {name for name, need in zip(Gradients._fields, needs, strict=True) if need}
        gradients = ctx.layer.backpropagate(
            grad_states, inputs, *given, grad_last=grad_last, probe=probe, wanted=wanted
        )
        return None, *(None if found is None else torch.from_numpy(found) for found in gradients)


def _array(tensor: Tensor | None) -> Any:
    """The tensor's own memory as an array."""
    return None if tensor is None else tensor.detach().numpy()


class RecurrentLayer(nn.Module):
    """One recurrent layer on the CPU, batch first, with the parameters of PyTorch's layers.

    input_size, hidden_size: features of one input x_t and of one state h_t.
    Parameters are weight_ih_l0 (gates * hidden, input), weight_hh_l0 (gates * hidden,
    hidden), bias_ih_l0 and bias_hh_l0 (gates * hidden,), drawn as PyTorch draws them:
    from U(-1/sqrt(hidden), 1/sqrt(hidden)). `.double()` makes them float64.
    A subclass sets `gates` and writes `propagate` and `backpropagate`, in NumPy.
    Raises ValueError if a size is below 1.
    """

    gates = 1

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.input_size = integer("input_size", input_size, minimum=1)
        self.hidden_size = integer("hidden_size", hidden_size, minimum=1)
        rows = self.gates * self.hidden_size
        self.weight_ih_l0 = nn.Parameter(torch.empty(rows, self.input_size))
        self.weight_hh_l0 = nn.Parameter(torch.empty(rows, self.hidden_size))
        self.bias_ih_l0 = nn.Parameter(torch.empty(rows))
        self.bias_hh_l0 = nn.Parameter(torch.empty(rows))
        bound = 1 / math.sqrt(self.hidden_size)
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -bound, bound)

    def extra_repr(self) -> str:
        return f"{self.input_size}, {self.hidden_size}"

    def propagate(self, *given: Any, probe: Array | None) -> tuple[Array, ...]:
        """Return the states h_0 ... h_T (steps + 1, batch, hidden), and what else backward needs.

        given: inputs (steps, batch, input), the four parameters, h_0 (batch, hidden); probe:
        (steps, batch, hidden). h_0 and probe: None for zeros.
        """
        raise NotImplementedError

    def backpropagate(self, *given: Any, **options: Any) -> Gradients:
        """Return the gradients named in wanted.

        given: grad_states (steps, batch, hidden), the loss's direct derivative by the states;
        inputs; what `propagate` returned; the two weights. options: grad_last (batch, hidden),
        more of it for h_T, None for none; probe; wanted.
        """
        raise NotImplementedError

    def forward(
        self, input: Tensor, hx: Tensor | None = None, *, probe: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return output, the states h_1 ... h_T (batch, steps, hidden), and h_T (1, batch, hidden).

        input: (batch, steps, input). hx: h_0, (1, batch, hidden), None for zeros.
        probe: (batch, steps, hidden), added to each state before it goes on. With zeros that
        require a gradient, probe.grad[:, t] is the total derivative dL/dh_t, through every
        later step as well, which output.grad is not.
        Raises ValueError if a shape or a dtype does not fit.
        """
        x, h0, probe_first = self.steps_first(input, hx, probe)
        parameters = (self.weight_ih_l0, self.weight_hh_l0, self.bias_ih_l0, self.bias_hh_l0)
        states, last = Recurrence.apply(self, x, h0, probe_first, *parameters)
        return states.transpose(0, 1), last[None]

    def steps_first(
        self, input: Tensor, hx: Tensor | None, probe: Tensor | None = None
    ) -> tuple[Tensor, Tensor | None, Tensor | None]:
        """Check a call's arguments; return inputs, h_0 and probe as `propagate` takes them."""
        dtype = self.weight_ih_l0.dtype
        if input.dim() != 3 or input.shape[1] == 0 or input.shape[2] != self.input_size:
            raise ValueError(
                f"input must have shape (batch, steps, {self.input_size}), at least one step; "
                f"got {tuple(input.shape)}"
            )
        batch, steps, _ = input.shape
        given = {
            "input": (input, tuple(input.shape)),
            "hx": (hx, (1, batch, self.hidden_size)),
            "probe": (probe, (batch, steps, self.hidden_size)),
        }
        for name, (tensor, shape) in given.items():
            if tensor is not None and tensor.shape != shape:
                raise ValueError(f"{name} must have shape {shape}; got {tuple(tensor.shape)}")
            if tensor is not None and tensor.dtype != dtype:
                raise ValueError(
                    f"{name} must be {dtype}, as the parameters are; got {tensor.dtype}: "
                    f"use {name}.to({dtype}) or layer.to({tensor.dtype})"
                )
        return (
            input.transpose(0, 1),
            None if hx is None else hx[0],
            None if probe is None else probe.transpose(0, 1),
        )


def set_gate_bias(layer: Any, gate: int, bias: float) -> None:
    """Write a bias for one gate of a GRU or an LSTM of one layer, in place.

    gate: its place in PyTorch's order, r z n or i f g o. PyTorch adds up two biases per
    gate: bias_hh_l0 takes this one, and bias_ih_l0 becomes 0, so that it counts once. With
    log(T - 1) in both, a GRU's span is not T but about T squared.
    Raises ValueError if bias is no finite number.
    """
    value = finite_number("bias", bias)
    rows = slice(gate * layer.hidden_size, (gate + 1) * layer.hidden_size)
    with torch.no_grad():
        layer.bias_hh_l0[rows] = value
        layer.bias_ih_l0[rows] = 0
