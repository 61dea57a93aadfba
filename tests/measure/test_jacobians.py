"""helpers.measure.jacobians against autograd and closed forms."""

import warnings

import numpy as np
import pytest
import torch

from helpers.measure.jacobians import (
    log_factors,
    power_norms,
    slopes,
    spectral_radius,
    step_jacobian,
    step_jacobians,
)

PHI = {"tanh": torch.tanh, "relu": torch.relu, "linear": lambda a: a}


@pytest.fixture(autouse=True)
def no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def random_rnn(seed, hidden=8, steps=12, nonlinearity="tanh"):
    """Weight, currents and states of a small random network, in float64."""
    rng = np.random.default_rng(seed)
    weight = rng.normal(0, 1.2 / np.sqrt(hidden), (hidden, hidden))
    currents = rng.normal(0, 0.5, (steps, hidden))
    h, states = torch.zeros(hidden, dtype=torch.float64), []
    for current in torch.from_numpy(currents):
        h = PHI[nonlinearity](torch.from_numpy(weight) @ h + current)
        states.append(h.numpy())
    return weight, currents, np.array(states)


@pytest.mark.parametrize("nonlinearity", PHI)
def test_step_jacobians_are_autograds(nonlinearity):
    weight, currents, states = random_rnn(0, nonlinearity=nonlinearity)
    found = step_jacobians(weight, states, nonlinearity)
    before = np.vstack([np.zeros(8), states[:-1]])
    current = torch.from_numpy(currents)
    for t in range(len(states)):
        expected = torch.autograd.functional.jacobian(
            lambda h, t=t: PHI[nonlinearity](torch.from_numpy(weight) @ h + current[t]),
            torch.from_numpy(before[t]),
        )
        np.testing.assert_allclose(found[t], expected, rtol=1e-12, atol=1e-14)
        if nonlinearity == "tanh":
            np.testing.assert_allclose(step_jacobian(states[t], weight), found[t], rtol=1e-12)


def test_step_jacobians_of_float32_are_float64():
    weight, _, states = random_rnn(1)
    found = step_jacobians(weight.astype(np.float32), states.astype(np.float32))
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, step_jacobians(weight, states), rtol=1e-5, atol=1e-6)


def test_slopes_at_the_kink_and_in_saturation():
    states = np.array([[-1.0, 0.0, 1.0]])
    assert slopes(states).tolist() == [[0.0, 1.0, 0.0]]
    assert slopes(np.maximum(states, 0), "relu").tolist() == [[0.0, 0.0, 1.0]]
    assert slopes(states, "linear").tolist() == [[1.0, 1.0, 1.0]]


def test_spectral_radius_counts_complex_and_negative_eigenvalues():
    assert spectral_radius([[0, -2], [2, 0]]) == pytest.approx(2)
    assert spectral_radius([[-3.0, 1.0], [0.0, 2.0]]) == pytest.approx(3)


def test_the_non_normal_peak():
    k = np.arange(1, 81)
    # [[.9, 10], [0, .9]]^k is .9^k [[1, c], [0, 1]] with c = k 10/.9; its norm in closed form:
    c = k * 10 / 0.9
    norms = power_norms(np.array([[0.9, 10.0], [0.0, 0.9]]), 80)
    np.testing.assert_allclose(norms, 0.9**k * (c + np.sqrt(c**2 + 4)) / 2, rtol=1e-12)


def test_log_factors_are_autograds():
    weight, currents, states = random_rnn(7, steps=30)
    vector = np.random.default_rng(8).normal(size=8)
    w = torch.from_numpy(weight)
    h, kept = torch.zeros(8, dtype=torch.float64, requires_grad=True), []
    for current in torch.from_numpy(currents):
        h = torch.tanh(w @ h + current)
        kept.append(h)
    gradients = torch.autograd.grad(h @ torch.from_numpy(vector), kept)
    expected = [float(gradient.norm().log()) for gradient in gradients]
    found = log_factors(step_jacobians(weight, states)[1:], vector)
    np.testing.assert_allclose(found, -np.diff(expected)[::-1], rtol=1e-10)


def test_log_factors_need_no_range_and_go_back_from_the_last_step():
    shrinks, grows = 0.25 * np.eye(3), 8 * np.eye(3)
    np.testing.assert_allclose(
        np.exp(log_factors(np.array([grows, shrinks, shrinks]), 1e-100 * np.ones(3))),
        [0.25, 0.25, 8],
    )
    far = log_factors(np.broadcast_to(shrinks, (10_000, 3, 3)), np.ones(3))
    assert far.sum() == pytest.approx(10_000 * np.log(0.25))
