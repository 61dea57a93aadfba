"""helpers.figures.maps: colours, lines and words of the maps and of the cliff."""

import numpy as np
import pytest
from matplotlib.colors import TwoSlopeNorm

from helpers.figures import cliff_cut, descents, growth_map, heat_map
from helpers.measure import cliff

X, Y = np.array([0.0, 1.0, 2.0]), np.array([0.0, 10.0])
VALUES = np.array([[0.5, 1.0, 2.0], [0.25, 0.5, 1.5]])
NAMES = {"title": "T", "xlabel": "gain", "ylabel": "noise", "zlabel": "factor"}


def drawn(values=VALUES, **options):
    picture = heat_map(X, Y, values, **NAMES, **options)
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
    assert "smallest 0.25 at 0, 10; largest 2 at 2, 0" in picture.alt_text


def test_lines_marks_and_sides_are_drawn_and_described():
    line = (np.array([0.0, 1.0, 99.0]), np.array([0.0, 10.0, 99.0]))
    before = drawn()[1].get_xlim()
    picture, axes = drawn(
        curves={"border": line}, marks={"default": (0.6, 5.0)}, sides={"explodes": (2.0, 1.0)},
        alt_text="As said",
    )  # fmt: skip
    curve, mark = axes.lines
    np.testing.assert_array_equal(curve.get_xydata(), np.column_stack(line))
    np.testing.assert_array_equal(mark.get_xydata(), [[0.6, 5.0]])
    assert [text.get_text() for text in axes.texts] == ["explodes", "default"]
    assert axes.get_xlim() == before
    assert picture.alt_text.endswith("As said. a line: border. default at 0.6, 5.")


def test_the_middle_is_light_and_the_ends_are_of_two_colours():
    _, axes = drawn(middle=1.0)
    (mesh,) = axes.collections
    assert isinstance(mesh.norm, TwoSlopeNorm)
    low, middle, high = (mesh.to_rgba(np.array([[v]]))[0, 0] for v in (0.25, 1.0, 2.0))
    assert middle[:3].min() > 0.95
    assert low[2] > low[0]
    assert high[0] > high[2]


def test_what_is_not_finite_is_grey():
    values = VALUES.copy()
    values[0, 0], values[1, 2] = np.nan, np.inf
    _, axes = drawn(values)
    (mesh,) = axes.collections
    np.testing.assert_array_equal(mesh.get_array().mask, ~np.isfinite(values))
    assert mesh.get_clim() == (0.25, 2.0)
    assert mesh.cmap.get_bad()[:3] == pytest.approx([0.6, 0.6, 0.6])


class TestGrowthMap:
    GAINS, STDS = np.array([0.5, 1.0, 2.0]), np.array([0.0, 1.0])
    FACTORS = np.array([[0.5, 1.0, 2.0], [0.1, 0.5, 1.1]])

    def drawn(self, gain=2.0, steps=50):
        border = (np.array([1.0, 1.9]), self.STDS)
        picture = growth_map(self.GAINS, self.STDS, self.FACTORS, border, gain=gain, steps=steps)
        return picture, *picture.figure.axes[:2]

    def test_the_factor_is_taken_to_the_power_of_the_steps(self):
        picture, left, right = self.drawn()
        np.testing.assert_allclose(10 ** left.collections[0].get_array(), self.FACTORS**50)
        np.testing.assert_allclose(right.lines[0].get_xdata(), 50 * np.log10([2.0, 1.1]))
        np.testing.assert_array_equal(left.lines[0].get_xdata(), [1.0, 1.9])
        assert left.lines[1].get_xdata()[0] == 2.0
        assert "10^15 at input std 0, 10^2 at input std 1" in picture.alt_text

    def test_the_axes_stay_where_they_are(self):
        for gain, steps in ((0.5, 10), (2.0, 1000)):
            _, left, right = self.drawn(gain, steps)
            assert left.collections[0].get_clim() == (-38, 38)
            assert right.get_xlim() == (-114, 114)

    @pytest.mark.parametrize("choice", [{"gain": 3.0}, {"steps": 0}])
    def test_choices_that_are_none(self, choice):
        with pytest.raises(ValueError, match=r"gain must be one of \[0\.5, 1\.0, 2\.0\]"):
            self.drawn(**choice)


def test_descents_are_drawn_on_the_surface_and_over_the_steps():
    w, b, errors, _ = cliff.surface(points=7)
    paths = {
        "free": cliff.descend((6.0, -2.0), 10.0, 60),
        "bound": cliff.descend((6.0, -2.0), 10.0, 60, max_norm=0.1),
        "far": cliff.descend((7.0, -3.2), 5.0, 60),
    }
    picture = descents(w, b, errors, paths)
    left, right = picture.figure.axes[:2]
    np.testing.assert_array_equal(left.collections[0].get_array(), errors)
    lines = {line.get_label(): line for line in left.lines}
    for line, (name, path) in zip(right.lines, paths.items(), strict=True):
        np.testing.assert_array_equal(lines[name].get_xydata(), path.points)
        np.testing.assert_array_equal(line.get_ydata(), path.errors)
        assert line.get_color() == lines[name].get_color()
    assert "free: stays on the map, ends on a plateau" in picture.alt_text
    assert "bound: stays on the map, ends in the valley" in picture.alt_text
    assert "far: leaves the map" in picture.alt_text


def test_the_cut_tells_where_the_wall_is():
    b = np.linspace(-4, 0, 5)
    picture = cliff_cut(b, np.array([0.5, 0.4, 0.1, 0.1, 0.1]), title="T")
    (line,) = picture.figure.axes[0].lines
    np.testing.assert_array_equal(line.get_xdata(), b)
    assert picture.alt_text.endswith("E jumps by 0.3 at b = -3.")
