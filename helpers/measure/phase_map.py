"""Where a tanh network vanishes and where it explodes: measured over gain and input noise.

The network is that of `helpers.measure.mean_field`: h_t = tanh(W h_{t-1} + u_t), entries of W
normal with variance gain^2 / hidden, currents u_t normal with standard deviation
input_std. There the factor per step is computed for infinitely many units; here a network
of `hidden` units is drawn and run, and a random gradient is sent back through its steps.
At gain above 1 and weak input the states are chaotic, so a single entry of a map depends
on rounding; its size, to a few percent, does not.

Sources: Poole et al. 2016, "Exponential expressivity in deep neural networks through
transient chaos", section 2; Schoenholz et al. 2017, "Deep information propagation".
"""

from __future__ import annotations

import numpy as np
from threadpoolctl import threadpool_limits

from helpers.measure.jacobians import slopes
from helpers.measure.mean_field import critical_gain, mean_field_factor
from helpers.networks import rnn
from helpers.validation import Array

WARM_UP = 20  # steps at either end that are left out of the mean


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


def measured_factors(
    gain: float, input_stds: Array, *, hidden: int = 256, steps: int = 200, seed: int = 0
) -> Array:
    """Return the gradient's mean factor per step at one gain, for each strength of the input.

    gain: standard deviation of W's entries times sqrt(hidden), above 0. input_stds: (runs,),
    of each unit's current, 0 or more. One W and one start h_0 ~ N(0, 1) for all runs; the
    geometric mean leaves out WARM_UP steps at either end.
    Returns (runs,): below 1 the gradient vanishes, above 1 it explodes.
    """
    stds = np.asarray(input_stds, dtype=np.float64)
    rng = np.random.default_rng(seed)
    weight = rng.normal(0, gain / np.sqrt(hidden), (hidden, hidden))
    currents = rng.normal(size=(steps, 1, hidden)) * stds[:, None]
    start, vector = rng.normal(size=(2, 1, hidden)).repeat(len(stds), axis=1)
    nothing = np.zeros(hidden)
    # One thread: the arrays are too small to share, and sums keep their order.
    with threadpool_limits(limits=1):
        states = rnn.forward(currents, np.eye(hidden), weight, nothing, nothing, start)[1:]
        logs = np.log(backward_factors(weight, states, vector))
    return np.exp(logs[WARM_UP:-WARM_UP].mean(axis=0))


def measured_map(
    gains: Array, input_stds: Array, *, hidden: int = 256, steps: int = 200, seed: int = 0
) -> Array:
    """Return `measured_factors` for each gain, a new W each: (len(input_stds), len(gains)).

    The gain at position i has seed + i.
    """
    columns = [
        measured_factors(gain, input_stds, hidden=hidden, steps=steps, seed=seed + i)
        for i, gain in enumerate(gains)
    ]
    return np.array(columns).T


def theory_map(gains: Array, input_stds: Array) -> Array:
    """Return `mean_field_factor` on the same grid: (len(input_stds), len(gains))."""
    return np.array([[mean_field_factor(gain, std) for gain in gains] for std in input_stds])


def critical_curve(input_stds: Array) -> tuple[Array, Array]:
    """Return the theory's border between vanishing and exploding: gains, and input_stds again."""
    return np.array([critical_gain(std) for std in input_stds]), np.asarray(input_stds)
