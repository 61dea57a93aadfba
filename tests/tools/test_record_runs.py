"""tools.record_runs: fair choice of rates, and a record that can be interrupted anywhere."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from helpers.record import load_record
from helpers.task import AgreementTask
from tools import record_runs
from tools.record_runs import GRID, RATES, Cell, Settings, Training, best_rate, record, stream

SMALL = Settings(
    hidden=4, steps=4, batch=4, scouts=1, scouts_from_40=1, scout_steps_from_40=2, seeds=2,
    seeds_at_300=1, seeds_at_1000=1, check_every=2, target=0.3, check_sentences=8,
)  # fmt: skip
CELLS = [
    Cell("RNN", "none", 3), Cell("GRU", "random", 3), Cell("RNN", "none", 4),
    Cell("RNN", "none", (3, 5)),
]  # fmt: skip


@pytest.fixture
def few(monkeypatch):
    """A short plan and short tests."""
    monkeypatch.setattr(record_runs, "plan", lambda: iter(CELLS))
    monkeypatch.setattr(record_runs, "TESTED_AT", {20: 4})
    monkeypatch.setattr(record_runs, "SCOUTED_AT", 20)


def test_the_plan_has_every_network_middle_and_gap_once():
    cells = list(record_runs.plan())
    assert len(set(cells)) == len(cells)
    names = set(record_runs.builders(4))
    for gap in (*record_runs.GAPS, record_runs.MIXED):
        for middle in record_runs.MIDDLES:
            assert {c.network for c in cells if (c.gap, c.middle) == (gap, middle)} == names


def test_every_network_can_be_built_for_a_gap():
    for name, build in record_runs.builders(4).items():
        first, second = (build(gap, 0).state_dict()["layer.bias_hh_l0"] for gap in (5, 50))
        assert ("log(gap)" in name) == (not np.array_equal(first, second)), name


def test_the_grid_is_the_one_promised():
    assert (RATES[GRID[0]], RATES[GRID[-1]]) == (1e-4, 1e-1)
    assert np.diff(np.log10(RATES)) == pytest.approx(0.5, abs=0.03)


def scouts(**learned_at):
    """By rate, given as r1 for 10^-1, what its scouts did."""
    return {10.0 ** -int(name[1:]): {"learned_at": steps} for name, steps in learned_at.items()}


def test_the_best_rate_has_most_scouts_then_the_soonest_last():
    assert best_rate(scouts(r1=[20, None], r2=[80, 90], r3=[10, 100])) == 1e-2
    assert best_rate(scouts(r1=[20, None], r2=[40, None])) == 1e-1
    assert best_rate(scouts(r1=[None, None])) is None


def race_to(steps_of):
    """A race in which each rate's scouts take steps_of(rate)."""

    def race(cell, rates, found, settings):
        found |= {rate: {"steps": 9, "learned_at": [steps_of(rate)]} for rate in rates}

    return race


@pytest.mark.parametrize("best", [3e-5, 1e-4, 1e-3, 1e-1, 3e-1])
def test_rates_are_added_until_the_best_lies_inside(monkeypatch, best):
    distance = lambda rate: 100 + abs(RATES.index(rate) - RATES.index(best))  # noqa: E731
    monkeypatch.setattr(record_runs, "race", race_to(distance))
    for grid in (GRID, range(4, 7)):
        found, chosen = record_runs.scouted(Cell("RNN", "none", 10), grid, Settings())
        assert chosen == best
        assert min(found) < best < max(found)


def test_where_no_scout_learns_one_rate_more_is_tried_on_either_side(monkeypatch):
    monkeypatch.setattr(record_runs, "race", race_to(lambda rate: None))
    found, chosen = record_runs.scouted(Cell("RNN", "none", 10), range(4, 7), Settings())
    assert chosen is None
    assert list(found) == list(RATES[3:8])


def counts(monkeypatch, learned, start, hopeful, scouted):
    """The rates counted, if so many of four seeds learn at each, and scouts at hopeful ones."""

    def training(cell, pairs, settings, to_the_end):
        rate = pairs[0][0]
        steps = [100] * learned.get(rate, 0) + [None] * (4 - learned.get(rate, 0))
        return SimpleNamespace(learned_at=steps, run=lambda steps: None, finish=lambda: None)

    monkeypatch.setattr(record_runs, "Training", training)
    scouts = {rate: {"learned_at": [90 if rate in hopeful else None]} for rate in scouted}
    found = record_runs.counted(Cell("RNN", "none", 10), start, scouts, Settings())
    return list(found), record_runs.surest(found)


COUNTED = {  # seeds that learn at each rate, hopeful rates, scouted ones; rates tried, the best
    "all seeds learn at one": ({1e-2: 4}, [1e-2], RATES, [1e-2], 1e-2),
    "lower ones are surer": (
        {1e-2: 1, 3e-3: 2, 1e-3: 3, 3e-4: 1}, [1e-2], RATES, [1e-2, 3e-3, 1e-3, 3e-4], 1e-3,
    ),
    "a scout learned higher": (
        {1e-2: 1, 3e-2: 4}, [1e-2, 3e-2], RATES, [1e-2, 3e-3, 3e-2], 3e-2,
    ),
    "nobody learned": ({}, [], RATES, [1e-2], 1e-2),
    "no scouts, all seeds learn": ({1e-2: 4}, [], [], [1e-2], 1e-2),
    "no scouts, a lower one is enough": (
        {1e-2: 2, 3e-3: 4}, [], [], [1e-2, 3e-3], 3e-3,
    ),
    "no scouts, a lower one is not": ({}, [], [], [1e-2, 3e-3, 3e-2], 1e-2),
    "one on either side of the best": (
        {1e-2: 3, 3e-3: 4, 1e-3: 4}, [1e-2], RATES[5:9], [1e-2, 3e-3, 1e-3], 3e-3,
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", COUNTED)
def test_rates_that_are_counted(monkeypatch, case):
    learned, hopeful, scouted, rates, best = COUNTED[case]
    assert counts(monkeypatch, learned, 1e-2, hopeful, scouted) == (rates, best)


def test_a_longer_training_has_the_same_seeds_and_more_steps(monkeypatch):
    monkeypatch.setattr(record_runs, "LONGER_STEPS", 6)
    found = record_runs.longer(Cell("RNN", "none", 3), SMALL)
    assert list(found) == list(record_runs.LONGER_RATES)
    assert all(len(steps) == SMALL.seeds for steps in found.values())
    assert {step for steps in found.values() for step in steps} <= {None, 2, 4, 6}


def test_a_stream_is_the_tasks_own_batches():
    found, task = stream(5, "random", 3, 4), AgreementTask(5, attractors="random", seed=3)
    expected = [task.batch(4) for _ in range(3)]
    for index in (2, 0, 1):
        for array, tensor in zip(found[index], expected[index], strict=True):
            assert np.array_equal(array, tensor)


def test_a_network_that_has_learned_leaves_the_others():
    training = Training(Cell("RNN", "none", 3), [(1e-3, 0), (1e-3, 1)], SMALL, False)
    training.run(4)
    training.finish()
    assert all(values is not None for values in training.values)
    assert all(step in (None, 2, 4) for step in training.learned_at)
    for step, accuracy in zip(training.learned_at, training.accuracy, strict=True):
        assert (step is not None) == (accuracy >= SMALL.target)


def untimed(path):
    return [{**json.loads(line), "seconds": 0} for line in path.read_text().splitlines()]


def test_a_record_can_be_interrupted_anywhere_and_is_read(tmp_path, few):
    path, part = tmp_path / "whole.jsonl", tmp_path / "part.jsonl"
    assert record(path, SMALL) == len(CELLS)
    assert torch.tensor(1e-40) * 1 != 0  # the processor is as it was found
    before = path.read_bytes()
    assert record(path, SMALL) == 0
    with pytest.raises(ValueError, match="begun with other settings or versions"):
        record(path, Settings())
    assert path.read_bytes() == before
    cells = load_record(path).cells
    assert [Cell(cell.network, cell.middle, cell.gap) for cell in cells] == CELLS
    assert all(cell.seeds == 2 for cell in cells if cell.rate)
    for cut in (1, 300, 3000):
        part.write_bytes(before[:-cut])
        assert 1 <= record(part, SMALL) <= len(CELLS)
        assert untimed(part) == untimed(path)


def test_a_network_is_given_up_at_the_first_gap_of_20_that_most_seeds_did_not_learn():
    def line(gap, *learned_at):
        return {"gap": gap, "learned_at": learned_at}

    assert not record_runs.given_up([line(10, None)])
    assert not record_runs.given_up([line(20, None, 300)])
    assert record_runs.given_up([line(10, 40), line(20, None, None, 300)])
