"""The cliff: the error of one recurrent unit over its two parameters, and descents on it.

    x_k = w sigmoid(x_{k-1}) + b,   x_0 = 0.5,   E(w, b) = (sigmoid(x_50) - 0.7)^2

Where the unit has two stable states, a small change of w or b can move x_50 from one to
the other: there E jumps, and its gradient is thousands of times its usual length. The
slope of one step is w sigmoid' <= w / 4, so this begins at w = 4.

Source: Pascanu, Mikolov & Bengio 2013, section 2.3 and figure 6.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from helpers.validation import Array

TARGET = 0.7


class Descent(NamedTuple):
    """One gradient descent on the surface, in float64.

    points: (steps + 1, 2), w and b before the first step and after each.
    errors, norms: (steps + 1,), the error and the gradient's norm, before clipping, there.
    """

    points: Array
    errors: Array
    norms: Array


def error_and_gradient(w: Array | float, b: Array | float) -> tuple[Array, Array, Array]:
    """Return E, dE/dw and dE/db, each in the shape of w and b together, in float64.

    The derivatives are carried along: dx_k/dw = sigmoid(x_{k-1}) + w sigmoid' dx_{k-1}/dw,
    and the same with 1 in place of the first term for b.
    """
    w, b = np.broadcast_arrays(np.asarray(w, np.float64), np.asarray(b, np.float64))
    x, x_w, x_b = np.full(w.shape, 0.5), np.zeros(w.shape), np.zeros(w.shape)
    for _ in range(50):
        state = _sigmoid(x)
        slope = w * state * (1 - state)
        x, x_w, x_b = w * state + b, state + slope * x_w, 1 + slope * x_b
    output = _sigmoid(x)
    back = 2 * (output - TARGET) * output * (1 - output)
    return (output - TARGET) ** 2, back * x_w, back * x_b


def surface(points: int = 201) -> tuple[Array, Array, Array, Array]:
    """Return figure 6's part of the plane: w (points,), b (points,), errors and gradient norms.

    Both are (points, points), entry [i, j] at b[i], w[j].
    """
    w, b = np.linspace(0, 20, points), np.linspace(-10, 2, points)
    errors, dE_dw, dE_db = error_and_gradient(w[None, :], b[:, None])
    return w, b, errors, np.hypot(dE_dw, dE_db)


def descend(
    start: Sequence[float], rate: float, steps: int, max_norm: float | None = None
) -> Descent:
    """Descend from start (w, b): (w, b) <- (w, b) - rate * gradient, steps times.

    max_norm: clip the gradient's norm at it first (None: no clipping).
    """
    point = np.asarray(start, np.float64)
    points, errors, norms = [point], [], []
    while True:
        error, dE_dw, dE_db = error_and_gradient(*point)
        gradient = np.array([dE_dw, dE_db])
        errors.append(float(error))
        norms.append(float(np.hypot(*gradient)))
        if len(points) > steps:
            return Descent(np.array(points), np.array(errors), np.array(norms))
        if max_norm is not None:
            gradient *= min(1, max_norm / (norms[-1] + 1e-6))
        point = point - rate * gradient
        points.append(point)


def _sigmoid(x: Array) -> Array:
    return 0.5 + 0.5 * np.tanh(0.5 * x)
