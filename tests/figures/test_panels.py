"""Panels are tested by the lines, crosses and words they draw."""

import warnings

import numpy as np
import pytest

from helpers.figures.panels import panels

RUNS = {"one": np.array([1.0, 10.0, 100.0, 1000.0]), "two": np.array([2.0, np.inf])}


def drawn(measures=None, **options):
    picture = panels(measures or {"loss": RUNS}, title="T", alt_text="As said", **options)
    return picture, picture.figure.axes


def test_each_measure_has_a_panel_and_each_run_a_line():
    _, (loss, norm) = drawn({"loss": RUNS, "norm": {"two": np.array([3.0, 4.0])}}, log_y=["norm"])
    assert (loss.get_ylabel(), norm.get_ylabel()) == ("loss", "norm")
    assert (loss.get_yscale(), norm.get_yscale()) == ("linear", "log")
    assert norm.get_xlabel() == "optimizer step"
    np.testing.assert_array_equal(loss.lines[0].get_xdata(), [1, 2, 3, 4])
    np.testing.assert_array_equal(loss.lines[0].get_ydata(), RUNS["one"])
    assert norm.lines[0].get_color() == loss.lines[1].get_color()
    assert norm.lines[0].get_color() != loss.lines[0].get_color()


def test_what_is_not_finite_is_a_cross_on_the_upper_edge():
    _, (axes,) = drawn()
    line, cross = axes.lines[1:]
    np.testing.assert_array_equal(line.get_ydata(), [2.0, np.nan])
    np.testing.assert_array_equal(cross.get_xydata(), [[2, 1]])
    assert cross.get_transform() == axes.get_xaxis_transform()
    assert cross.get_color() == line.get_color()


def test_the_legend_names_each_run_once():
    picture, _ = drawn({"loss": RUNS, "norm": RUNS})
    (legend,) = picture.figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["one", "two"]


def test_a_level_stands_in_its_panel():
    _, (loss, norm) = drawn({"loss": RUNS, "norm": RUNS}, level=("norm", 5.0, "limit"))
    assert list(norm.lines[-1].get_ydata()) == [5.0, 5.0]
    assert [text.get_text() for text in norm.texts] == ["limit"]
    assert not loss.texts


def test_the_description_is_what_it_was_told():
    picture, _ = drawn({"loss": RUNS, "norm": RUNS})
    assert picture.alt_text == "T. loss, norm, over the optimizer step. As said."


@pytest.mark.parametrize("count", [1, 4])
def test_the_layout_finds_room(count):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        names = {f"a network with a long name, {i}": RUNS["two"] for i in range(4)}
        drawn({f"panel {i}": names for i in range(count)})[0].png()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"log_y": ["gap"]}, "no panel is named 'gap'"),
        ({"level": ("gap", 1.0, "x")}, "no panel is named 'gap'"),
        ({"measures": {"loss": {"one": np.ones((2, 2))}}}, "line 'one' of 'loss' must have shape"),
        ({"measures": {"loss": {"one": ["a"]}}}, "line 'one' of 'loss' must be float"),
    ],
)
def test_what_does_not_fit_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        drawn(**options)
