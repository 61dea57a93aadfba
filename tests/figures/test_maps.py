"""Maps are tested by the colours, lines and words they draw."""

import numpy as np
import pytest
from matplotlib.colors import TwoSlopeNorm

from helpers.figures import maps as map_plots

X, Y = np.array([0.0, 1.0, 2.0]), np.array([0.0, 10.0])
VALUES = np.array([[0.5, 1.0, 2.0], [0.25, 0.5, 1.5]])
NAMES = {"title": "T", "xlabel": "gain", "ylabel": "noise", "zlabel": "factor"}


def drawn(values=VALUES, **options):
    picture = map_plots.heat_map(X, Y, values, **NAMES, **options)
    return picture, picture.figure.axes[0]


def test_each_value_stands_at_its_place():
    picture, axes = drawn()
    (mesh,) = axes.collections
    np.testing.assert_array_equal(mesh.get_array(), VALUES)
    corners = mesh.get_coordinates()
    np.testing.assert_allclose(corners[0, :, 0], [-0.5, 0.5, 1.5, 2.5])
    np.testing.assert_allclose(corners[:, 0, 1], [-5, 5, 15])
    assert mesh.get_clim() == (0.25, 2.0)
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("gain", "noise")
    assert picture.figure.axes[1].get_ylabel() == "factor"


def test_the_description_gives_the_extremes_and_names_the_lines():
    line = (np.array([0.0, 1.0]), np.array([0.0, 10.0]))
    picture, _ = drawn(curves={"border": line}, paths={"walk": line})
    for words in ("smallest 0.25 at 0, 10", "largest 2 at 2, 0", "a line: border", "a path: walk"):
        assert words in picture.alt_text
    told, _ = drawn(alt_text="As said")
    assert told.alt_text == "T. Colour: factor, over gain and noise. As said."


def test_the_middle_is_white_and_the_ends_are_of_two_colours():
    _, axes = drawn(middle=1.0)
    (mesh,) = axes.collections
    assert isinstance(mesh.norm, TwoSlopeNorm)
    low, middle, high = (mesh.to_rgba(np.array([[v]]))[0, 0] for v in (0.25, 1.0, 2.0))
    assert middle[:3].min() > 0.95
    assert low[0] > low[2]
    assert high[2] > high[0]


def test_limits_cut_the_scale_and_say_so():
    _, axes = drawn(limits=(0.5, 1.5))
    assert axes.collections[0].get_clim() == (0.5, 1.5)
    bars = [drawn(limits=at)[1].collections[0].colorbar.extend for at in (
        (0.5, 1.5), (0.0, 1.5), (0.5, 3.0), (0.0, 3.0))]  # fmt: skip
    assert bars == ["both", "max", "min", "neither"]


def test_what_is_not_finite_is_grey():
    values = VALUES.copy()
    values[0, 0], values[1, 2] = np.nan, np.inf
    picture, axes = drawn(values)
    (mesh,) = axes.collections
    np.testing.assert_array_equal(mesh.get_array().mask, ~np.isfinite(values))
    assert mesh.get_clim() == (0.25, 2.0)
    assert mesh.cmap.get_bad()[:3] == pytest.approx([0.6, 0.6, 0.6])
    assert "largest 2 at 2, 0" in picture.alt_text


def test_curves_are_lines_and_paths_have_their_steps_marked():
    points = (np.array([0.0, 1.0, 99.0]), np.array([0.0, 10.0, 99.0]))
    before = drawn()[1].get_xlim(), drawn()[1].get_ylim()
    _, axes = drawn(curves={"border": points}, paths={"walk": points})
    curve, start, path = axes.lines
    np.testing.assert_array_equal(curve.get_xydata(), np.column_stack(points))
    np.testing.assert_array_equal(path.get_xydata(), np.column_stack(points))
    np.testing.assert_array_equal(start.get_xydata(), [[0, 0]])
    assert curve.get_marker() == "None" != path.get_marker()
    assert curve.get_color() != path.get_color() == start.get_color()
    assert curve.get_linestyle() != path.get_linestyle()
    assert (axes.get_xlim(), axes.get_ylim()) == before
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["border", "walk"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"values": VALUES.T}, r"values must have shape \(2, 3\); got \(3, 2\)"),
        ({"values": np.full((2, 3), np.nan)}, "at least one finite"),
        ({"middle": 2.0}, "middle must lie between the limits 0.25 and 2; got 2"),
        ({"curves": {"a": (X, np.ones((2, 2)))}}, "line 'a', y must have shape"),
    ],
)
def test_what_does_not_fit_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        drawn(**change)


@pytest.mark.parametrize("x", [X[::-1], np.zeros(3), X[:1]])
def test_axes_must_rise(x):
    with pytest.raises(ValueError, match="x must hold at least two numbers, rising"):
        map_plots.heat_map(x, Y, VALUES, **NAMES)


class TestGrowthMap:
    GAINS, STDS = np.array([0.5, 1.0, 2.0]), np.array([0.0, 1.0])
    FACTORS = np.array([[0.5, 1.0, 2.0], [0.1, 0.5, 1.1]])
    BORDER = (np.array([1.0, 1.9]), STDS)

    def drawn(self, **choice):
        picture = map_plots.growth_map(
            self.GAINS, self.STDS, self.FACTORS, self.BORDER, **{"gain": 2.0, "steps": 50, **choice}
        )
        return picture, *picture.figure.axes[:2]

    def test_the_factor_is_taken_to_the_power_of_the_steps(self):
        picture, left, right = self.drawn()
        mesh = left.collections[0]
        np.testing.assert_allclose(10 ** mesh.get_array(), self.FACTORS**50)
        assert mesh.get_clim() == (-38, 38)
        growth = right.lines[0].get_xdata()
        np.testing.assert_allclose(growth, 50 * np.log10([2.0, 1.1]))
        assert "10^15 at input std 0, 10^2 at input std 1" in picture.alt_text
        assert "50 steps" in left.get_title()

    def test_the_gain_and_the_border_stand_on_the_map(self):
        _, left, right = self.drawn(gain=0.5)
        border, line = left.lines
        np.testing.assert_array_equal(border.get_xdata(), [1.0, 1.9])
        np.testing.assert_array_equal(line.get_xdata(), [0.5, 0.5])
        np.testing.assert_allclose(right.lines[0].get_xdata(), 50 * np.log10([0.5, 0.1]))

    def test_a_growth_beyond_float32_stays_in_the_picture(self):
        _, _, right = self.drawn(steps=1000)
        assert right.get_xlim()[1] > 1000 * np.log10(2)

    @pytest.mark.parametrize(
        ("choice", "message"),
        [
            ({"gain": 3.0}, r"gain must be one of \[0\.5, 1\.0, 2\.0\]; got 3"),
            ({"steps": 0}, "steps must be at least 1"),
        ],
    )
    def test_choices_that_are_none(self, choice, message):
        with pytest.raises(ValueError, match=message):
            self.drawn(**choice)
