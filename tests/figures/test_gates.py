"""helpers.figures.gates: what is drawn is what was given."""

import numpy as np
import pytest

from helpers.figures import gates as gate_plots

WORDS = ["the", "cats", ","]


def test_stacked_bars_stand_on_one_another():
    parts = {"kept": np.array([0.5, 0.6, 0.7]), "update": np.array([0.1, 0.2, 0.3])}
    other = {"kept": np.array([1.0, 1.0, 1.0]), "update": np.array([0.0, 0.0, 0.0])}
    picture = gate_plots.stacked(
        WORDS, {"fresh": parts, "biased": other}, title="T", ylabel="factor"
    )
    above, below = picture.figure.axes
    bars = np.array([[bar.get_y(), bar.get_height()] for bar in above.patches])
    np.testing.assert_allclose(bars[:3], [[0, 0.5], [0, 0.6], [0, 0.7]])
    np.testing.assert_allclose(bars[3:], [[0.5, 0.1], [0.6, 0.2], [0.7, 0.3]])
    assert [text.get_text() for text in below.get_xticklabels()] == WORDS
    assert above.get_title(loc="left") == "fresh"
    assert "fresh, mean over the words: kept 0.6, update 0.2" in picture.alt_text


def test_stacked_refuses_a_part_of_another_length():
    with pytest.raises(ValueError, match=r"part 'kept' of 'fresh' must have shape \(3,\)"):
        gate_plots.stacked(WORDS, {"fresh": {"kept": np.ones(2)}}, title="T", ylabel="y")


def test_film_draws_logarithms_of_signal_and_memory():
    steps, signal, z = np.array([0, 10]), np.array([1e-20, 1e-2]), np.array([0.9, 0.999])
    loss = np.array([0.7, 0.1])
    picture = gate_plots.film(steps, signal, z, loss, title="T", alt_text="It climbs")
    drawn = [axes.lines[0].get_ydata() for axes in picture.figure.axes]
    np.testing.assert_allclose(drawn[0], [-20, -2])
    np.testing.assert_allclose(drawn[1], [1, 3])
    np.testing.assert_allclose(drawn[2], loss)
    assert picture.alt_text.endswith("It climbs.")


def test_film_of_a_gate_that_is_exactly_open():
    """z rounds to 1 in float32: its memory is drawn at that number's resolution."""
    z = np.array([0.5, 1.0])
    picture = gate_plots.film(np.arange(2), z, z, z, title="T", alt_text="x")
    assert np.isfinite(picture.figure.axes[1].lines[0].get_ydata()).all()


def test_successes_writes_every_count():
    rows = {"RNN": [5, 2, 0], "GRU": [5, 5, 1]}
    picture = gate_plots.successes(rows, (5, 10, 1000), seeds=5, title="T")
    (axes,) = picture.figure.axes
    assert [text.get_text() for text in axes.texts] == ["5", "2", "0", "5", "5", "1"]
    assert [text.get_fontweight() for text in axes.texts][:3] == ["bold", "normal", "normal"]
    assert [text.get_text() for text in axes.get_xticklabels()] == ["5", "10", "1,000"]
    assert "RNN: 5, 2, 0; GRU: 5, 5, 1" in picture.alt_text


def test_landmarks_stand_where_they_are_said_to():
    points = {"RNN": (17.2, 5), "GRU": (28.0, 1000)}
    picture = gate_plots.landmarks(points, title="T", xlabel="words", ylabel="gap")
    (axes,) = picture.figure.axes
    drawn = [(line.get_xdata()[0], line.get_ydata()[0]) for line in axes.lines]
    assert drawn == list(points.values())
    assert [text.get_text() for text in axes.get_legend().get_texts()] == list(points)
    assert "RNN: 17 and 5; GRU: 28 and 1,000" in picture.alt_text
