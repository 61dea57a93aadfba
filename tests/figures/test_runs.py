"""helpers.figures.runs: every seed a dot, counts with their intervals, steps and swings."""

import numpy as np

from helpers.figures import learned_by_gap, runs_by_gap, steps_by_gap, swings


def test_runs_by_gap_draws_a_dot_for_each_seed_and_counts_those_that_learned():
    results = {"RNN": {5: [1.0, 0.99, 0.96], 80: [0.5, 0.97, 0.48]}, "GRU": {5: [0.95]}}
    picture = runs_by_gap(results, title="Success")
    (axes,) = picture.figure.axes
    five, eighty, _, gru = axes.lines[:4]
    np.testing.assert_array_equal(five.get_ydata(), results["RNN"][5])
    np.testing.assert_array_equal(eighty.get_ydata(), results["RNN"][80])
    np.testing.assert_array_equal(np.rint(eighty.get_xdata()), [1, 1, 1])
    assert np.rint(gru.get_xdata()[0]) == 0 < gru.get_xdata()[0]
    counts = [text.get_text() for text in axes.texts if "/" in text.get_text()]
    assert counts == ["3/3", "1/3", "1/1"]
    assert "RNN at 5: 3 of 3 learned; RNN at 80: 1 of 3 learned" in picture.alt_text


def test_learned_by_gap_writes_each_count_with_its_exact_interval():
    results = {"RNN": {5: (10, 10), 20: (0, 10)}, "GRU": {5: (10, 10), 1000: (7, 10)}}
    picture = learned_by_gap(results, title="T")
    (axes,) = picture.figure.axes
    assert [text.get_text() for text in axes.texts] == ["10/10", "0/10", "10/10", "7/10"]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["5", "20", "1,000"]
    ends = np.array([line.get_xdata() for line in axes.lines[1::2]])
    columns = np.array([0, 1, 0, 2])[:, None]
    shares = (ends - columns + 0.4) / 0.8
    exact = [[0.6915, 1], [0, 0.3085], [0.6915, 1], [0.3475, 0.9333]]  # of statistical tables
    np.testing.assert_allclose(shares, exact, atol=2e-4)
    assert "GRU: gap 5: 10 of 10, gap 1000: 7 of 10." in picture.alt_text


def test_steps_by_gap_ends_at_the_first_gap_that_was_not_learned():
    results = {"RNN": {5: 100.0, 10: 300.0, 20: None}, "GRU": {5: 50.0, 20: 80.0}}
    picture = steps_by_gap(results, title="T", budget=1000)
    (axes,) = picture.figure.axes
    path, learned, cross, gru = axes.lines[:4]
    np.testing.assert_array_equal(path.get_xydata(), [[5, 100], [10, 300], [20, 1000]])
    np.testing.assert_array_equal(learned.get_xydata(), [[5, 100], [10, 300]])
    np.testing.assert_array_equal(cross.get_xydata(), [[20, 1000]])
    np.testing.assert_array_equal(gru.get_xydata(), [[5, 50], [20, 80]])
    assert "RNN: gap 5: 100, gap 10: 300; not gap 20; GRU: gap 5: 50" in picture.alt_text


def test_swings_write_each_accuracy_and_the_predicted_sign():
    accuracies, predicted = np.array([[1.0, 0.1, 0.6]]), np.array([[1, -1, -1]])
    picture = swings(accuracies, [3, 4, 5], title="T", predicted=predicted)
    axes = picture.figure.axes[0]
    assert [text.get_text() for text in axes.texts] == ["+ 100", "− 10", "− 60"]
    np.testing.assert_array_equal(axes.collections[0].get_array(), accuracies)
    assert "seed 0: 100, 10, 60. The predicted sign is right in 2 of 3." in picture.alt_text
