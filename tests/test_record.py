"""helpers.record on records small enough to count by hand."""

import pytest

from helpers.record import by_rate, chosen, longest, right_at, success


def run(gap, rate, seed, learned_at, tested=None, model="GRU", attractors="none"):
    return {
        "model": model,
        "attractors": attractors,
        "gap": gap,
        "rate": rate,
        "seed": seed,
        "learned_at": learned_at,
        "tested": None if learned_at is None else {"opposite": {"1000": tested or 0.0}},
    }


RUNS = [
    run(5, 0.01, 0, 40), run(5, 0.01, 1, 60), run(5, 0.03, 0, 20), run(5, 0.03, 1, None),
    run(10, 0.01, 0, 100), run(10, 0.01, 1, 80),
    run(10, 0.03, 0, 20, 0.96), run(10, 0.03, 1, 40, 0.94),
    run(20, 0.01, 0, None), run(20, 0.01, 1, None), run(20, 0.03, 0, 300), run(20, 0.03, 1, None),
    run(40, 0.01, 0, 90), run(40, 0.01, 1, 90), run(40, 0.03, 0, None), run(40, 0.03, 1, None),
    run([3, 15], 0.01, 0, 3000, 1.0, model="mixed"),
    run(5, 0.01, 0, None, model="RNN"),
]  # fmt: skip


def test_the_rate_with_most_seeds_is_taken():
    assert success(RUNS, "GRU", "none", 5) == (2, 2, 0.01, 50.0)


def test_among_equals_the_faster_rate():
    assert success(RUNS, "GRU", "none", 10) == (2, 2, 0.03, 30.0)


def test_a_gap_that_one_seed_learned():
    assert success(RUNS, "GRU", "none", 20) == (1, 2, 0.03, 300.0)


def test_a_gap_that_none_learned():
    learned, seeds, _, steps = success(RUNS, "RNN", "none", 5)
    assert (learned, seeds, steps) == (0, 1, None)


def test_mixed_gaps():
    assert success(RUNS, "mixed", "none", [3, 15]).learned == 1


def test_longest_stops_at_the_first_gap_that_a_seed_missed():
    """Gap 40 was learned by both, gap 20 was not."""
    assert longest(RUNS, "GRU", "none", [40, 20, 10, 5]) == 10
    assert longest(RUNS, "GRU", "none", [5, 10, 40]) == 40


def test_longest_of_nothing_learned():
    assert longest(RUNS, "RNN", "none", [5]) is None


def test_right_at_counts_the_seeds_of_the_best_rate():
    assert right_at(RUNS, "GRU", "none", 10, tested="opposite", at=1000) == (1, 2)
    assert right_at(RUNS, "GRU", "none", 20, tested="opposite", at=1000) == (0, 2)


def test_by_rate_is_in_order_and_loses_nothing():
    groups = by_rate(RUNS)
    assert list(groups) == [0.01, 0.03]
    assert sum(map(len, groups.values())) == len(RUNS)


def test_what_was_not_recorded_is_named():
    with pytest.raises(ValueError, match="no recorded run has model 'LSTM', attractors 'none'"):
        success(RUNS, "LSTM", "none", 5)
    with pytest.raises(ValueError, match="gap 7"):
        chosen(RUNS, gap=7)
