"""helpers.measure.jacobians against autograd, closed forms and plain products."""

import warnings

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from helpers.measure.jacobians import (
    NON_NORMAL,
    log_factors,
    log_product_norms,
    power_norms,
    slopes,
    spectral_radius,
    step_jacobians,
)

PHI = {"tanh": torch.tanh, "relu": torch.relu, "linear": lambda a: a}


@pytest.fixture(autouse=True)
def no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def repeated(matrix, steps):
    return np.broadcast_to(matrix, (steps, *np.shape(matrix)))


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


def direct_products(jacobians):
    product, products = np.eye(jacobians.shape[1]), []
    for jacobian in jacobians:
        product = jacobian @ product
        products.append(product)
    return np.array(products)


# One step


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


# Radius


def test_spectral_radius_counts_complex_and_negative_eigenvalues():
    assert spectral_radius([[0, -2], [2, 0]]) == pytest.approx(2)
    assert spectral_radius([[-3.0, 1.0], [0.0, 2.0]]) == pytest.approx(3)
    assert spectral_radius(NON_NORMAL) == 0.9


# Products


def test_log_product_norms_agree_with_the_products_themselves():
    weight, _, states = random_rnn(5, steps=60)
    jacobians = step_jacobians(weight, states)
    expected = np.log(np.linalg.norm(direct_products(jacobians), ord=2, axis=(1, 2)))
    np.testing.assert_allclose(log_product_norms(jacobians), expected, rtol=1e-10)


def test_products_run_from_the_first_step_to_the_last():
    first, second = np.array([[[0.0, 1.0], [0.0, 0.0]], [[3.0, 0.0], [0.0, 0.0]]])
    assert log_product_norms([first, second])[1] == pytest.approx(np.log(3))
    assert log_product_norms([second, first])[1] == -np.inf


@pytest.mark.slow
@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_powers_of_two_are_exact_at_10_000_steps(factor):
    jacobians = repeated(factor * np.eye(3), 10_000)
    exact = np.arange(1, 10_001) * np.log(factor)
    np.testing.assert_allclose(log_product_norms(jacobians), exact, rtol=1e-15)


@pytest.mark.slow
@pytest.mark.parametrize("gain", [0.3, 3.0])
def test_finite_at_10_000_steps(gain):
    rng = np.random.default_rng(6)
    jacobians = rng.normal(0, gain / np.sqrt(4), (10_000, 4, 4))
    norms = log_product_norms(jacobians)
    assert np.isfinite(norms).all()
    assert abs(norms[-1]) > 5000


@pytest.mark.parametrize("size", [1e-300, 1e300])
def test_factors_at_the_edge_of_float64(size):
    jacobians = repeated(size * np.eye(2), 50)
    exact = np.arange(1, 51) * np.log(size)
    np.testing.assert_allclose(log_product_norms(jacobians), exact, rtol=1e-12)


def test_the_non_normal_peak():
    norms = power_norms(NON_NORMAL, 80)
    k = np.arange(1, 81)
    # NON_NORMAL^k is .9^k [[1, c], [0, 1]] with c = k 10/.9; its norm in closed form:
    c = k * 10 / 0.9
    np.testing.assert_allclose(norms, 0.9**k * (c + np.sqrt(c**2 + 4)) / 2, rtol=1e-12)
    assert norms.argmax() + 1 == 9
    assert 38.7 < norms.max() < 38.8
    assert norms[9] > 38.7
    assert np.flatnonzero(norms < 1)[0] + 1 == 63


def test_power_norms_overflow_to_inf_and_underflow_to_zero():
    assert power_norms(np.eye(2) * 2, 1100)[-1] == np.inf
    assert power_norms(np.eye(2) / 2, 1100)[-1] == 0


def test_a_product_that_is_exactly_zero():
    jacobians = np.array([np.eye(3), np.zeros((3, 3)), np.eye(3)])
    assert log_product_norms(jacobians).tolist() == [0, -np.inf, -np.inf]


# Backward


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


@settings(max_examples=60)
@given(arrays(np.float32, (5, 3, 3), elements=st.floats(-2, 2, width=32)))
def test_any_finite_jacobians_give_no_nan_and_agree(jacobians):
    norms = log_product_norms(jacobians)
    assert norms.dtype == np.float64
    assert not np.isnan(norms).any()
    with np.errstate(divide="ignore"):
        bound = np.cumsum(np.log(np.linalg.norm(jacobians.astype(np.float64), 2, axis=(1, 2))))
    assert (norms <= bound + 1e-6).all()


def test_log_factors_need_no_range_and_go_back_from_the_last_step():
    shrinks, grows = 0.25 * np.eye(3), 8 * np.eye(3)
    np.testing.assert_allclose(
        np.exp(log_factors(np.array([grows, shrinks, shrinks]), 1e-100 * np.ones(3))),
        [0.25, 0.25, 8],
    )
    assert log_factors(repeated(shrinks, 10_000), np.ones(3)).sum() == pytest.approx(
        10_000 * np.log(0.25)
    )
