"""Mean field against a fine quadrature, small-input series and measured networks."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.measure import log_factors, mean_field, step_jacobians
from helpers.measure.mean_field import critical_gain, mean_field_factor
from helpers.networks import rnn

Z = np.linspace(-12, 12, 400_001)
WEIGHT = np.exp(-(Z**2) / 2) / np.sqrt(2 * np.pi) * (Z[1] - Z[0])


def slow_factor(gain, input_std):
    """The definition itself: iterate q on a grid of 400,001 points, then chi."""
    q = input_std**2 + 0.1
    for _ in range(60):
        q = gain**2 * (WEIGHT @ np.tanh(np.sqrt(q) * Z) ** 2) + input_std**2
    return gain * np.sqrt(WEIGHT @ np.cosh(np.sqrt(q) * Z) ** -4.0)


@pytest.mark.parametrize(("gain", "input_std"), [(0.5, 0.3), (1.5, 0.0), (10.0, 0.1)])
def test_factor_against_the_definition(gain, input_std):
    expected = slow_factor(gain, input_std)
    assert mean_field_factor(gain, input_std) == pytest.approx(expected, rel=1e-7)


def test_factor_without_input():
    for gain in (0.0, 0.5, 0.99, 1.0):
        assert mean_field_factor(gain, 0.0) == pytest.approx(gain, rel=1e-12)
    # Just above 1, where iterating takes forever. To second order in q, for z normal,
    # E[tanh^2] = q - 2 q^2 + 17/3 q^3 and E[tanh'^2] = 1 - 2 q + 7 q^2,
    # so gain^2 = 1 + 2 q - 5/3 q^2 and chi = 1 + 4/3 q^2.
    q = 1e-4
    gain = np.sqrt(1 + 2 * q - 5 / 3 * q**2)
    growth = mean_field_factor(gain, 0.0) - 1
    assert growth == pytest.approx(2 / 3 * q**2, rel=1e-2)


def test_critical_gains_of_the_course():
    found = [critical_gain(std) for std in (0, 0.1, 0.25, 0.5, 1, 2)]
    np.testing.assert_allclose(found, [1, 1.1934, 1.3516, 1.5497, 1.8556, 2.3250], atol=1e-4)
    assert found[0] == 1.0


def test_critical_gain_for_small_inputs():
    # From the same series: input_std^2 = 4/3 q^3 and gain^2 = 1 + 2 q on the critical line.
    for std in (1e-12, 1e-9, 1e-6):
        assert critical_gain(std) == pytest.approx(1 + (0.75 * std**2) ** (1 / 3), abs=1e-7)


@settings(max_examples=10, deadline=None)
@given(st.floats(1e-9, 30))
def test_the_factor_is_one_at_the_critical_gain(input_std):
    gain = critical_gain(input_std)
    assert mean_field_factor(gain, input_std) == pytest.approx(1, abs=1e-9)
    assert mean_field_factor(gain * 0.9, input_std) < 1 < mean_field_factor(gain * 1.1, input_std)


# Maps


def random_states(hidden=8, steps=30, runs=3, gain=1.5, seed=0):
    """W and states (steps, runs, hidden) of a tanh network with input N(0, .5)."""
    rng = np.random.default_rng(seed)
    weight = rng.normal(0, gain / np.sqrt(hidden), (hidden, hidden))
    inputs, nothing = rng.normal(0, 0.5, (steps, runs, hidden)), np.zeros(hidden)
    states = rnn.forward(inputs, np.eye(hidden), weight, nothing, nothing)[1:]
    return weight, states, rng.normal(size=(runs, hidden))


def test_backward_factors_are_those_of_each_runs_jacobians():
    weight, states, vectors = random_states()
    factors = mean_field.backward_factors(weight, states, vectors)
    assert factors.shape == (30, 3)
    for run in range(3):
        J = step_jacobians(weight, states[:, run])
        logs = log_factors(J, vectors[run])[::-1]
        np.testing.assert_allclose(np.log(factors[:, run]), logs, atol=1e-10)


def test_nothing_overflows_where_the_plain_product_does():
    weight, hidden = 1e30 * np.eye(4), 4
    states = np.zeros((100, 1, hidden))
    factors = mean_field.backward_factors(weight, states, np.ones((1, hidden)))
    np.testing.assert_allclose(factors, 1e30)


def test_a_map_has_a_row_for_each_input_and_a_column_with_a_seed_for_each_gain():
    stds = np.array([0.5, 2.0])
    found = mean_field.measured_map([1.5, 3.0], stds, seed=5)
    assert found.shape == (2, 2)
    np.testing.assert_array_equal(found[:, [1]], mean_field.measured_map([3.0], stds, seed=6))
    np.testing.assert_allclose(found, mean_field.theory_map([1.5, 3.0], stds), rtol=0.2)
