"""helpers.figures.words: what is drawn over a sentence, and how it is described."""

import numpy as np
import pytest

from helpers.figures import behaviour_and_signal, over_words, stacked

WORDS = ["the", "cats", ",", "which", "ate"]
RISING = np.array([1e-5, 1e-4, 1e-3, 1e-2, 1e-1])


def test_over_words_draws_each_line_over_the_words():
    lines = {"RNN": np.array([0.1, 0.9]), "GRU": np.array([0.2, 0.3])}
    picture = over_words(["a", "b"], lines, title="T", ylabel="P", subject=1)
    (axes,) = picture.figure.axes
    np.testing.assert_array_equal([line.get_ydata() for line in axes.lines], [*lines.values()])
    (span,) = axes.patches
    assert (span.get_x(), span.get_width()) == (0.5, 1)
    assert picture.alt_text == "T. P after each word. RNN: a 0.1, b 0.9; GRU: a 0.2, b 0.3."


def test_behaviour_and_signal_share_their_words():
    change = np.array([0, 0.9, 0, 0, 0])
    picture = behaviour_and_signal(WORDS, change, RISING, subject=1, title="B", verb="were")
    above, below = picture.figure.axes
    assert [bar.get_height() for bar in above.patches[:5]] == [0, 0.9, 0, 0, 0]
    np.testing.assert_array_equal(below.lines[0].get_ydata(), RISING)
    labels = below.get_xticklabels()
    assert [label.get_text() for label in labels] == [*WORDS, "were"]
    assert labels[1].get_fontweight() == labels[-1].get_fontweight() == "bold"
    assert below.get_xlim()[1] > 5  # the verb is on the axes
    assert "when a noun is flipped: cats 0.90." in picture.alt_text


def test_stacked_bars_stand_on_one_another():
    parts = {"kept": np.array([0.5, 0.6, 0.7]), "update": np.array([0.1, 0.2, 0.3])}
    panels = {"fresh": parts, "biased": parts}
    picture = stacked(WORDS[:3], panels, title="T", ylabel="factor")
    above, below = picture.figure.axes
    bars = np.array([[bar.get_y(), bar.get_height()] for bar in above.patches])
    np.testing.assert_allclose(bars[:3], [[0, 0.5], [0, 0.6], [0, 0.7]])
    np.testing.assert_allclose(bars[3:], [[0.5, 0.1], [0.6, 0.2], [0.7, 0.3]])
    assert [text.get_text() for text in below.get_xticklabels()] == WORDS[:3]
    assert "fresh, mean over the words: kept 0.60, update 0.20." in picture.alt_text


@pytest.mark.parametrize("count", [9, 30])
def test_words_below_the_axes_stay_on_the_card(count):
    lines = {"RNN": np.ones(count)}
    picture = over_words(["afterwards"] * count, lines, title="T", ylabel="P", subject=1)
    picture.png()
    (axes,) = picture.figure.axes
    assert min(label.get_window_extent().y0 for label in axes.get_xticklabels()) > 0
