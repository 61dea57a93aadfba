"""One GRU, three conventions: a step of each in plain NumPy, and the exact conversions.

For one sentence, with h (hidden,) and x (input,). gate_v(h) stands for
W_v x + U_v h + b_v with the weights of gate v, and D(v) for a diagonal matrix:

    Ng        u = logistic(gate_u(h)),  r = logistic(gate_r(h))
              c~ = tanh(gate_c(r * h)),       h' = u * c~ + (1 - u) * h
    Ng, simplified                            the same with r = 1
    Cho       z = logistic(gate_z(h)),  r = logistic(gate_r(h))
              h~ = tanh(gate_h(r * h)),       h' = z * h + (1 - z) * h~
    PyTorch   r and z as Cho
              n = tanh(W_n x + b_in + r * (U_n h + b_hn)),   h' = (1 - z) * n + z * h

Ng's update gate says how much is written, Cho's and PyTorch's how much is kept:
z = 1 - u. And logistic(-a) = 1 - logistic(a), so Ng's and Cho's become one another by
the sign of the update gate's weights, W, U and b. Ng's simplified form becomes PyTorch's
by that sign and a reset gate held at 1.

There is no third conversion: Cho resets before the matrix product, U (r * h), PyTorch
after it, r * (U h), and no weights can bridge that.

Sources: Cho et al. 2014, "Learning phrase representations using RNN encoder-decoder",
section 2.3; Ng, "Sequence Models" (deeplearning.ai), week 1; PyTorch's documentation of
torch.nn.GRU.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from helpers.validation import Array

OPEN = 50.0  # logistic(50) rounds to 1 in float32 and in float64


class Gate(NamedTuple):
    """Weights of one gate or candidate: on the input, on the state, and the bias.

    x (hidden, input), h (hidden, hidden), b (hidden,).
    """

    x: Array
    h: Array
    b: Array

    def __call__(self, x: Array, h: Array) -> Array:
        """Return the pre-activation (hidden,)."""
        return self.x @ x + self.h @ h + self.b


TorchWeights = tuple[Array, Array, Array, Array]  # weight_ih, weight_hh, bias_ih, bias_hh


class Weights(NamedTuple):
    """The weights of a GRU in Ng's or in Cho's convention; no reset gate: simplified."""

    update: Gate
    candidate: Gate
    reset: Gate | None = None


def logistic(a: Array) -> Array:
    """1 / (1 + e^-a), any shape, without overflow."""
    return 0.5 + 0.5 * np.tanh(0.5 * np.asarray(a))


def ng_step(x: Array, h: Array, weights: Weights) -> Array:
    """Return the next state (hidden,) in Ng's convention, who writes c for h.

    x (input,), h (hidden,). Without a reset gate this is his simplified form.
    """
    u, candidate = _update_and_candidate(x, h, weights)
    return u * candidate + (1 - u) * h


def cho_step(x: Array, h: Array, weights: Weights) -> Array:
    """Return the next state (hidden,) in the convention of Cho et al. 2014, equations 5 to 8.

    x (input,), h (hidden,). Without a reset gate it is held at 1.
    """
    z, candidate = _update_and_candidate(x, h, weights)
    return z * h + (1 - z) * candidate


def torch_step(x: Array, h: Array, weights: TorchWeights) -> Array:
    """Return the next state (hidden,) in PyTorch's convention; x (input,), h (hidden,)."""
    U, W, b, b_h = weights
    return gru_step(x, h, W, U, b, b_h)


def gru_step(x: Array, h: Array, W: Array, U: Array, b: Array, b_h: Array) -> Array:
    """Return the next state (hidden,) in PyTorch's convention, in the letters of the lessons.

    x (input,), h (hidden,). W (3 hidden, hidden) and b_h (3 hidden,) meet the state, U
    (3 hidden, input) and b (3 hidden,) the word; each holds the rows of r, then z, then n.
    """
    x_r, x_z, x_n = np.split(U @ x + b, 3)
    h_r, h_z, s = np.split(W @ h + b_h, 3)
    r, z = logistic(x_r + h_r), logistic(x_z + h_z)
    return z * h + (1 - z) * np.tanh(x_n + r * s)


def swap_ng_and_cho(weights: Weights) -> Weights:
    """Ng's weights as Cho's, or Cho's as Ng's: the update gate's change their sign."""
    return weights._replace(update=Gate(*(-part for part in weights.update)))


def ng_simplified_to_torch(weights: Weights) -> TorchWeights:
    """Ng's simplified form as PyTorch's weights, reset gate held at 1; all biases in bias_ih.

    Raises ValueError if there is a reset gate, for which no weights exist.
    """
    if weights.reset is not None:
        raise ValueError(
            "weights.reset must be None: a reset before the matrix product has no equal "
            "in PyTorch's convention"
        )
    keep, candidate = swap_ng_and_cho(weights).update, weights.candidate
    held = Gate(np.zeros_like(keep.x), np.zeros_like(keep.h), np.full_like(keep.b, OPEN))
    U, W, b = (np.concatenate(parts) for parts in zip(held, keep, candidate, strict=True))
    return U, W, b, np.zeros_like(b)


def _update_and_candidate(x: Array, h: Array, weights: Weights) -> tuple[Array, Array]:
    reset = 1 if weights.reset is None else logistic(weights.reset(x, h))
    return logistic(weights.update(x, h)), np.tanh(weights.candidate(x, reset * h))
