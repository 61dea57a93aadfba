"""helpers.figures.ink: how black each word is, where it stands, and what is said to be left."""

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb

from helpers.figures.ink import WIDTH, ink, what_is_left

WORDS = ["the", "cats", ",", "which", "ate", ","]
CALL = {"subject": 1, "verb": "were", "title": "T"}


def written(picture):
    """The sentence's pieces by their text, of the first row that holds each."""
    texts = picture.figure.axes[0].texts
    return {text.get_text(): text for text in reversed(texts) if "STIX" in text.get_fontname()}


def paleness(picture):
    """From black to white how pale each word is."""
    return {word: sum(to_rgb(text.get_color())) / 3 for word, text in written(picture).items()}


@pytest.mark.parametrize(
    ("ratio", "text"),
    [
        (1.0, "about all of it"),
        (0.35, "about a third"),
        (0.012, "1 part in 83"),
        (1 / 17_412, "1 part in 17,000"),
        (1 / 362e6, "1 part in 360 million"),
        (1 / 1.23e9, "1 part in 1.2 billion"),
        (5e-324, "1 part in 10^323"),
        (0.0, "0, rounded away"),
        (2.04, "2 times as much"),
        (3e14, "10^14 times as much"),
        (np.inf, "beyond the largest float"),
        (np.nan, "beyond the largest float"),
    ],
)
def test_what_is_left(ratio, text):
    assert what_is_left(ratio) == text


def test_the_ink_fades_with_the_logarithm_of_the_signal():
    signal = np.array([0.0, 1e-9, 1e-6, 1e-3, 1.0, 2.0]) * 7
    found = paleness(ink("abcdef", {"RNN": signal}, subject=2, verb="v", title="T"))
    palest, at_a_billionth, at_a_thousandth, nearly, full = (found[word] for word in "Abdef")
    assert palest == at_a_billionth > at_a_thousandth > nearly > full
    assert palest - at_a_thousandth == pytest.approx(2 * (at_a_thousandth - full), rel=0.2)


def test_subject_and_verb_have_colours_of_their_own_and_the_subjects_fades():
    drawn = [ink(WORDS, {"RNN": np.geomspace(first, 1, 6)}, **CALL) for first in (1, 1e-12)]
    near, far = map(written, drawn)
    assert near["cats"].get_color() != near["which"].get_color() != near["were"].get_color()
    assert far["were"].get_color() == near["were"].get_color()
    assert paleness(drawn[1])["cats"] > paleness(drawn[0])["cats"]


def test_each_network_has_a_row_that_says_what_is_left():
    signals = {"RNN": np.array([1e-8, 2e-9, 1e-5, 1e-3, 0.1, 1.0]), "GRU": np.full(6, 3.0)}
    picture = ink(WORDS, signals, **CALL)
    texts = [text.get_text() for text in picture.figure.axes[0].texts]
    assert texts.count("were") == 2
    assert {"RNN", "cats: 1 part in 500 million", "GRU", "cats: about all of it"} <= set(texts)
    assert picture.alt_text.startswith("T. The sentence 'The cats, which ate, were'")
    assert "RNN: 1 part in 500 million; GRU: about all of it." in picture.alt_text


def test_in_a_film_words_not_reached_yet_are_pale_and_the_row_names_the_word_reached():
    signals = {"RNN": np.array([5e-7, 1e-6, 1e-5, 1e-3, 0.1, 1.0])}
    film = ink(WORDS, signals, **CALL, reached=3)
    whole, shown = paleness(ink(WORDS, signals, **CALL)), paleness(film)
    assert shown["which"] == whole["which"]
    assert shown["The"] > whole["The"]
    assert shown["cats"] > whole["cats"]
    assert "which: 1 part in 1,000" in [text.get_text() for text in film.figure.axes[0].texts]


def test_long_sentences_are_cut_in_the_middle_and_the_cut_is_counted():
    words = ["the", "cats", *[f"word{n}" for n in range(300)]]
    picture = ink(words, {"RNN": np.ones(302)}, **CALL)
    shown = [text for text in written(picture) if text.startswith("word")]
    assert {"word0", "word299", cut := f"… {300 - len(shown)} words …"} <= set(written(picture))
    assert cut in picture.alt_text


@pytest.mark.parametrize("count", [3, 12, 25, 59])
def test_the_lines_end_together_on_the_card_and_the_verb_ends_the_last(count):
    words = ["the", "cats", *["gratefully", ","] * count][:60]
    picture = ink(words, {"RNN": np.ones(len(words))}, **CALL)
    renderer = FigureCanvasAgg(picture.figure).get_renderer()
    texts = [text for text in picture.figure.axes[0].texts if "STIX" in text.get_fontname()]
    ends = {}
    for text in texts:
        ends[text.get_position()[1]] = text.get_window_extent(renderer).x1 / picture.figure.dpi
    assert max(ends.values()) < WIDTH
    assert np.ptp(list(ends.values())) < 0.05
    assert texts[-1].get_text() == "were"


def test_a_signal_of_another_length_is_refused():
    with pytest.raises(ValueError, match=r"signal 'RNN' must have shape \(6,\).*got \(5,\)"):
        ink(WORDS, {"RNN": np.ones(5)}, **CALL)
