"""The recurrent network by hand: forward pass and back-propagation through time (BPTT).

The forward pass, in the row form of PyTorch (a row per sentence of the batch):

    a_t = x_t W_ih^T + b_ih + b_hh + h_{t-1} W_hh^T        (batch, hidden)
    h_t = phi(a_t) + probe_t                               (batch, hidden)

with phi = tanh, relu or the identity ("linear"). The probe is there because
dL/dprobe_t = dL/dh_t.

The backward pass. A loss L may read every h_t directly; call that part g_t. Beyond it
h_t acts on L only through a_{t+1}, so the chain rule gives, from the last step back,

    dL/dh_t = g_t + delta_{t+1} W_hh                       (total derivative)
    delta_t = dL/da_t = dL/dh_t * phi'(a_t)

and, since x_t, the weights and the biases act on L only through the a_t,

    dL/dW_hh = sum_t delta_t^T h_{t-1}      dL/dx_t = delta_t W_ih
    dL/dW_ih = sum_t delta_t^T x_t          dL/dh_0 = delta_1 W_hh
    dL/db_ih = dL/db_hh = sum_t (delta_t summed over the batch)

phi' needs no a_t: tanh' = 1 - phi^2, relu' = 0 where phi <= 0 and 1 elsewhere.

Sources: Werbos 1990, "Backpropagation through time: what it does and how to do it";
Pascanu, Mikolov & Bengio 2013, "On the difficulty of training recurrent
neural networks", equations 3 to 5, whose product of Jacobians is the repeated
"* phi'(a_t), then W_hh" of the recursion above.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import numpy as np

from helpers.networks.layer import (
    Gradients,
    RecurrentLayer,
    all_finite,
    chunk_length,
    flush_subnormal,
)
from helpers.validation import Array, choice

ZERO = np.zeros((), dtype=np.float32)


def _relu(a: Array, out: Array) -> None:
    np.maximum(a, ZERO, out=out)


def _linear(a: Array, out: Array) -> None:
    """phi(a) = a is in place already: `forward` gives `a` itself as `out`."""


PHI: dict[str, Callable[..., object]] = {"tanh": np.tanh, "relu": _relu, "linear": _linear}


def _write_slope(nonlinearity: str, phi: Array, out: Array) -> None:
    """Write phi' as a function of phi."""
    if nonlinearity == "linear":
        out.fill(1)
        return
    if nonlinearity == "tanh":
        np.multiply(phi, phi, out=out)
    else:
        np.less_equal(phi, 0, out=out, casting="unsafe")
    np.subtract(1, out, out=out)


def rnn_step(x: Array, h: Array, W: Array, U: Array, b: Array) -> Array:
    """Return the state (hidden,) after one word: tanh(W h + U x + b).

    x: (input,). h: (hidden,), the state before. W: (hidden, hidden). U: (hidden, input).
    b: (hidden,). The plainest form, one sentence at a time, that `forward` is measured against.
    """
    return np.tanh(W @ h + U @ x + b)


def forward(
    inputs: Array,
    weight_ih: Array,
    weight_hh: Array,
    bias_ih: Array,
    bias_hh: Array,
    h0: Array | None = None,
    *,
    nonlinearity: str = "tanh",
    probe: Array | None = None,
) -> Array:
    """Return the states h_0, h_1 ... h_T of the network, (steps + 1, batch, hidden).

    inputs: (steps, batch, input); weight_ih (hidden, input); weight_hh (hidden,
    hidden); bias_ih, bias_hh (hidden,); h0 (batch, hidden), None for zeros; probe
    (steps, batch, hidden), added to h_1 ... h_T, None for zeros. All float32 or all
    float64. inf and NaN go through to the states; so does overflow.
    """
    phi = PHI[nonlinearity]
    steps, batch, _ = inputs.shape
    hidden, dtype = len(weight_hh), weight_hh.dtype
    states = np.empty((steps + 1, batch, hidden), dtype)
    states[0] = 0 if h0 is None else h0
    bias = np.full((batch, hidden), bias_ih + bias_hh)
    recurrent = np.ascontiguousarray(weight_hh.T)
    product = np.empty((batch, hidden), dtype)
    chunk = chunk_length(batch, hidden)
    add, h = np.add, states[0]
    with np.errstate(all="ignore"):
        for start in range(0, steps, chunk):
            x = np.ascontiguousarray(inputs[start : start + chunk])
            a = states[1 + start : 1 + start + chunk]
            np.dot(_rows(x), weight_ih.T, out=_rows(a))
            a += bias
            for t, a_t in enumerate(a, start):
                h.dot(recurrent, product)
                add(a_t, product, a_t)
                phi(a_t, a_t)
                if probe is not None:
                    add(a_t, probe[t], a_t)
                h = a_t
    return states


def backward(
    grad_states: Array,
    inputs: Array,
    states: Array,
    weight_ih: Array,
    weight_hh: Array,
    *,
    grad_last: Array | None = None,
    nonlinearity: str = "tanh",
    probe: Array | None = None,
    wanted: Collection[str] = Gradients._fields,
) -> Gradients:
    """Return the gradients of a loss by everything it depends on.

    grad_states: (steps, batch, hidden), g_t, the direct part of dL/dh_t for
    t = 1 ... T; grad_last (batch, hidden), more of it for h_T, None for none.
    inputs, weight_ih, weight_hh, nonlinearity, probe: as given to `forward`; states:
    what it returned. wanted: names of the gradients to compute.
    What falls below the dtype's smallest normal number (1.2e-38 in float32, 2.2e-308 in
    float64) becomes 0: it would slow the processor, and a signal that is 0 everywhere lets
    whole chunks of steps be skipped.
    """
    steps, batch, size = inputs.shape
    hidden, dtype = len(weight_hh), weight_hh.dtype

    def result(name: str, *shape: int) -> Array | None:
        return np.zeros(shape, dtype) if name in wanted else None

    d_inputs = result("inputs", steps, batch, size)
    d_weight_ih = result("weight_ih", hidden, size)
    d_weight_hh = result("weight_hh", hidden, hidden)
    d_bias = np.zeros(hidden, dtype)
    d_states = result("states", steps, batch, hidden)

    chunk = chunk_length(batch, hidden)
    delta_chunk = np.empty((chunk, batch, hidden), dtype)
    ones = np.ones(chunk * batch, dtype)
    add, multiply = np.add, np.multiply
    # signal: what arrives at h_t from later steps; with the direct part it is dL/dh_t
    signal = np.full((batch, hidden), 0 if grad_last is None else grad_last, dtype)
    with np.errstate(all="ignore"), flush_subnormal():
        for stop in range(steps, 0, -chunk):
            start = max(0, stop - chunk)
            direct, x, h_before = (each[start:stop] for each in (grad_states, inputs, states))
            loss_reads = direct.any()
            if not loss_reads and not signal.any() and all_finite(x) and all_finite(h_before):
                continue
            phi = states[start + 1 : stop + 1]
            if probe is not None:
                phi = phi - probe[start:stop]
            delta = delta_chunk[: stop - start]
            _write_slope(nonlinearity, phi, delta)
            for t in reversed(range(stop - start)):
                if loss_reads:
                    add(signal, direct[t], signal)
                if d_states is not None:
                    d_states[start + t] = signal
                delta_t = delta[t]
                multiply(delta_t, signal, delta_t)
                delta_t.dot(weight_hh, signal)
            rows = _rows(delta)
            if d_weight_ih is not None:
                d_weight_ih += np.dot(rows.T, _rows(np.ascontiguousarray(x)))
            if d_weight_hh is not None:
                d_weight_hh += np.dot(rows.T, _rows(h_before))
            if "bias_ih" in wanted or "bias_hh" in wanted:
                d_bias += np.dot(ones[: len(rows)], rows)
            if d_inputs is not None:
                np.dot(rows, weight_ih, out=_rows(d_inputs[start:stop]))
    return Gradients(
        d_inputs,
        signal if "h0" in wanted else None,
        d_states,
        d_weight_ih,
        d_weight_hh,
        d_bias if "bias_ih" in wanted else None,
        d_bias.copy() if "bias_hh" in wanted else None,
    )


def _rows(sequence: Array) -> Array:
    """View (steps, batch, features) as one matrix, (steps * batch, features)."""
    return sequence.reshape(-1, sequence.shape[-1])


class RNN(RecurrentLayer):
    """One-layer RNN on the CPU, equal to torch.nn.RNN(..., batch_first=True) and faster.

    input_size, hidden_size: features of one input x_t and of one state h_t.
    nonlinearity: "tanh", "relu", or "linear", which torch.nn.RNN lacks.
    The call and the probe: `RecurrentLayer.forward`; the mathematics: this module's head.
    Raises ValueError if a size is below 1 or the nonlinearity is unknown.
    """

    def __init__(self, input_size: int, hidden_size: int, *, nonlinearity: str = "tanh") -> None:
        super().__init__(input_size, hidden_size)
        self.nonlinearity = choice("nonlinearity", nonlinearity, PHI)

    def propagate(self, *given: Any, probe: Array | None) -> tuple[Array, ...]:
        return (forward(*given, nonlinearity=self.nonlinearity, probe=probe),)

    def backpropagate(self, *given: Any, **options: Any) -> Gradients:
        return backward(*given, nonlinearity=self.nonlinearity, **options)

    def extra_repr(self) -> str:
        kind = "" if self.nonlinearity == "tanh" else f", nonlinearity={self.nonlinearity}"
        return super().extra_repr() + kind
