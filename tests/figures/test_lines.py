"""Figures are tested by the data they draw and the words that describe them."""

from __future__ import annotations

import numpy as np
import pytest

from helpers.figures import lines as plots
from helpers.figures.picture import COLOURS, DASHES, MARKERS, line_style

WORDS = ["the", "cats", ",", "which", "ate"]


def test_strip_draws_the_logarithm_of_the_signal_above_each_word():
    signal = np.array([1e-5, 1e-4, 1e-3, 1e-2, 1e-1])
    picture = plots.strip(WORDS, {"RNN": signal}, subject=1, title="Fading")
    axes = picture.figure.axes[0]
    np.testing.assert_allclose(axes.lines[0].get_ydata(), [-5, -4, -3, -2, -1])
    assert [label.get_text() for label in axes.get_xticklabels()] == WORDS
    assert "10^-4 at the subject 'cats'" in picture.alt_text
    assert "10^-1 at the last word 'ate'" in picture.alt_text


def test_strip_marks_a_signal_of_exactly_zero_at_the_bottom_edge():
    signal = np.array([0.0, 0.0, 1e-3, 1e-2, 1e-1])
    picture = plots.strip(WORDS, {"RNN": signal}, subject=1, title="Zero")
    axes = picture.figure.axes[0]
    alive, dead = axes.lines[:2]
    assert np.isnan(alive.get_ydata()[:2]).all()
    np.testing.assert_array_equal(dead.get_xdata(), [0, 1])
    np.testing.assert_array_equal(dead.get_ydata(), [axes.get_ylim()[0]] * 2)
    assert "exactly 0 at the subject" in picture.alt_text


def test_strip_tells_of_a_trained_network_without_its_numbers():
    drawn = {"RNN": np.ones(5)}
    picture = plots.strip(WORDS, drawn, subject=1, title="T", alt_text="It stays level")
    assert "It stays level." in picture.alt_text
    assert "10^" not in picture.alt_text


def test_strip_draws_a_signal_that_is_zero_everywhere():
    picture = plots.strip(WORDS, {"RNN": np.zeros(5)}, subject=1, title="Nothing left")
    assert len(picture.figure.axes[0].lines[1].get_xdata()) == 5


def test_strip_of_a_long_sentence_names_only_subject_and_last_word():
    words = ["the", "cat", *["then"] * 98]
    picture = plots.strip(words, {"RNN": np.ones(100)}, subject=1, title="Long")
    labels = [label.get_text() for label in picture.figure.axes[0].get_xticklabels()]
    assert labels == ["cat", "then"]


def test_strip_refuses_a_signal_of_another_length():
    with pytest.raises(ValueError, match=r"signal 'RNN' must have shape \(5,\).*got \(4,\)"):
        plots.strip(WORDS, {"RNN": np.ones(4)}, subject=1, title="Wrong")


def test_curves_draw_lines_dots_and_level_as_given():
    x = np.arange(3.0)
    picture = plots.curves(
        x,
        {"theory": x + 1},
        dots={"measured": (np.array([1.0]), np.array([2.0]))},
        level=(1.5, "limit"),
        title="T",
        xlabel="x",
        ylabel="y",
        log_y=False,
    )
    dots, line, level = picture.figure.axes[0].lines
    np.testing.assert_array_equal(dots.get_xydata(), [[1.0, 2.0]])
    np.testing.assert_array_equal(line.get_ydata(), x + 1)
    assert list(level.get_ydata()) == [1.5, 1.5]
    assert dots.get_color() == line.get_color()
    assert picture.alt_text == "T. y, over x. theory: 1 at 0, 3 at 2."


def test_curves_describe_magnitudes_on_a_log_axis_and_skip_what_is_not_finite():
    values = np.array([np.nan, 1e-8, 1e-3])
    picture = plots.curves(np.arange(3), {"a": values}, title="T", xlabel="x", ylabel="y")
    assert "a: 10^-8 at 1, 10^-3 at 2" in picture.alt_text


def test_curves_refuse_a_line_of_another_length():
    with pytest.raises(ValueError, match=r"line 'b' has shape \(2,\), x has \(3,\)"):
        plots.curves(np.arange(3), {"b": np.ones(2)}, title="", xlabel="", ylabel="")


def test_runs_by_gap_draws_a_dot_for_each_seed_and_the_share_that_learned():
    results = {"RNN": {5: [1.0, 0.99, 0.96], 80: [0.5, 0.97, 0.48]}}
    picture = plots.runs_by_gap(results, title="Success")
    above, below = picture.figure.axes
    np.testing.assert_array_equal(above.lines[0].get_ydata(), results["RNN"][5])
    np.testing.assert_array_equal(above.lines[1].get_ydata(), results["RNN"][80])
    np.testing.assert_allclose(below.lines[0].get_ydata(), [1, 1 / 3])
    assert "gaps 5, 80" in picture.alt_text
    assert "3 seeds" in picture.alt_text


def test_shares_draw_a_bar_for_each_word_and_label():
    picture = plots.shares(["a", "b"], {"x": np.array([1, 99]), "y": np.array([40, 60])}, title="S")
    heights = [bar.get_height() for bar in picture.figure.axes[0].patches]
    assert heights == [1, 99, 40, 60]
    assert "first word 'a': x: 1 %; y: 40 %" in picture.alt_text


def test_over_words_draws_each_line_over_the_words():
    lines = {"RNN": np.array([0.1, 0.9])}
    picture = plots.over_words(["a", "b"], lines, title="T", ylabel="P")
    np.testing.assert_array_equal(picture.figure.axes[0].lines[0].get_ydata(), [0.1, 0.9])
    assert len(picture.figure.axes[0].patches) == 0
    assert "RNN: a 0.1, b 0.9" in picture.alt_text
    marked = plots.over_words(["a", "b"], lines, title="T", ylabel="P", subject=1)
    (span,) = marked.figure.axes[0].patches
    assert (span.get_x(), span.get_width()) == (0.5, 1)


def test_unrolled_has_a_state_for_each_word_and_a_factor_between_any_two():
    picture = plots.unrolled(WORDS, verb="were")
    texts = [text.get_text() for text in picture.figure.axes[0].texts]
    assert sum(text.startswith("$h_") for text in texts) == 5
    assert sum(text.startswith("$J_") for text in texts) == 4
    assert "4 factors" in picture.alt_text


def test_behaviour_and_signal_share_their_words():
    change = np.array([np.nan, 0.9, np.nan, np.nan, np.nan])
    signal = np.array([1e-9, 1e-6, 1e-4, 1e-2, 1.0])
    picture = plots.behaviour_and_signal(WORDS, change, signal, subject=1, title="B")
    above, below = picture.figure.axes
    assert [bar.get_height() for bar in above.patches[:5]] == [0, 0.9, 0, 0, 0]
    np.testing.assert_allclose(below.lines[0].get_ydata(), [-9, -6, -4, -2, 0])
    assert "The subject is 'cats'" in picture.alt_text


def test_lines_differ_in_dash_and_marker_as_well_as_colour():
    styles = [line_style(index) for index in range(len(COLOURS))]
    for key in ("color", "linestyle", "marker"):
        assert len({str(style[key]) for style in styles}) == len(COLOURS) == len(DASHES)
    networks = [line_style(index)["marker"] for index in range(8)]
    assert len(set(networks)) == len(MARKERS) == 8


@pytest.mark.parametrize(
    ("value", "text"), [(3e-7, "10^-7"), (1.0, "10^0"), (0.0, "exactly 0"), (np.inf, "inf")]
)
def test_magnitude(value, text):
    assert plots.magnitude(value) == text
