"""The cliff: error, gradient and descents, against autograd and plain loops; its figures."""

import copy
import math

import numpy as np
import pytest
import torch

from helpers.figures import cliffs as cliff_plots
from helpers.figures import sliders
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


@pytest.mark.parametrize(("w", "b"), POINTS)
def test_gradient_is_the_slope_of_the_error(w, b):
    _, dE_dw, dE_db = cliff.error_and_gradient(w, b)
    step = 1e-6
    by_w = np.diff([cliff.error_and_gradient(w + e, b)[0] for e in (-step, step)])[0] / 2 / step
    by_b = np.diff([cliff.error_and_gradient(w, b + e)[0] for e in (-step, step)])[0] / 2 / step
    np.testing.assert_allclose([dE_dw, dE_db], [by_w, by_b], rtol=1e-5, atol=1e-9)


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


def test_norms_are_those_before_clipping():
    free = cliff.descend((6.0, -2.0), 10.0, 1)
    clipped = cliff.descend((6.0, -2.0), 10.0, 1, max_norm=1e-3)
    assert clipped.norms[0] == free.norms[0] > 1e-3


def test_a_threshold_above_every_norm_changes_nothing():
    free, clipped = (cliff.descend((2.0, -4.0), 1.0, 20, c) for c in (None, 10.0))
    np.testing.assert_array_equal(free.points, clipped.points)


# Figures


def test_descents_are_drawn_on_the_surface_and_over_the_steps():
    w, b, errors, _ = cliff.surface(points=7)
    paths = {
        "free": cliff.descend((6.0, -2.0), 10.0, 60),
        "bound": cliff.descend((6.0, -2.0), 10.0, 60, max_norm=0.1),
    }
    picture = cliff_plots.descents(w, b, errors, paths)
    left, right = picture.figure.axes[:2]
    np.testing.assert_array_equal(left.collections[0].get_array(), errors)
    lines = {line.get_label(): line for line in left.lines}
    for line, (name, path) in zip(right.lines, paths.items(), strict=True):
        np.testing.assert_array_equal(lines[name].get_xydata(), path.points)
        np.testing.assert_array_equal(line.get_ydata(), path.errors)
        assert line.get_color() == lines[name].get_color()
    assert "free: stays on the map, ends on a plateau" in picture.alt_text
    assert "bound: stays on the map, ends in the valley" in picture.alt_text


def test_a_descent_that_leaves_the_map_is_told():
    w, b, errors, _ = cliff.surface(points=3)
    path = cliff.descend((7.0, -3.2), 5.0, 60)
    assert path.points[:, 1].max() > 2
    assert "far: leaves the map" in cliff_plots.descents(w, b, errors, {"far": path}).alt_text


def test_arrows_end_at_the_vectors():
    g, clipped = np.array([4.0, 1.0]), {"by value": np.array([1.0, 1.0])}
    picture = cliff_plots.arrows(g, clipped, threshold=1.0, title="T")
    (axes,) = picture.figure.axes
    tips = [text.xy for text in axes.texts if text.get_text() == ""]
    np.testing.assert_array_equal(tips, [g, clipped["by value"]])
    assert [text.get_text() for text in axes.texts if text.get_text()] == ["gradient", "by value"]
    ball, box = (line.get_xydata() for line in axes.lines)
    np.testing.assert_allclose(np.linalg.norm(ball, axis=1), 1.0)
    assert np.abs(box).min() == np.abs(box).max() == 1
    assert axes.get_xlim()[1] > 4
    told = "T. Arrows from the origin, threshold 1. gradient: (4, 1); by value: (1, 1)."
    assert picture.alt_text == told


def test_arrows_of_two_entries_only():
    with pytest.raises(ValueError, match=r"by norm must have shape \(2,\); got \(3,\)"):
        cliff_plots.arrows(np.ones(2), {"by norm": np.ones(3)}, threshold=1.0, title="T")


def test_runs_by_threshold_draw_a_dot_for_each_seed_at_its_threshold():
    results = {
        "near": {None: [1.0, 0.9], 0.1: [0.6]},
        "far": {None: [0.5], 0.01: [0.4, 0.45]},
    }
    given = copy.deepcopy(results)
    picture = cliff_plots.runs_by_threshold(results, title="T")
    (axes,) = picture.figure.axes
    near, far, _ = axes.lines
    np.testing.assert_array_equal(np.rint(near.get_xdata()), [0, 0, 1])
    np.testing.assert_array_equal(near.get_ydata(), [1.0, 0.9, 0.6])
    np.testing.assert_array_equal(np.rint(far.get_xdata()), [0, 2, 2])
    np.testing.assert_array_equal(far.get_ydata(), [0.5, 0.4, 0.45])
    assert near.get_linestyle() == "None"
    assert [label.get_text() for label in axes.get_xticklabels()] == ["none", "0.1", "0.01"]
    assert "thresholds none, 0.1, 0.01, one dot a seed, for near, far" in picture.alt_text
    assert results == given


# The slider


def test_cliff_at_draws_one_start_without_and_with_clipping():
    picture = sliders.cliff_at(0.2)
    left = picture.figure.axes[0]
    lines = {line.get_label(): line.get_xydata() for line in left.lines}
    free = cliff.descend((6.0, -2.0), 10.0, 60)
    np.testing.assert_array_equal(lines["not clipped"], free.points)
    bound = cliff.descend((6.0, -2.0), 10.0, 60, max_norm=0.2)
    np.testing.assert_array_equal(lines["clipped at 0.2"], bound.points)


@pytest.mark.parametrize("threshold", [0, -1.0, None, math.nan])
def test_no_threshold(threshold):
    with pytest.raises(ValueError, match=r"^threshold must be"):
        sliders.cliff_at(threshold)
