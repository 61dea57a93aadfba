"""The gated recurrent unit by hand: forward pass and back-propagation through time (BPTT).

The forward pass, in PyTorch's convention and row form (a row per sentence of the
batch). logistic(a) = 1 / (1 + e^-a); W and U are weight_ih's and weight_hh's three
blocks of rows, r then z then n; every array here is (batch, hidden):

    r_t = logistic(x_t W_r^T + b_ir + h_{t-1} U_r^T + b_hr)     reset gate
    z_t = logistic(x_t W_z^T + b_iz + h_{t-1} U_z^T + b_hz)     update gate
    s_t = h_{t-1} U_n^T + b_hn
    n_t = tanh(x_t W_n^T + b_in + r_t * s_t)                    candidate
    h_t = (1 - z_t) * n_t + z_t * h_{t-1} + probe_t

z near 1 keeps the old state. The probe is there because dL/dprobe_t = dL/dh_t.

The backward pass. Write e_t = dL/dh_t for the total derivative and g_t for the part of
it that the loss reads directly. Each derivative by what a gate is a function of, its
pre-activation, is e_t times a factor that the forward pass has already fixed:

    dn_t = e_t * (1 - z)(1 - n^2)                  by n's pre-activation
    ds_t = e_t * (1 - z)(1 - n^2) r                by s
    dr_t = e_t * (1 - z)(1 - n^2) r s (1 - r)      by r's
    dz_t = e_t * (h_{t-1} - n) z (1 - z)           by z's

so that, from the last step back,

    e_{t-1} = g_{t-1} + e_t * z + ds_t U_n + dr_t U_r + dz_t U_z
    dL/dU_n = sum_t ds_t^T h_{t-1}    dL/dU_r, dL/dU_z the same with dr_t, dz_t
    dL/dW_n = sum_t dn_t^T x_t        dL/dW_r, dL/dW_z the same with dr_t, dz_t
    dL/dx_t = dr_t W_r + dz_t W_z + dn_t W_n

and a bias has the sum of its pre-activation's derivatives (b_hn that of ds_t).

Sources: Cho et al. 2014, "Learning phrase representations using RNN encoder-decoder",
section 2.3, for the unit; PyTorch's documentation of torch.nn.GRU for the convention,
which resets after the matrix product (see helpers.networks.conventions).
"""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import Any

import numpy as np
import torch

from helpers.networks.conventions import OPEN
from helpers.networks.layer import (
    Gradients,
    RecurrentLayer,
    all_finite,
    chunk_length,
    flush_subnormal,
)
from helpers.validation import Array

HALF = np.full((), 0.5, dtype=np.float32)


def forward(
    inputs: Array,
    weight_ih: Array,
    weight_hh: Array,
    bias_ih: Array,
    bias_hh: Array,
    h0: Array | None = None,
    *,
    probe: Array | None = None,
) -> tuple[Array, Array]:
    """Return the states h_0, h_1 ... h_T, (steps + 1, batch, hidden), and what the gates were.

    inputs: (steps, batch, input); weight_ih (3 hidden, input), weight_hh (3 hidden,
    hidden), bias_ih, bias_hh (3 hidden,), rows for r, z, n; h0 (batch, hidden), None for
    zeros; probe (steps, batch, hidden), added to h_1 ... h_T, None for zeros. All float32
    or all float64. inf and NaN go through to the states.
    The gates are (steps, 4, batch, hidden): s, r, z, n of each step, in this order.
    """
    steps, batch, _ = inputs.shape
    hidden, dtype = weight_hh.shape[1], weight_hh.dtype

    # Inside, a step's state is (hidden, batch) and its gates (4 * hidden, batch): then
    # any run of gates is one block of memory. In the order s, r, z, n those that U
    # feeds come first and those that W feeds come last.
    states = np.empty((steps + 1, hidden, batch), dtype)
    states[0] = 0 if h0 is None else h0.T
    gates = np.empty((steps, 4 * hidden, batch), dtype)
    # logistic(a) = (1 + tanh(a / 2)) / 2: with their rows halved, r and z are one tanh
    halved = np.repeat(np.array([0.5, 0.5, 1], dtype), hidden)[:, None]
    from_x = weight_ih * halved
    from_h = _n_first(weight_hh * halved)
    bias = np.concatenate([bias_hh[2 * hidden :], bias_ih])
    bias[hidden : 3 * hidden] += bias_hh[: 2 * hidden]
    bias[hidden:] *= halved[:, 0]
    bias = np.repeat(bias[:, None], batch, axis=1)
    product = np.empty((3 * hidden, batch), dtype)
    change = np.empty((hidden, batch), dtype)
    chunk = chunk_length(batch, 3 * hidden)
    add, subtract, multiply, tanh, h = np.add, np.subtract, np.multiply, np.tanh, states[0]
    with np.errstate(all="ignore"):
        for start in range(0, steps, chunk):
            a = gates[start : start + chunk]
            np.matmul(from_x, inputs[start : start + chunk].swapaxes(1, 2), out=a[:, hidden:])
            a[:, :hidden] = bias[:hidden]
            a[:, hidden:] += bias[hidden:]
            srz, rz = a[:, : 3 * hidden], a[:, hidden : 3 * hidden]
            after = states[start + 1 : start + 1 + chunk]
            by_gate = a.reshape(-1, 4, hidden, batch).swapaxes(0, 1)
            each_step = zip(srz, rz, *by_gate, after, strict=True)
            for t, (srz_t, rz_t, s_t, r_t, z_t, n_t, h_t) in enumerate(each_step, start):
                from_h.dot(h, product)
                add(srz_t, product, srz_t)
                tanh(rz_t, rz_t)
                multiply(rz_t, HALF, rz_t)
                add(rz_t, HALF, rz_t)
                multiply(r_t, s_t, change)
                add(n_t, change, n_t)
                tanh(n_t, n_t)
                subtract(h, n_t, change)
                multiply(z_t, change, change)
                add(n_t, change, h_t)
                if probe is not None:
                    add(h_t, probe[t].T, h_t)
                h = h_t
    return states.swapaxes(1, 2), gates.reshape(steps, 4, hidden, batch).swapaxes(2, 3)


def backward(
    grad_states: Array,
    inputs: Array,
    states: Array,
    gates: Array,
    weight_ih: Array,
    weight_hh: Array,
    *,
    grad_last: Array | None = None,
    wanted: Collection[str] = Gradients._fields,
) -> Gradients:
    """Return the gradients of a loss by everything it depends on.

    grad_states: (steps, batch, hidden), g_t, the direct part of dL/dh_t for
    t = 1 ... T; grad_last (batch, hidden), more of it for h_T, None for none.
    inputs, weight_ih, weight_hh: as given to `forward`; states, gates: what it returned.
    wanted: names of the gradients to compute.
    A signal below the dtype's smallest normal number becomes 0, as in `rnn.backward`.
    """
    steps, batch, size = inputs.shape
    hidden, dtype = weight_hh.shape[1], weight_hh.dtype

    def result(name: str, *shape: int) -> Array | None:
        return np.zeros(shape, dtype) if name in wanted else None

    d_inputs = result("inputs", steps, batch, size)
    d_weight_ih = result("weight_ih", 3 * hidden, size)
    d_weight_hh = result("weight_hh", 3 * hidden, hidden)  # rows n, r, z until the end
    d_bias = np.zeros(4 * hidden, dtype)
    weights_wanted = set(wanted) - {"states", "h0"}
    d_states = result("states", steps, hidden, batch)

    # The layout of `forward`. Of each step: e z, which is kept, and ds, dr, dz, dn.
    chunk = chunk_length(batch, 3 * hidden)
    direct_chunk = np.empty((chunk, hidden, batch), dtype)
    factor_chunk = np.empty((chunk, 5, hidden, batch), dtype)
    ones = np.ones(chunk * batch, dtype)
    to_h = np.ascontiguousarray(_n_first(weight_hh).T)
    add, multiply = np.add, np.multiply
    # signal: what arrives at h_t from later steps; with the direct part it is e_t
    signal = np.zeros((hidden, batch), dtype)
    if grad_last is not None:
        signal[...] = grad_last.T
    with np.errstate(all="ignore"), flush_subnormal():
        for stop in range(steps, 0, -chunk):
            start = max(0, stop - chunk)
            direct, x, h_before = (each[start:stop] for each in (grad_states, inputs, states))
            loss_reads = direct.any()
            if not loss_reads and not signal.any() and all_finite(x) and all_finite(h_before):
                continue
            length = stop - start
            if loss_reads:
                direct_chunk[:length] = direct.swapaxes(1, 2)
            h_before = h_before.swapaxes(1, 2)
            factors = factor_chunk[:length]
            _write_factors(factors, gates[start:stop].swapaxes(2, 3), h_before)
            srz = factors[:, 1:4].reshape(length, 3 * hidden, batch)
            for t in reversed(range(length)):
                if loss_reads:
                    add(signal, direct_chunk[t], signal)
                if d_states is not None:
                    d_states[start + t] = signal
                all_t = factors[t]
                multiply(all_t, signal, all_t)
                to_h.dot(srz[t], signal)
                add(signal, all_t[0], signal)
            if not weights_wanted:
                continue
            columns = _columns(factors[:, 1:].reshape(length, 4 * hidden, batch))
            if d_weight_ih is not None:
                d_weight_ih += np.dot(columns[hidden:], x.reshape(-1, size))
            if d_weight_hh is not None:
                d_weight_hh += np.dot(columns[: 3 * hidden], _columns(h_before).T)
            if "bias_ih" in wanted or "bias_hh" in wanted:
                d_bias += np.dot(columns, ones[: columns.shape[1]])
            if d_inputs is not None:
                d_x = np.dot(columns[hidden:].T, weight_ih)
                d_inputs[start:stop] = d_x.reshape(x.shape)
    return Gradients(
        d_inputs,
        signal.T if "h0" in wanted else None,
        None if d_states is None else d_states.swapaxes(1, 2),
        d_weight_ih,
        None if d_weight_hh is None else _n_last(d_weight_hh),
        d_bias[hidden:].copy() if "bias_ih" in wanted else None,
        _n_last(d_bias[: 3 * hidden]) if "bias_hh" in wanted else None,
    )


def _n_first(rows: Array) -> Array:
    """Rows for r, z, n in the order n, r, z."""
    hidden = len(rows) // 3
    return np.concatenate([rows[2 * hidden :], rows[: 2 * hidden]])


def _n_last(rows: Array) -> Array:
    """Rows for n, r, z in the order r, z, n."""
    hidden = len(rows) // 3
    return np.concatenate([rows[hidden:], rows[:hidden]])


def _write_factors(factors: Array, gates: Array, h_before: Array) -> None:
    """Write what e is multiplied by to give e z, ds, dr, dz, dn: (steps, 5, hidden, batch).

    gates: (steps, 4, hidden, batch); h_before: (steps, hidden, batch).
    """
    s, r, z, n = np.ascontiguousarray(gates.swapaxes(0, 1))  # whole arrays are quicker than slices
    writes = 1 - z
    dn = writes * (1 - n * n)
    ds = dn * r
    dr = ds * s * (1 - r)
    dz = (h_before - n) * z * writes
    np.stack((z, ds, dr, dz, dn), axis=1, out=factors)


def _columns(sequence: Array) -> Array:
    """Copy (steps, features, batch) to one matrix, (features, steps * batch)."""
    return sequence.swapaxes(0, 1).reshape(sequence.shape[1], -1)


class GRU(RecurrentLayer):
    """One-layer GRU on the CPU, equal to torch.nn.GRU(..., batch_first=True) and faster.

    input_size, hidden_size: features of one input x_t and of one state h_t.
    The call and the probe: `RecurrentLayer.forward`; the mathematics: this module's head.
    Raises ValueError if a size is below 1.
    """

    gates = 3

    def propagate(self, *given: Any, probe: Array | None) -> tuple[Array, ...]:
        return forward(*given, probe=probe)

    def backpropagate(self, *given: Any, probe: Array | None, **options: Any) -> Gradients:
        return backward(*given, **options)


def bias_for_span(span: float) -> float:
    """Return the update gate's bias for a memory of about `span` steps: log(span - 1).

    Where word and state add nothing z is then 1 - 1/span, and of a state 1/e is left after
    about span steps. Raises ValueError if span is below 2.
    Source: Tallec & Ollivier 2018, "Can recurrent neural networks warp time?", section 2.
    """
    if not span >= 2:
        raise ValueError(f"span must be 2 or more; got {span!r}")
    return math.log(span - 1)


def hold_gates(layer: GRU, span: float | None = None) -> None:
    """Keep the gates of a one-layer GRU from learning, in place; the candidate still learns.

    span: None leaves reset and update gate as they were drawn. A number makes them constants
    that no word and no state moves: r = 1 and z = 1 - 1/span.
    Raises ValueError if span is below 2.
    """
    rows = 2 * layer.hidden_size
    if span is not None:
        bias = bias_for_span(span)
        with torch.no_grad():
            for parameter in layer.parameters():
                parameter[:rows] = 0
            layer.bias_hh_l0[: layer.hidden_size] = OPEN
            layer.bias_hh_l0[layer.hidden_size : rows] = bias
    for parameter in layer.parameters():
        parameter.register_hook(lambda grad: torch.cat([0 * grad[:rows], grad[rows:]]))
