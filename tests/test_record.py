"""helpers.record: counts, intervals and tests, on records small enough to count by hand."""

import json

import pytest

from helpers.record import clopper_pearson, load_record


def line(network, gap, learned_at, **more):
    first = {"network": network, "middle": "none", "gap": gap, "rate": 0.01}
    return {**first, "learned_at": learned_at, "tested": None, **more}


@pytest.fixture
def record(tmp_path):
    lines = [
        {"settings": {"steps": 2000}, "versions": {"numpy": "2"}},
        line("GRU", 5, [40, 60, 20], tested={"opposite": {"20": [0.96, 0.95, 0.9]}}),
        line("GRU", 10, [100, None, 300], tested={"opposite": {"20": [1.0, None, 0.5]}}),
        line("GRU", 20, [None, None, None], longer={"0.001": [None, 9000, None]}),
        line("GRU", 40, [10, 10, 10]),
        line("RNN", 5, [None, 20]),
        line("RNN", [3, 15], [1000, 1000]),
        line("none", 5, [], rate=None),
    ]
    path = tmp_path / "record.jsonl"
    path.write_text("".join(json.dumps(each) + "\n" for each in lines))
    return load_record(path)


def test_counts(record):
    cell = record.cell("GRU", "none", 10)
    assert (cell.learned, cell.seeds, cell.median_steps) == (2, 3, 300.0)
    assert record.cell("GRU", "none", 20).median_steps is None
    assert record.cell("RNN", "none", 5).median_steps is None  # half of the seeds did not learn
    assert record.networks == ["GRU", "RNN", "none"]


def test_a_longer_budget_is_told_apart(record):
    assert record.cell("GRU", "none", 20).longer == {0.001: [None, 9000, None]}
    assert record.cell("GRU", "none", 20).learned == 0
    assert record.cell("GRU", "none", 5).longer == {}


def test_mixed_gaps_are_a_pair(record):
    assert record.cell("RNN", "none", (3, 15)).learned == 2
    assert record.gaps("none") == [5, 10, 20, 40]


def test_what_was_not_tried_is_none_and_an_unknown_network_an_error(record):
    assert record.cell("RNN", "none", 10) is None
    assert record.cell("GRU", "random", 5) is None
    with pytest.raises(ValueError, match="network must be one of"):
        record.cell("LSTM", "none", 5)


def test_right_counts_95_percent_and_leaves_out_who_was_not_tested(record):
    assert record.cell("GRU", "none", 5).right("opposite", 20) == 2
    assert record.cell("GRU", "none", 10).right("opposite", 20) == 1
    assert record.cell("GRU", "none", 10).right("random", 20) == 0
    assert record.cell("RNN", "none", 5).right("opposite", 20) == 0


@pytest.mark.parametrize("n", [1, 3, 10])
def test_clopper_pearson_at_the_ends(n):
    low, high = clopper_pearson(0, n)
    assert low == 0
    assert high == pytest.approx(1 - 0.025 ** (1 / n), abs=1e-12)
    low, high = clopper_pearson(n, n)
    assert low == pytest.approx(0.025 ** (1 / n), abs=1e-12)
    assert high == 1


def test_clopper_pearson_between():
    """R: binom.test(7, 10)$conf.int; and one of two, a quadratic equation."""
    assert clopper_pearson(7, 10) == pytest.approx((0.3475471, 0.9332605), abs=1e-7)
    root = 0.975**0.5
    assert clopper_pearson(1, 2) == pytest.approx((1 - root, root), abs=1e-12)


def test_nothing_tried_says_nothing():
    assert clopper_pearson(0, 0) == (0, 1)
