"""helpers.figures.words: what is drawn over a sentence, and how it is described."""

import numpy as np
import pytest

from helpers.figures import behaviour_and_signal, over_words, stacked, strip

WORDS = ["the", "cats", ",", "which", "ate"]
RISING = np.array([1e-5, 1e-4, 1e-3, 1e-2, 1e-1])


def drawn(signals, words=WORDS, **options):
    picture = strip(words, signals, subject=1, verb="were", title="T", **options)
    return picture, picture.figure.axes[0]


def test_strip_draws_the_logarithm_of_the_signal_and_the_verb_after_the_last_word():
    picture, axes = drawn({"RNN": RISING})
    np.testing.assert_allclose(axes.lines[0].get_ydata(), [-5, -4, -3, -2, -1])
    labels = axes.get_xticklabels()
    assert [label.get_text() for label in labels] == [*WORDS, "were"]
    assert labels[1].get_fontweight() == labels[-1].get_fontweight() == "bold"
    assert picture.figure.get_suptitle() == "T"
    assert "Left at the subject 'cats': RNN: 1 part in 1,000." in picture.alt_text


def test_strip_names_each_line_beside_it_with_what_is_left():
    _, axes = drawn({"RNN": RISING, "GRU": np.ones(5)})
    texts = {text.get_text(): text for text in axes.texts}
    low, high = texts["RNN\ncats: 1 part in 1,000"], texts["GRU\ncats: about all of it"]
    assert low.get_position()[1] < high.get_position()[1]
    assert [low.get_color(), high.get_color()] == [line.get_color() for line in axes.lines[::2]]


def test_labels_that_would_meet_are_moved_apart():
    _, axes = drawn(dict.fromkeys("abcd", RISING))
    heights = sorted(t.get_position()[1] for t in axes.texts if "\n" in t.get_text())
    assert np.diff(heights).min() > 0.1
    assert heights[-1] < 1.05


def test_strip_marks_a_signal_of_exactly_zero_at_the_bottom_edge():
    picture, axes = drawn({"RNN": np.array([0.0, 0.0, 1e-3, 1e-2, 1e-1])}, floor=1e-2)
    alive, dead, floor = axes.lines
    assert np.isnan(alive.get_ydata()[:2]).all()
    np.testing.assert_array_equal(dead.get_xydata(), [[0, axes.get_ylim()[0]], [1, -4]])
    assert floor.get_ydata()[0] == -2
    assert "cats': RNN: 0, rounded away" in picture.alt_text


def test_strip_draws_a_signal_that_is_zero_everywhere():
    _, axes = drawn({"RNN": np.zeros(5)})
    assert len(axes.lines[1].get_xdata()) == 5


def test_strip_of_a_long_sentence_names_only_subject_and_verb():
    _, axes = drawn({"RNN": np.ones(100)}, ["the", "cat", *["then"] * 98])
    assert [label.get_text() for label in axes.get_xticklabels()] == ["cat", "were"]


def test_an_alt_text_takes_the_place_of_the_numbers():
    picture, _ = drawn({"RNN": RISING}, alt_text="It falls")
    assert picture.alt_text.endswith("Left at the subject 'cats': It falls.")


def test_over_words_draws_each_line_over_the_words():
    lines = {"RNN": np.array([0.1, 0.9]), "GRU": np.array([0.2, 0.3])}
    picture = over_words(["a", "b"], lines, title="T", ylabel="P", subject=1)
    (axes,) = picture.figure.axes
    np.testing.assert_array_equal([line.get_ydata() for line in axes.lines], [*lines.values()])
    (span,) = axes.patches
    assert (span.get_x(), span.get_width()) == (0.5, 1)
    assert picture.alt_text == "T. P after each word. RNN: a 0.1, b 0.9; GRU: a 0.2, b 0.3."


def test_behaviour_and_signal_share_their_words():
    change = np.array([np.nan, 0.9, np.nan, np.nan, np.nan])
    picture = behaviour_and_signal(WORDS, change, RISING, subject=1, title="B", verb="were")
    above, below = picture.figure.axes
    assert [bar.get_height() for bar in above.patches[:5]] == [0, 0.9, 0, 0, 0]
    np.testing.assert_allclose(below.lines[0].get_ydata(), [-5, -4, -3, -2, -1])
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


@pytest.mark.parametrize("count", [2, 9, 30, 59])
def test_words_below_the_axes_stay_on_the_card(count):
    picture, axes = drawn({"RNN": np.ones(count)}, ["afterwards"] * count)
    picture.png()
    assert min(label.get_window_extent().y0 for label in axes.get_xticklabels()) > 0
