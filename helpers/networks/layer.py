"""What every recurrent layer written by hand shares: parameters, checks of a call, layout.

A layer's mathematics works on NumPy arrays in PyTorch's own layout without
batch_first, (steps, batch, features): one step's states are then one block of memory,
and all steps together are one matrix (steps * batch, features), so that a weight's
gradient is a single matrix product.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from helpers.validation import Array, integer

CHUNK_ENTRIES = 1 << 16  # of one array; a handful of float32 arrays then fit a core's cache
CHUNK_STEPS = 64


def chunk_length(batch: int, hidden: int) -> int:
    """Steps to work on at a time, so that their states stay in a core's cache."""
    return max(1, min(CHUNK_STEPS, CHUNK_ENTRIES // max(1, batch * hidden)))


class Gradients(NamedTuple):
    """Gradients of a loss; those that were not asked for are None.

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
    """Puts a layer's `propagate` and `backpropagate` into PyTorch's graph."""

    @staticmethod
    def forward(ctx, layer, inputs, h0, probe, *parameters):
        inputs = inputs.contiguous()
        if probe is not None and not _array(probe).any():
            probe = None
        arrays = map(_array, (inputs, h0, probe, *parameters))
        kept = [torch.from_numpy(array) for array in layer.propagate(*arrays)]
        ctx.layer = layer
        ctx.save_for_backward(inputs, probe, *parameters, *kept)
        ctx.set_materialize_grads(False)
        states = kept[0]
        return states[1:], states[-1].clone(memory_format=torch.contiguous_format)

    @staticmethod
    def backward(ctx, grad_output, grad_last):
        if torch.is_grad_enabled():
            raise RuntimeError(
                "layers written by hand give first derivatives only: leave out "
                "create_graph=True, or use PyTorch's own layer for second ones"
            )
        inputs, probe, *rest = map(_array, ctx.saved_tensors)
        parameters, kept = rest[:4], rest[4:]
        if grad_output is None:
            states = kept[0][1:]
            grad_states = np.broadcast_to(states.dtype.type(0), states.shape)
        else:
            grad_states = _array(grad_output)
        # autograd's arguments after the layer stand in the order of Gradients
        needs = ctx.needs_input_grad[1:]
        wanted = {name for name, need in zip(Gradients._fields, needs, strict=True) if need}
        gradients = ctx.layer.backpropagate(
            grad_states, _array(grad_last), inputs, probe, parameters, kept, wanted
        )
        return None, *(None if found is None else torch.from_numpy(found) for found in gradients)


def _array(tensor: Tensor | None) -> Array | None:
    """The tensor's own memory as an array."""
    return None if tensor is None else tensor.detach().numpy()


class RecurrentLayer(nn.Module):
    """One recurrent layer on CPU with the parameters and the call of PyTorch's layers.

    input_size, hidden_size: features of one input x_t and of one state h_t.
    batch_first: whether input and output are (batch, steps, features).
    num_layers, bias, dropout, bidirectional: PyTorch's, with the one value that each can
    have here. device: None or the CPU. dtype: float32 or float64, None for PyTorch's default.
    Parameters are weight_ih_l0 (gates * hidden, input), weight_hh_l0 (gates * hidden,
    hidden), bias_ih_l0 and bias_hh_l0 (gates * hidden,), drawn as PyTorch draws them.
    A subclass sets `gates` and writes `propagate` and `backpropagate`, in NumPy.
    Raises ValueError if a size is below 1, or something is asked for that is not here.
    """

    gates = 1

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        *,
        bias: bool = True,
        batch_first: bool = True,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        self.num_layers = _only("num_layers", num_layers, 1)
        self.bias = _only("bias", bias, True)
        self.dropout = _only("dropout", dropout, 0.0)
        self.bidirectional = _only("bidirectional", bidirectional, False)
        _only("device", torch.device(device or "cpu").type, "cpu")
        dtype = dtype or torch.get_default_dtype()
        if dtype not in (torch.float32, torch.float64):
            raise ValueError(f"dtype must be float32 or float64; got {dtype}")
        self.input_size = integer("input_size", input_size, minimum=1)
        self.hidden_size = integer("hidden_size", hidden_size, minimum=1)
        self.batch_first = batch_first
        rows = self.gates * self.hidden_size
        self.weight_ih_l0 = nn.Parameter(torch.empty(rows, self.input_size, dtype=dtype))
        self.weight_hh_l0 = nn.Parameter(torch.empty(rows, self.hidden_size, dtype=dtype))
        self.bias_ih_l0 = nn.Parameter(torch.empty(rows, dtype=dtype))
        self.bias_hh_l0 = nn.Parameter(torch.empty(rows, dtype=dtype))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw every parameter from U(-1/sqrt(hidden), 1/sqrt(hidden)), PyTorch's default."""
        bound = 1 / math.sqrt(self.hidden_size)
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -bound, bound)

    def flatten_parameters(self) -> None:
        """Do nothing: there for code that calls it on PyTorch's layers, for the GPU's sake."""

    def extra_repr(self) -> str:
        first = ", batch_first=True" if self.batch_first else ""
        return f"{self.input_size}, {self.hidden_size}{first}"

    def propagate(
        self, inputs: Array, h0: Array | None, probe: Array | None, *parameters: Array
    ) -> tuple[Array, ...]:
        """States h_0 ... h_T (steps + 1, batch, hidden), then all else `backpropagate` needs.

        inputs (steps, batch, input); h0 (batch, hidden), probe (steps, batch, hidden),
        None for zeros; parameters in the order of the class docstring.
        """
        raise NotImplementedError

    def backpropagate(
        self,
        grad_states: Array,
        grad_last: Array | None,
        inputs: Array,
        probe: Array | None,
        parameters: Sequence[Array],
        kept: Sequence[Array],
        wanted: Collection[str],
    ) -> Gradients:
        """The gradients named in wanted.

        grad_states (steps, batch, hidden): the loss's direct derivative by the states;
        grad_last (batch, hidden): more of it for h_T, None for none; kept: what
        `propagate` returned; inputs, probe, parameters: what it was given.
        """
        raise NotImplementedError

    def forward(
        self, input: Tensor, hx: Tensor | None = None, *, probe: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Output, the states h_1 ... h_T, and h_n, the last of them.

        input: (batch, steps, input_size), or (steps, batch, input_size) without
        batch_first, or (steps, input_size) for a single sentence.
        hx: h_0, (1, batch, hidden_size), or (1, hidden_size) for a single sentence;
        None stands for zeros.
        probe: of output's shape, added to the states: h_t = (what the layer gives) +
        probe_t, and h_t goes on to the next step and to the output. With zeros that
        require a gradient, probe.grad[t] is the total derivative dL/dh_t, through
        every later step as well, which output.grad is not.
        Returns output, shaped as input but with hidden_size features, and h_n, shaped
        as hx.
        Raises ValueError if a shape, a dtype or a device does not fit, or if a
        parameter holds inf or NaN.
        """
        inputs, h0, probe = self.arranged(input, hx, probe)
        parameters = (self.weight_ih_l0, self.weight_hh_l0, self.bias_ih_l0, self.bias_hh_l0)
        states, last = Recurrence.apply(self, inputs, h0, probe, *parameters)
        return self.as_output(states, input), last if input.dim() == 2 else last.unsqueeze(0)

    def arranged(
        self, input: Tensor, hx: Tensor | None, probe: Tensor | None
    ) -> tuple[Tensor, Tensor | None, Tensor | None]:
        """Inputs, h_0 and probe, checked, as `propagate` takes them."""
        batched = self._check_input(input)
        inputs = self._steps_first(input, batched)
        steps, batch, _ = inputs.shape
        if steps == 0:
            raise ValueError(f"input must hold at least one step; got {tuple(input.shape)}")
        if hx is not None:
            state_shape = (1, batch, self.hidden_size) if batched else (1, self.hidden_size)
            _check_like("hx", hx, state_shape, input)
            hx = hx.reshape(batch, self.hidden_size)
        if probe is not None:
            _check_like("probe", probe, (*input.shape[:-1], self.hidden_size), input)
            probe = self._steps_first(probe, batched)
        return inputs, hx, probe

    def as_output(self, sequence: Tensor, input: Tensor) -> Tensor:
        """View (steps, batch, features) as the output for this input."""
        if input.dim() == 2:
            return sequence.squeeze(1)
        return sequence.transpose(0, 1) if self.batch_first else sequence

    def _steps_first(self, tensor: Tensor, batched: bool) -> Tensor:
        """View of a sequence as (steps, batch, features)."""
        if not batched:
            return tensor.unsqueeze(1)
        return tensor.transpose(0, 1) if self.batch_first else tensor

    def _check_input(self, input: Tensor) -> bool:
        """Whether input is batched; raises ValueError if it does not fit the layer."""
        if not isinstance(input, Tensor):
            raise ValueError(f"input must be a torch.Tensor; got {type(input).__name__}")
        if input.dim() not in (2, 3) or input.shape[-1] != self.input_size:
            order = "batch, steps" if self.batch_first else "steps, batch"
            raise ValueError(
                f"input must have shape ({order}, {self.input_size}) or "
                f"(steps, {self.input_size}); got {tuple(input.shape)}"
            )
        if input.device.type != "cpu":
            raise ValueError(f"input must be on the CPU; got {input.device}")
        if input.dtype not in (torch.float32, torch.float64):
            raise ValueError(f"input must be float32 or float64; got {input.dtype}")
        dtype = self.weight_ih_l0.dtype
        if input.dtype != dtype:
            raise ValueError(
                f"mixed dtypes: input is {input.dtype}, the layer's parameters are {dtype}; "
                f"use input.to({dtype}) or layer.to({input.dtype})"
            )
        return input.dim() == 3


def one_layer(layer: nn.Module) -> None:
    """Raise ValueError unless a recurrent layer has one layer, one direction and biases."""
    names = {name for name, _ in layer.named_parameters()}
    if names != {"weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"}:
        raise ValueError("layer must have one layer, one direction and biases")


def _only(name: str, value: Any, possible: Any) -> Any:
    if value != possible:
        raise ValueError(
            f"{name} must be {possible!r}: layers written by hand are one layer, in one "
            f"direction, with biases, on the CPU; got {value!r}"
        )
    return possible


def _check_like(name: str, tensor: Tensor, shape: tuple[int, ...], input: Tensor) -> None:
    """Raise ValueError unless tensor has this shape, and input's dtype and device."""
    if not isinstance(tensor, Tensor):
        raise ValueError(f"{name} must be a torch.Tensor; got {type(tensor).__name__}")
    if tensor.shape != shape:
        raise ValueError(f"{name} must have shape {shape}; got {tuple(tensor.shape)}")
    if tensor.dtype != input.dtype:
        raise ValueError(f"mixed dtypes: input is {input.dtype}, {name} is {tensor.dtype}")
    if tensor.device != input.device:
        raise ValueError(f"{name} must be on {input.device}; got {tensor.device}")
