"""The signal where float64 ends, and the same signal by forward mode."""

from __future__ import annotations

import copy

import numpy as np
import torch
from torch import Tensor

from helpers.measure.jacobians import slopes
from helpers.networks import Classifier
from helpers.validation import Array

STEPS_AT_ONCE = 32


def log_signal(model: Classifier, tokens: Tensor) -> Array:
    """Return log10 of `signal`, however small or large it is; -inf where it is exactly 0.

    Over hundreds of words a signal can fall to 10^-680, which float64 rounds to 0. So the way
    back is taken a few steps at a time, and the length divided out.
    model: a Classifier whose layer's state is its output: RNN or GRU, not LSTM.
    tokens: (n, steps). Returns (n, steps), from a copy of the model in float64.
    """
    model = copy.deepcopy(model).double()
    with torch.no_grad():
        x = model.embedding(tokens)
        states, _ = model.layer(x)
        was, were = model.readout.weight
    logs = np.empty(tokens.shape)
    gradient, scale = _unit(torch.broadcast_to(was - were, states[:, -1].shape).detach())
    for stop in range(tokens.shape[1], 0, -STEPS_AT_ONCE):
        start = max(0, stop - STEPS_AT_ONCE)
        before = states[:, start - 1] if start else torch.zeros_like(states[:, 0])
        before = before[None].requires_grad_()
        probe = torch.zeros_like(states[:, start:stop]).requires_grad_()
        output, _ = model.layer(x[:, start:stop], before, probe=probe)
        reached = (output[:, -1] * gradient).sum()
        to_before, to_probe = torch.autograd.grad(reached, [before, probe])
        with np.errstate(divide="ignore"):
            logs[:, start:stop] = scale[:, None] + np.log10(to_probe.norm(dim=2).numpy())
        gradient, further = _unit(to_before[0])
        scale = scale + further
    return logs


def forward_signal(model: Classifier, tokens: Tensor, word: int) -> Array:
    """Return `signal` at one word by forward mode, without a backward pass.

    The derivative is carried along with the states, dh_t/dh_k = J_t dh_{t-1}/dh_k from the
    identity at t = k. It is the very number that back-propagation finds: a signal that
    vanishes is a property of the derivative, not of the way it is computed.
    model: a Classifier with an RNN. tokens: (n, steps); word: its index k, from 0.
    Returns (n,), in float64.
    Source: Williams & Zipser 1989, "A learning algorithm for continually running fully
    recurrent neural networks".
    """
    model = copy.deepcopy(model).double()
    with torch.no_grad():
        states = model.states(tokens).numpy()
        weight = model.layer.weight_hh_l0.numpy()
        was, were = model.readout.weight.numpy()
    slope = slopes(states, model.layer.nonlinearity)
    derivative = np.broadcast_to(np.eye(len(weight)), (len(tokens), *weight.shape))
    for t in range(word + 1, tokens.shape[1]):
        derivative = slope[:, t, :, None] * (weight @ derivative)
    return np.linalg.norm((was - were) @ derivative, axis=1)


def _unit(gradient: Tensor) -> tuple[Tensor, Array]:
    """Rows (n, hidden) of length 1, and log10 of their lengths (n,); a row of 0 stays 0."""
    length = gradient.norm(dim=1)
    with np.errstate(divide="ignore"):
        logs = np.log10(length.numpy())
    return gradient / torch.where(length > 0, length, 1)[:, None], logs
