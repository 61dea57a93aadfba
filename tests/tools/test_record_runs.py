"""The record is complete, can be interrupted anywhere, and is never half written."""

import json
from dataclasses import asdict

import pytest

from helpers.task.agreement import ATTRACTORS
from tools import record_runs as reach
from tools.record_runs import FAR, GAPS, BadRecord, Run, Settings, heading, key, load, plan, record

SMALL = Settings(
    hidden=4, rates=(1e-2,), seeds=1, steps=2, batch=2, mixed_rates=(1e-2,), mixed_steps=2,
    mixed_batch=2, check_every=2, test_sentences=4,
)  # fmt: skip


@pytest.fixture
def few(monkeypatch):
    """A plan of three runs in place of hundreds."""
    runs = [Run("RNN", "none", 3, 1e-2, seed) for seed in range(2)]
    runs.append(Run(reach.MIXED_RNN, "random", (3, 5), 1e-2, 0))
    monkeypatch.setattr(reach, "plan", lambda settings: iter(runs))
    monkeypatch.setattr(reach, "GAPS", (3, 4))
    return runs


def test_the_plan_has_every_model_gap_rate_and_seed_once():
    settings = Settings()
    runs = list(plan(settings))
    assert len(set(runs)) == len(runs)
    fixed = [run for run in runs if run.model != reach.MIXED_RNN and run.gap != FAR]
    assert len(fixed) == 7 * 2 * len(GAPS) * 3 * 5
    assert {run.gap for run in fixed} == set(GAPS)
    assert {run.rate for run in fixed} == {3e-3, 1e-2, 3e-2}
    mixed = [run for run in runs if run.model == reach.MIXED_RNN]
    assert len(mixed) == 2 * 3 * 5
    far = [run for run in runs if run.gap == FAR]
    assert {run.model for run in far} == {reach.BIASED}
    assert len(far) == 5


def test_every_network_can_be_built_and_takes_a_probe():
    import torch

    from helpers.measure.signal import signal

    for name, build in reach.builders(4).items():
        signals = signal(build(20, 0).double(), torch.tensor([[0, 1, 2]]))
        assert signals.shape == (1, 3), name
        assert (signals > 0).all(), name


def test_a_run_that_learned_is_tested_everywhere():
    settings = Settings(**{**asdict(SMALL), "target": 0.01})
    line = reach.outcome(Run("RNN", "none", 5, 1e-2, 0), settings)
    assert line["learned_at"] == 2
    assert set(line["tested"]) == set(ATTRACTORS) - {"same"}
    assert all(set(by_gap) == set(map(str, GAPS)) for by_gap in line["tested"].values())


def test_a_run_that_did_not_learn_says_so():
    line = reach.outcome(Run("RNN", "random", 5, 1e-2, 0), SMALL)
    assert line["learned_at"] is None
    assert line["tested"] is None
    assert line["steps"] == 2


def test_record_then_nothing_left(tmp_path, few):
    path = tmp_path / "reach.jsonl"
    assert record(path, SMALL) == 3
    first, runs = load(path)
    assert first == heading(SMALL)
    assert [key(run) for run in runs] == [key(asdict(run)) for run in few]
    before = path.read_bytes()
    assert record(path, SMALL) == 0
    assert path.read_bytes() == before


@pytest.mark.parametrize("cut", [1, 60, 400])
def test_an_interrupted_record_goes_on_to_the_same_end(tmp_path, few, cut):
    whole, part = tmp_path / "whole.jsonl", tmp_path / "part.jsonl"
    record(whole, SMALL)
    text = whole.read_text()
    part.write_text(text[:-cut])
    assert 1 <= record(part, SMALL) <= 3
    assert part.read_text() == text


def test_a_record_cut_in_its_first_line_begins_anew(tmp_path, few):
    path = tmp_path / "reach.jsonl"
    path.write_text('{"settings"')
    with pytest.raises(BadRecord, match=r"reach\.jsonl is empty"):
        record(path, SMALL)


def test_other_settings_are_refused_and_nothing_is_lost(tmp_path, few):
    path = tmp_path / "reach.jsonl"
    record(path, SMALL)
    before = path.read_bytes()
    with pytest.raises(BadRecord, match="begun with other settings"):
        record(path, Settings())
    assert path.read_bytes() == before


@pytest.mark.parametrize("line", ["[1, 2]", "not json", '{"model": "RNN"}', "3"])
def test_a_bad_line_is_named(tmp_path, line):
    path = tmp_path / "reach.jsonl"
    path.write_text(json.dumps(heading(SMALL)) + "\n" + line + "\n")
    with pytest.raises(BadRecord, match=r"^reach\.jsonl, line 2: "):
        load(path)


def test_a_run_recorded_twice_is_named(tmp_path, few):
    path = tmp_path / "reach.jsonl"
    record(path, SMALL)
    path.write_text(path.read_text() + path.read_text().splitlines()[2] + "\n")
    with pytest.raises(BadRecord, match=r"line 5: the same run as line 3; remove one"):
        load(path)


def begun_elsewhere(path):
    """The record's first line, as if another version of Python had written it."""
    first, *rest = path.read_text().splitlines()
    other = json.loads(first)
    other["versions"]["python"] = "3.10.0"
    path.write_text("\n".join([json.dumps(other), *rest]) + "\n")


def test_a_complete_record_of_other_versions_has_nothing_to_do(tmp_path, few):
    path = tmp_path / "reach.jsonl"
    record(path, SMALL)
    begun_elsewhere(path)
    before = path.read_bytes()
    assert record(path, SMALL) == 0
    assert path.read_bytes() == before


def test_an_incomplete_record_of_other_versions_is_refused(tmp_path, few):
    path = tmp_path / "reach.jsonl"
    record(path, SMALL)
    begun_elsewhere(path)
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))
    with pytest.raises(BadRecord, match=r"other versions: .*3\.10\.0.*; now "):
        record(path, SMALL)


def test_a_record_that_is_no_text_is_refused(tmp_path):
    path = tmp_path / "reach.jsonl"
    path.write_bytes(b"\xff\xfe\n")
    with pytest.raises(BadRecord, match=r"reach\.jsonl is not UTF-8"):
        load(path)


def test_words_after_the_command_are_refused(capsys):
    with pytest.raises(SystemExit, match="2"):
        reach.main(["foo"])
    assert "unrecognized arguments: foo" in capsys.readouterr().err


def test_no_record(tmp_path):
    with pytest.raises(BadRecord, match=r"course\.py reach"):
        load(tmp_path / "none.jsonl")


def test_main_reports_a_bad_record(tmp_path, monkeypatch, capsys):
    path = tmp_path / "reach.jsonl"
    path.write_text("x\n")
    monkeypatch.setattr(reach, "record", lambda: record(path, SMALL))
    assert reach.main([]) == 1
    assert "line 1" in capsys.readouterr().err
