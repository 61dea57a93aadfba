"""Jacobians of a recurrent network, one for each step, and how their product grows.

One step is h_t = phi(a_t), a_t = W h_{t-1} + U x_t + b, so
    J_t = dh_t/dh_{t-1} = diag(phi'(a_t)) W,
and over many steps the chain rule multiplies: dh_T/dh_k = J_T ... J_{k+1}. Results are
float64, logarithms natural (nats). `helpers.measure.mean_field` gives the growth in theory.

Sources: Pascanu, Mikolov & Bengio 2013, "On the difficulty of training recurrent
neural networks", section 2, equation 5; Benettin, Galgani, Giorgilli & Strelcyn 1980, "Lyapunov
characteristic exponents", Meccanica 15 (`log_factors`); Trefethen & Embree 2005,
"Spectra and Pseudospectra", part I (`power_norms`).
"""

from __future__ import annotations

import itertools

import numpy as np

from helpers.validation import Array


def slopes(states: Array, nonlinearity: str = "tanh") -> Array:
    """Return phi'(a_t), written with the state h_t = phi(a_t) alone.

    states: any shape; the result has the same. tanh: 1 - h^2; relu: 1 where h > 0, else
    0 (as PyTorch takes it at a = 0); linear: 1. Near h = 1 a float32 state leaves
    1 - h^2 only an absolute accuracy of 1e-7: give float64 states of a saturated network.
    """
    h = np.asarray(states, dtype=np.float64)
    slope = {"tanh": (1 - h) * (1 + h), "relu": (h > 0).astype(float), "linear": np.ones_like(h)}
    return slope[nonlinearity]


def step_jacobians(weight_hh: Array, states: Array, nonlinearity: str = "tanh") -> Array:
    """Return the Jacobian of each step of one sentence: entry [t] is diag(phi'(a_t)) W.

    weight_hh: W (hidden, hidden). states: (steps, hidden), the states h_1 ... h_T.
    Returns (steps, hidden, hidden): the first entry is dh_1/dh_0, the last dh_T/dh_{T-1}.
    """
    return slopes(states, nonlinearity)[:, :, None] * np.asarray(weight_hh, dtype=np.float64)


def step_jacobian(h: Array, W: Array) -> Array:
    """Return the Jacobian dh_t/dh_{t-1} of one step of a tanh network.

    h: the state h_t (hidden,). W: (hidden, hidden). Returns (hidden, hidden), whose entry
    [i, j] is how unit i of h_t reacts to unit j of h_{t-1}.
    """
    return (1 - h**2)[:, None] * W


def spectral_radius(matrix: Array) -> float:
    """Return the largest modulus of an eigenvalue of a (hidden, hidden) matrix.

    It sets the rate of ||matrix^k|| only in the limit of many steps, and only
    when the same matrix is applied at each: a linear network.
    """
    return float(np.abs(np.linalg.eigvals(matrix)).max())


def log_factors(jacobians: Array, vector: Array) -> Array:
    """Return the logarithm of the factor that each step multiplies a gradient by, on its way back.

    jacobians: (steps, hidden, hidden), in the order of the steps; the last is used first.
    vector: (hidden,), the gradient that arrives after the last step, of any length but 0.
    Returns (steps,) in nats, in the order of the way back. Their sum is the logarithm of
    what is left of the length, and exp of their mean the factor per step. The vector is
    made of length 1 at each step, so no number of steps under- or overflows.
    """
    v, logs = np.asarray(vector, dtype=np.float64), []
    v = v / np.linalg.norm(v)
    for jacobian in np.asarray(jacobians)[::-1]:
        v = jacobian.T @ v
        length = np.linalg.norm(v)
        logs.append(np.log(length))
        v = v / length
    return np.array(logs)


def power_norms(matrix: Array, steps: int) -> Array:
    """Return the largest singular value of matrix^1 ... matrix^steps, (steps,).

    matrix: (hidden, hidden). If matrix @ matrix.T and matrix.T @ matrix differ, eigenvalues
    decide the limit of the powers and say nothing about the way there.
    """
    powers = itertools.accumulate(itertools.repeat(matrix, steps), np.matmul)
    return np.array([np.linalg.norm(power, ord=2) for power in powers])
