"""What a GRU keeps: its gates, and the four ways a state feeds the next.

In the letters of `networks.gru`, h_t = (1 - z) * n + z * h_{t-1} with s = h_{t-1} U_n^T + b_hn,
and h_{t-1} acts on h_t along four ways. With D(v) the diagonal matrix of v,

    dh_t/dh_{t-1} = D(z)                                  kept as it is
                  + D((h_{t-1} - n) z (1 - z)) U_z        by way of the update gate
                  + D((1 - z)(1 - n^2) r) U_n             by way of the candidate
                  + D((1 - z)(1 - n^2) s r (1 - r)) U_r   by way of the reset gate

Only the first has no weight matrix in it, and it alone remains when z is near 1.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from helpers.networks import Classifier
from helpers.networks.gru import GRU, forward
from helpers.task import flip
from helpers.validation import Array


class Gates(NamedTuple):
    """r_t, z_t and the candidate n_t of every step; each has the shape of the output."""

    reset: Tensor
    update: Tensor
    candidate: Tensor


def gate_values(layer: GRU, input: Tensor) -> Gates:
    """Return what a layer's gates are at every step of its forward pass, without a graph.

    input: (batch, steps, input). z near 1 at a word: the state from before it is kept.
    """
    x = input.detach().transpose(0, 1).numpy()
    _, gates = forward(x, *(each.detach().numpy() for each in layer.parameters()))
    _, *rzn = torch.from_numpy(gates).unbind(1)
    return Gates(*(gate.transpose(0, 1) for gate in rzn))


class JacobianTerms(NamedTuple):
    """The four terms of each dh_t/dh_{t-1}, (steps, hidden, hidden) each; they add up to it."""

    kept: Array
    update: Array
    candidate: Array
    reset: Array


def jacobian_terms(
    inputs: Array, weight_ih: Array, weight_hh: Array, bias_ih: Array, bias_hh: Array
) -> JacobianTerms:
    """Return the four terms of every step's Jacobian, for one sentence, in float64.

    inputs: (steps, input), from h_0 = 0; weights and biases as helpers.networks.gru.forward
    takes them. Entry [t] of each term belongs to the step that reads inputs[t].
    """
    x = np.asarray(inputs, float)[:, None]
    given = (weight_ih, weight_hh, bias_ih, bias_hh)
    states, gates = forward(x, *(np.asarray(each, float) for each in given))
    h = states[:-1, 0]
    s, r, z, n = gates[:, :, 0].swapaxes(0, 1)
    u_r, u_z, u_n = np.split(weight_hh, 3)
    by_n = (1 - z) * (1 - n) * (1 + n)
    return JacobianTerms(
        kept=z[:, :, None] * np.eye(z.shape[1]),
        update=update_term(h, n, z, u_z),
        candidate=(by_n * r)[:, :, None] * u_n,
        reset=(by_n * s * r * (1 - r))[:, :, None] * u_r,
    )


def way_sizes(terms: JacobianTerms) -> dict[str, Array]:
    """Return for each way the factor by which a vector of random direction passes it.

    terms: as `jacobian_terms` gives them. Each entry is (steps,): the term's Frobenius norm
    over the root of the hidden size. The four do not add up to the whole Jacobian's.
    """
    root = terms.kept.shape[-1] ** 0.5
    return {way: np.linalg.norm(term, axis=(1, 2)) / root for way, term in terms._asdict().items()}


def written(model: Classifier, tokens: Tensor, subject: int, units: int = 5) -> Array:
    """Return how much a GRU's gate writes at each word, 1 - z, in the units that matter.

    model: a classifier around a GRU. tokens: (1, steps), one sentence; subject: where its
    subject stands. units: how many to average over, those through which its number moves
    the verb most. Returns (steps,), between 0 and 1.
    """
    other, _ = flip(tokens, subject)
    z = gate_values(model.layer, model.embedding(tokens)).update[0]
    with torch.no_grad():
        change = (model.states(tokens) - model.states(other))[0, -1]
        weight = model.readout.weight[0] - model.readout.weight[1]
        chosen = (change * weight).abs().topk(units).indices
    return (1 - z[:, chosen]).mean(dim=1).numpy()


def update_term(h: Array, n: Array, z: Array, W_z: Array) -> Array:
    """Return the update gate's way back, D((h - n) z (1 - z)) W_z, (..., hidden, hidden).

    h: the state before the step, n: its candidate, z: its update gate, (..., hidden) each;
    W_z (hidden, hidden).
    """
    return ((h - n) * z * (1 - z))[..., None] * W_z
