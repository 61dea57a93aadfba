"""Where a wide random tanh network vanishes and where it explodes: in theory, and measured.

The network is h_t = tanh(W h_{t-1} + u_t) with W drawn once, entries normal with variance
gain^2 / hidden, and u_t the input current of a step (U x_t + b), normal with standard
deviation input_std, drawn anew for every unit and step. With many hidden units each
a_t = W h_{t-1} + u_t is normal, and its variance settles at q where
    q = gain^2 E[tanh(sqrt(q) z)^2] + input_std^2,          z standard normal.
The squared length of a gradient is then multiplied at each step by
    chi = gain^2 E[tanh'(sqrt(q) z)^2],
its length by sqrt(chi): below 1 the network vanishes, above 1 it explodes. Inputs lower
chi, since they push units onto the flat part of tanh. (For ReLU, E[phi'^2] = 1/2 whatever
q is: the critical gain is sqrt(2), with any input.)

Sources: Sompolinsky, Crisanti & Sommers 1988, "Chaos in random neural networks" (the
transition at gain 1 without input); Poole et al. 2016, "Exponential expressivity in deep
neural networks through transient chaos", section 2 (q and chi); Schoenholz et al. 2017,
"Deep information propagation" (chi as the rate of the gradient).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from threadpoolctl import threadpool_limits

from helpers.measure.jacobians import slopes
from helpers.networks import rnn
from helpers.validation import Array

HIDDEN, STEPS, WARM_UP = 256, 200, 20  # of a measured map; the mean leaves out both ends


def mean_field_factor(gain: float, input_std: float) -> float:
    """Return the factor by which the gradient's length changes at each step: sqrt(chi).

    gain: standard deviation of W's entries times sqrt(hidden).
    input_std: standard deviation of each unit's input current.
    With input_std 0 and gain at most 1 the network falls silent (q = 0) and the factor
    is the gain itself.
    """
    # tanh^2 <= 1 bounds q. The map is concave in q, so it crosses q once; at the edge of
    # chaos iterating it would take forever, halving the interval does not.
    q = _bisect(
        lambda q: gain**2 * _gaussian_mean(q, _squared_tanh) + input_std**2 > q,
        gain**2 + input_std**2,
    )
    return gain * _gaussian_mean(q, _squared_slope) ** 0.5


def critical_gain(input_std: float) -> float:
    """Return the gain at which mean_field_factor is 1: below it vanishes, above it explodes.

    input_std: standard deviation of each unit's input current.
    Returns exactly 1.0 without input; it rises with the input. Right to 7 digits.
    """
    if input_std == 0:
        return 1.0

    # On the critical line gain^2 = 1 / E[tanh'^2], and the fixed point then says which
    # input_std belongs to q. So one bisection over q finds the gain.
    def below_input(q: float) -> bool:
        gain_squared = 1 / _gaussian_mean(q, _squared_slope)
        return q - gain_squared * _gaussian_mean(q, _squared_tanh) < input_std**2

    q = _bisect(below_input, (input_std + 3) ** 2)
    return _gaussian_mean(q, _squared_slope) ** -0.5


def theory_map(gains: Array, input_stds: Array) -> Array:
    """Return `mean_field_factor` on a grid: (len(input_stds), len(gains))."""
    return np.array([[mean_field_factor(gain, std) for gain in gains] for std in input_stds])


def critical_curve(input_stds: Array) -> tuple[Array, Array]:
    """Return the theory's border between vanishing and exploding: gains, and input_stds again."""
    return np.array([critical_gain(std) for std in input_stds]), np.asarray(input_stds)


def measured_map(gains: Array, input_stds: Array, seed: int = 0) -> Array:
    """Return the same as `theory_map`, measured on networks of HIDDEN units.

    For each gain, which has seed + its position, one W and one start h_0 ~ N(0, 1) for all
    inputs; a random gradient is sent back through the STEPS, and its factors' geometric mean taken.
    At gain above 1 and weak input the states are chaotic, so a single entry depends on
    rounding; its size, to a few percent, does not.
    """
    # One thread: the arrays are too small to share, and sums keep their order.
    with threadpool_limits(limits=1):
        columns = [_measured(gain, input_stds, seed + i) for i, gain in enumerate(gains)]
    return np.array(columns).T


def _measured(gain: float, input_stds: Array, seed: int) -> Array:
    """One column of the map, (runs,): a run for each input."""
    rng = np.random.default_rng(seed)
    weight = rng.normal(0, gain / np.sqrt(HIDDEN), (HIDDEN, HIDDEN))
    currents = rng.normal(size=(STEPS, 1, HIDDEN)) * np.asarray(input_stds)[:, None]
    start, vectors = rng.normal(size=(2, 1, HIDDEN)).repeat(len(input_stds), axis=1)
    nothing = np.zeros(HIDDEN)
    states = rnn.forward(currents, np.eye(HIDDEN), weight, nothing, nothing, start)[1:]
    logs = np.log(backward_factors(weight, states, vectors))
    return np.exp(logs[WARM_UP:-WARM_UP].mean(axis=0))


def backward_factors(weight_hh: Array, states: Array, vectors: Array) -> Array:
    """Return the factor by which a gradient's length changes at each step back, in many runs.

    weight_hh: W (hidden, hidden). states: (steps, runs, hidden), h_1 ... h_T of a tanh
    network. vectors: (runs, hidden), each run's gradient with respect to h_T, not 0.
    Returns (steps, runs): entry [t] is ||J_t^T v|| / ||v|| with v the gradient at the state
    after that step. The length is divided out at each step, so nothing under- or overflows.
    Source: Pascanu, Mikolov & Bengio 2013, section 2, equation 5.
    """
    slope = slopes(states)
    gradient = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    factors = np.empty(slope.shape[:2])
    for t in reversed(range(len(slope))):
        gradient = (slope[t] * gradient) @ weight_hh
        factors[t] = np.linalg.norm(gradient, axis=1)
        gradient /= factors[t][:, None]
    return factors


def _squared_tanh(a: Array) -> Array:
    return np.tanh(a) ** 2


def _squared_slope(a: Array) -> Array:
    return (1 - np.tanh(a) ** 2) ** 2


def _gaussian_mean(q: float, function: Callable[[Array], Array]) -> float:
    """E[function(sqrt(q) z)] for standard normal z, by the trapezoid rule.

    Steps of at most .2, both in z and in sqrt(q) z, give 12 digits at any q. (A
    Gauss-Hermite rule of 100 nodes takes E[tanh'^2] 2 % wrong at q = 10, 88 % at q = 100.)
    """
    count = int(np.ceil(9 / 0.2 * max(1.0, q**0.5)))
    z = np.linspace(-9, 9, 2 * count + 1)
    weight = np.exp(-(z**2) / 2)
    return float(weight @ function(q**0.5 * z) / weight.sum())


def _bisect(below: Callable[[float], bool], high: float) -> float:
    """The q in [0, high] up to which below(q) holds."""
    low = 0.0
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if below(middle) else (low, middle)
    return high
