"""The cliff: error, gradient and descents, against autograd and plain loops."""

import math

import numpy as np
import pytest
import torch

from helpers.measure import cliff

POINTS = [(6.0, -2.0), (4.0, -2.0), (0.0, 2.0), (20.0, -10.0), (3.3, -1.5), (-2.0, 5.0)]


def error_by_autograd(w, b):
    """E, dE/dw and dE/db of one point, the recurrence written with torch."""
    w, b = (torch.tensor(value, dtype=torch.float64, requires_grad=True) for value in (w, b))
    x = torch.tensor(0.5, dtype=torch.float64)
    for _ in range(50):
        x = w * torch.sigmoid(x) + b
    error = (torch.sigmoid(x) - 0.7) ** 2
    return [error.item(), *(g.item() for g in torch.autograd.grad(error, (w, b)))]


# Error and gradient


@pytest.mark.parametrize(("w", "b"), POINTS)
def test_error_and_gradient_are_autograds(w, b):
    found = cliff.error_and_gradient(w, b)
    np.testing.assert_allclose(found, error_by_autograd(w, b), rtol=1e-9, atol=1e-15)


def test_arrays_give_what_their_points_give():
    w, b = np.array([[3.0, 5.0, 9.0]]), np.array([[-4.0], [0.0]])
    arrays = cliff.error_and_gradient(w, b)
    for array in arrays:
        assert array.shape == (2, 3)
        assert array.dtype == np.float64
    for i, j in np.ndindex(2, 3):
        single = cliff.error_and_gradient(w[0, j], b[i, 0])
        np.testing.assert_allclose([a[i, j] for a in arrays], single, rtol=1e-12)


def test_surface_is_figure_6s_part_of_the_plane():
    w, b, errors, norms = cliff.surface(points=5)
    np.testing.assert_array_equal(w, [0, 5, 10, 15, 20])
    np.testing.assert_array_equal(b, [-10, -7, -4, -1, 2])
    for i, j in np.ndindex(5, 5):
        error, dE_dw, dE_db = cliff.error_and_gradient(w[j], b[i])
        assert errors[i, j] == pytest.approx(float(error), rel=1e-12)
        assert norms[i, j] == pytest.approx(math.hypot(dE_dw, dE_db), rel=1e-12)


# Descents


def test_a_descent_is_plain_gradient_descent():
    path = cliff.descend((2.0, -4.0), rate=0.5, steps=3)
    w, b = 2.0, -4.0
    for k in range(4):
        error, dE_dw, dE_db = error_by_autograd(w, b)
        np.testing.assert_allclose(path.points[k], [w, b], rtol=1e-12)
        assert path.errors[k] == pytest.approx(error, rel=1e-9)
        assert path.norms[k] == pytest.approx(math.hypot(dE_dw, dE_db), rel=1e-9)
        w, b = w - 0.5 * dE_dw, b - 0.5 * dE_db
    assert path.points.shape == (4, 2)
    assert path.errors.shape == path.norms.shape == (4,)


def test_a_clipped_descent_keeps_the_direction_and_bounds_the_step():
    start, rate, c = (6.0, -2.0), 10.0, 0.05
    path = cliff.descend(start, rate, 30, max_norm=c)
    steps = np.diff(path.points, axis=0)
    for k, step in enumerate(steps):
        _, dE_dw, dE_db = error_by_autograd(*path.points[k])
        g = np.array([dE_dw, dE_db])
        expected = -rate * g * min(1, c / (np.linalg.norm(g) + 1e-6))
        np.testing.assert_allclose(step, expected, rtol=1e-6, atol=1e-12)
    assert np.linalg.norm(steps, axis=1).max() <= rate * c
    assert (path.norms > c).sum() > 5


def test_a_threshold_above_every_norm_changes_nothing():
    free, clipped = (cliff.descend((2.0, -4.0), 1.0, 20, c) for c in (None, 10.0))
    np.testing.assert_array_equal(free.points, clipped.points)
