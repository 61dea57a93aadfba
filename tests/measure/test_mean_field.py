"""Mean field against a fine quadrature, small-input series and measured networks."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.measure.mean_field import critical_gain, mean_field_factor

Z = np.linspace(-12, 12, 400_001)
WEIGHT = np.exp(-(Z**2) / 2) / np.sqrt(2 * np.pi) * (Z[1] - Z[0])


def slow_factor(gain, input_std, rounds=400):
    """The definition itself: iterate q on a grid of 400,001 points, then chi."""
    q = input_std**2 + 0.1
    for _ in range(rounds):
        q = gain**2 * (WEIGHT @ np.tanh(np.sqrt(q) * Z) ** 2) + input_std**2
    return gain * np.sqrt(WEIGHT @ np.cosh(np.sqrt(q) * Z) ** -4.0)


@pytest.mark.parametrize(
    ("gain", "input_std"), [(0.5, 0.3), (1.5, 0.0), (2.0, 1.0), (3.0, 5.0), (10.0, 0.1)]
)
def test_factor_against_the_definition(gain, input_std):
    expected = slow_factor(gain, input_std, rounds=60)
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


@settings(max_examples=10, deadline=None)
@given(st.floats(0.01, 30), st.floats(1.001, 1.1))
def test_critical_gain_rises_with_the_input(input_std, ratio):
    assert critical_gain(input_std * ratio + 1e-9) > critical_gain(input_std)
