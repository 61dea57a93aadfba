"""helpers.figures.maps: colours, lines and words of the maps and of the cliff."""

import numpy as np
import pytest

from helpers.figures import cliff_cut, descents, heat_map
from helpers.figures.maps import phase_at
from helpers.measure import cliff, mean_field


def test_a_map_has_each_value_at_its_place_and_what_is_drawn_on_it():
    x, y = np.array([0.0, 1.0, 2.0]), np.array([0.0, 10.0])
    values = np.array([[0.5, 1.0, 2.0], [0.25, 0.5, 1.5]])
    line = (np.array([0.0, 1.0, 99.0]), np.array([0.0, 10.0, 99.0]))
    picture = heat_map(
        x, y, values, title="T", xlabel="gain", ylabel="noise", zlabel="factor", middle=1.0,
        curves={"border": line}, marks={"default": (0.6, 5.0)}, sides={"explodes": (2.0, 1.0)},
    )  # fmt: skip
    axes, scale = picture.figure.axes
    (mesh,) = axes.collections
    np.testing.assert_array_equal(mesh.get_array(), values)
    corners = mesh.get_coordinates()
    np.testing.assert_allclose(corners[0, :, 0], [-0.5, 0.5, 1.5, 2.5])
    np.testing.assert_allclose(corners[:, 0, 1], [-5, 5, 15])
    low, middle, high = (mesh.to_rgba(np.array([[v]]))[0, 0] for v in (0.25, 1.0, 2.0))
    assert middle[:3].min() > 0.95
    assert low[2] > low[0]
    assert high[0] > high[2]
    curve, mark = axes.lines
    np.testing.assert_array_equal(curve.get_xydata(), np.column_stack(line))
    np.testing.assert_array_equal(mark.get_xydata(), [[0.6, 5.0]])
    assert [text.get_text() for text in axes.texts] == ["explodes", "default"]
    assert axes.get_xlim() == (-0.5, 2.5)
    assert (axes.get_xlabel(), axes.get_ylabel(), scale.get_ylabel()) == ("gain", "noise", "factor")
    assert "smallest 0.25 at 0, 10; largest 2 at 2, 0" in picture.alt_text
    assert picture.alt_text.endswith("a line: border. default at 0.6, 5.")


@pytest.mark.parametrize(("gain", "steps"), [(0.5, 10), (2.0, 100), (2.0, 1000)])
def test_the_phase_map_is_the_theorys_factor_to_the_power_of_the_steps_on_axes_that_stay(
    gain, steps
):
    picture = phase_at(gain, steps)
    left, scale, right = picture.figure.axes
    growth, input_stds = right.lines[0].get_data()
    expected = [steps * np.log10(mean_field.mean_field_factor(gain, s)) for s in input_stds]
    np.testing.assert_allclose(growth, expected)
    border, chosen = left.lines
    assert border.get_xdata()[0] == 1.0
    assert border.get_xdata()[-1] == pytest.approx(mean_field.critical_gain(2.5))
    assert chosen.get_xdata()[0] == gain
    column = list(np.arange(1, 17) / 4).index(gain)
    np.testing.assert_allclose(left.collections[0].get_array()[:, column], expected)
    assert scale.get_ylim() == left.collections[0].get_clim() == (-38, 38)
    assert right.get_xlim() == (-114, 114)
    assert left.get_ylim() == right.get_ylim()
    assert f"grows by 10^{expected[0]:.0f} at input std 0, 10^" in picture.alt_text


@pytest.mark.parametrize(
    ("start", "rate", "max_norm", "told"),
    [
        ((6.0, -2.0), 10.0, None, "stays on the map, ends on a plateau"),
        ((6.0, -2.0), 10.0, 0.1, "stays on the map, ends in the valley"),
        ((7.0, -3.2), 5.0, None, "leaves the map"),
    ],
)
def test_a_descent_is_drawn_on_the_surface_and_over_the_steps(start, rate, max_norm, told):
    w, b, errors, _ = cliff.surface(points=7)
    path = cliff.descend(start, rate, 60, max_norm)
    picture = descents(w, b, errors, {"one": path, "it": path}, title="T")
    left, _, right = picture.figure.axes
    np.testing.assert_array_equal(left.collections[0].get_array(), errors)
    (line,) = (line for line in left.lines if line.get_label() == "it")
    np.testing.assert_array_equal(line.get_xydata(), path.points)
    np.testing.assert_array_equal(right.lines[1].get_ydata(), path.errors)
    assert right.lines[1].get_color() == line.get_color()
    assert f"it: {told}" in picture.alt_text


def test_the_cut_tells_where_the_wall_is():
    b = np.linspace(-4, 0, 5)
    picture = cliff_cut(b, np.array([0.5, 0.4, 0.1, 0.1, 0.1]), title="T", at="w = 6")
    (line,) = picture.figure.axes[0].lines
    np.testing.assert_array_equal(line.get_xdata(), b)
    assert picture.alt_text.endswith("E jumps by 0.3 at b = -3.")
