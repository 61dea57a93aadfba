"""helpers.measure.phase_map: against single Jacobian products, and against the theory's numbers."""

import numpy as np

from helpers.measure import jacobians, mean_field, phase_map
from helpers.networks import rnn


def random_states(hidden=8, steps=30, runs=3, gain=1.5, seed=0):
    """W and states (steps, runs, hidden) of a tanh network with input N(0, .5)."""
    rng = np.random.default_rng(seed)
    weight = rng.normal(0, gain / np.sqrt(hidden), (hidden, hidden))
    inputs, nothing = rng.normal(0, 0.5, (steps, runs, hidden)), np.zeros(hidden)
    states = rnn.forward(inputs, np.eye(hidden), weight, nothing, nothing)[1:]
    return weight, states, rng.normal(size=(runs, hidden))


def test_backward_factors_are_those_of_each_runs_jacobians():
    weight, states, vectors = random_states()
    factors = phase_map.backward_factors(weight, states, vectors)
    assert factors.shape == (30, 3)
    for run in range(3):
        J = jacobians.step_jacobians(weight, states[:, run])
        logs = jacobians.log_factors(J, vectors[run])[::-1]
        np.testing.assert_allclose(np.log(factors[:, run]), logs, atol=1e-10)


def test_nothing_overflows_where_the_plain_product_does():
    weight, hidden = 1e30 * np.eye(4), 4
    states = np.zeros((100, 1, hidden))
    factors = phase_map.backward_factors(weight, states, np.ones((1, hidden)))
    np.testing.assert_allclose(factors, 1e30)


def test_a_map_has_a_row_for_each_input_and_a_column_for_each_gain():
    gains, stds = np.array([0.5, 1.0, 2.0]), np.array([0.0, 1.0])
    found = phase_map.measured_map(gains, stds, hidden=64, steps=60, seed=5)
    assert found.shape == (2, 3)
    for column, gain in enumerate(gains):
        alone = phase_map.measured_factors(gain, stds, hidden=64, steps=60, seed=5 + column)
        np.testing.assert_array_equal(found[:, column], alone)


def test_the_theorys_map_and_border_are_mean_fields():
    gains, stds = np.array([0.5, 2.0]), np.array([0.0, 0.5, 2.0])
    found = phase_map.theory_map(gains, stds)
    assert found.shape == (3, 2)
    assert found[2, 1] == mean_field.mean_field_factor(2.0, 2.0)
    border, again = phase_map.critical_curve(stds)
    np.testing.assert_array_equal(again, stds)
    np.testing.assert_allclose(border, [1, 1.5497, 2.3250], atol=1e-4)
