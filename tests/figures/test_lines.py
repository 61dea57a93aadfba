"""helpers.figures.lines: the lines, bars and dots that are drawn, and their description."""

import numpy as np

from helpers.figures import curves, dots, film, panels, shares
from helpers.figures.look import COLOURS, DASHES, MARKERS, line_style

NAMES = {"title": "T", "xlabel": "x", "ylabel": "y"}
RUNS = {"one": np.array([1.0, 10.0, 100.0, 1000.0]), "two": np.array([2.0, np.inf])}


def test_curves_draw_lines_dots_and_level_as_given():
    x = np.arange(3.0)
    measured = {"measured": (np.array([1.0]), np.array([2.0]))}
    picture = curves(
        x, {"theory": x + 1}, dots=measured, level=(1.5, "limit"), log_y=False, **NAMES
    )
    (axes,) = picture.figure.axes
    points, line, level = axes.lines
    np.testing.assert_array_equal(points.get_xydata(), [[1.0, 2.0]])
    np.testing.assert_array_equal(line.get_ydata(), x + 1)
    assert list(level.get_ydata()) == [1.5, 1.5]
    assert points.get_color() == line.get_color()
    assert [text.get_text() for text in axes.texts] == ["limit"]
    assert picture.alt_text == "T. y, over x. theory: 1 at 0, 3 at 2."


def test_curves_are_named_where_they_end_and_names_that_would_meet_are_moved_apart():
    lines = {"low": np.array([5.0, 1.0]), "high": np.array([1.0, 100.0])}
    lines |= dict.fromkeys(("also high", "and high", "high, too"), lines["high"])
    (axes,) = curves(np.arange(2), lines, **NAMES).figure.axes
    heights = {text.get_text(): text.get_position()[1] for text in axes.texts}
    assert min(heights, key=heights.get) == "low"
    assert heights["low"] < 0.3
    assert 0.8 < max(heights.values()) < 1.05
    assert np.diff(sorted(heights.values())).min() > 0.06


def test_curves_describe_sizes_on_a_log_axis_and_skip_what_is_not_finite():
    values = np.array([np.nan, 1e-8, 1e-3])
    picture = curves(np.arange(3), {"a": values}, **NAMES)
    assert "a: ~ 10^-8 at 1, ~ 0.001 at 2" in picture.alt_text


def test_dots_stand_in_a_row_for_each_name():
    rows = {"a": [1.0, 5.0, 3.0], "b": [2.0]}
    picture = dots(rows, title="T", xlabel="steps", level=(4, "predicted"))
    (axes,) = picture.figure.axes
    for index, (line, values) in enumerate(zip(axes.lines, rows.values(), strict=False)):
        np.testing.assert_array_equal(line.get_xdata(), values)
        assert (np.rint(line.get_ydata()) == -index).all()
    assert [line.get_xdata()[0] for line in axes.lines[2:]] == [4]
    assert "a: 3 dots from 1 to 5, median 3; b: 1 dots" in picture.alt_text
    assert "predicted, at 4." in picture.alt_text


def test_shares_draw_a_bar_for_each_word_and_label():
    parts = {"x": np.array([0.02, 99]), "y": np.array([40, 60])}
    picture = shares(["a", "b"], parts, title="S")
    (axes,) = picture.figure.axes
    assert [bar.get_height() for bar in axes.patches] == [0.02, 99, 40, 60]
    assert [text.get_text() for text in axes.texts] == ["0.02 %", "99 %", "40 %", "60 %"]
    assert "x: a 0.02 %, b 99 %; y: a 40 %, b 60 %" in picture.alt_text


def test_each_measure_has_a_panel_and_each_run_a_line():
    norms = {"one": np.array([3.0, 4.0]), "two": np.array([5.0, 6.0])}
    picture = panels(
        {"loss": RUNS, "norm": norms}, title="T", log_y=["norm"], level=("norm", 5.0, "limit")
    )
    loss, norm = picture.figure.axes
    assert (loss.get_ylabel(), norm.get_ylabel()) == ("loss", "norm")
    assert (loss.get_yscale(), norm.get_yscale()) == ("linear", "log")
    np.testing.assert_array_equal(loss.lines[0].get_xydata()[:, 0], [1, 2, 3, 4])
    np.testing.assert_array_equal(loss.lines[0].get_ydata(), RUNS["one"])
    assert norm.lines[1].get_color() == loss.lines[1].get_color() != loss.lines[0].get_color()
    assert list(norm.lines[-1].get_ydata()) == [5.0, 5.0]
    assert ([t.get_text() for t in norm.texts], len(loss.texts)) == (["limit"], 0)
    [legend] = picture.figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["one", "two"]
    assert "loss, one: 1 at 1, 1e+03 at 4; loss, two: 2 at 1, 2 at 1; norm, one" in picture.alt_text


def test_what_is_not_finite_is_a_cross_on_the_upper_edge():
    picture = panels({"loss": RUNS}, title="T", alt_text="As said")
    (axes,) = picture.figure.axes
    line, cross = axes.lines[1:]
    np.testing.assert_array_equal(line.get_ydata(), [2.0, np.nan])
    np.testing.assert_array_equal(cross.get_ydata(), [np.nan, 1.0])
    assert cross.get_transform() == axes.get_xaxis_transform()
    assert cross.get_color() == line.get_color()
    assert picture.alt_text.endswith("As said.")


def test_film_draws_signal_memory_and_loss_and_marks_the_events():
    steps, signal, z = np.array([0, 10, 20]), np.array([1e-20, 1e-2, 0.1]), np.array([0.9, 0.99, 1])
    events = {"the signal arrives": 10, "the loss falls": 20}
    picture = film(steps, signal, z, np.array([0.7, 0.7, 0.1]), title="T", events=events)
    rows = picture.figure.axes
    np.testing.assert_array_equal(rows[0].lines[0].get_ydata(), signal)
    np.testing.assert_allclose(rows[1].lines[0].get_ydata()[:2], [10, 100])
    assert np.isfinite(rows[1].lines[0].get_ydata()).all()  # a gate that rounds to 1
    assert [axes.get_yscale() for axes in rows] == ["log", "log", "linear"]
    for axes in rows:
        assert [line.get_xdata()[0] for line in axes.lines[1:]] == [10, 20]
    assert picture.alt_text.endswith("the signal arrives at step 10; the loss falls at step 20.")


def test_lines_differ_in_dash_and_marker_as_well_as_colour():
    styles = [line_style(index) for index in range(len(COLOURS))]
    for key in ("color", "linestyle", "marker"):
        assert len({str(style[key]) for style in styles}) == len(COLOURS) == len(DASHES)
    assert len({line_style(index)["marker"] for index in range(8)}) == len(MARKERS) == 8
