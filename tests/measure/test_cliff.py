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


@pytest.mark.parametrize(("w", "b"), POINTS)
def test_error_and_gradient_are_autograds(w, b):
    found = cliff.error_and_gradient(w, b)
    np.testing.assert_allclose(found, error_by_autograd(w, b), rtol=1e-9, atol=1e-15)


def test_surface_is_figure_6s_part_of_the_plane():
    w, b, errors, norms = cliff.surface(points=5)
    np.testing.assert_array_equal(w, [0, 5, 10, 15, 20])
    np.testing.assert_array_equal(b, [-10, -7, -4, -1, 2])
    for i, j in np.ndindex(5, 5):
        error, dE_dw, dE_db = cliff.error_and_gradient(w[j], b[i])
        assert errors[i, j] == pytest.approx(float(error), rel=1e-12)
        assert norms[i, j] == pytest.approx(math.hypot(dE_dw, dE_db), rel=1e-12)


@pytest.mark.parametrize(("rate", "c"), [(0.5, None), (10.0, 0.05)])
def test_a_descent_is_gradient_descent_clipped_by_norm(rate, c):
    path = cliff.descend((6.0, -2.0), rate, 30, max_norm=c)
    for k, (w, b) in enumerate(path.points):
        error, *g = error_by_autograd(w, b)
        assert path.errors[k] == pytest.approx(error, rel=1e-9)
        assert path.norms[k] == pytest.approx(math.hypot(*g), rel=1e-9)
        if k < 30:
            factor = 1 if c is None else min(1, c / (math.hypot(*g) + 1e-6))
            step = path.points[k + 1] - path.points[k]
            np.testing.assert_allclose(step, -rate * factor * np.array(g), rtol=1e-6, atol=1e-12)
    if c is not None:
        assert 5 < (path.norms > c).sum() < 30
