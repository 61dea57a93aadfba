"""The list of exercises, and the file that remembers which are solved: never in the way."""

from __future__ import annotations

import json
import os
from pathlib import Path

import nbformat
import pytest
from cells import SOLUTIONS

from helpers import checks, measure
from helpers.checks import registry
from helpers.networks import rnn_step

ROOT = Path(__file__).resolve().parents[2]


def solved(notebook="00"):
    return [line.split()[2] for line in checks.progress(notebook).splitlines() if "[x]" in line]


@pytest.fixture
def path(tmp_path, monkeypatch):
    """A file of its own, read and written as outside of the tests, and an empty kernel."""
    monkeypatch.setattr(registry, "PROGRESS", tmp_path / ".progress.json")
    monkeypatch.setattr(registry, "_in_kernel", {})
    monkeypatch.delenv(registry.SWITCH)
    return tmp_path / ".progress.json"


def test_the_next_kernel_knows_and_what_is_solved_stays_solved(path, monkeypatch):
    assert solved() == []
    checks.rnn_step(rnn_step)
    monkeypatch.setattr(registry, "_in_kernel", {})
    assert solved() == ["rnn_step"]
    checks.rnn_step(lambda x, h, W, U, b: b)
    assert solved() == ["rnn_step"]
    assert json.loads(path.read_text()) == {"rnn_step": "right"}
    assert [each.name for each in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"\xff\xfe", b"[1, 2]", b'"text"', b'{"rnn_step": [3]}'],
    ids=["empty", "cut", "binary", "list", "text", "no status"],
)
def test_a_broken_or_foreign_file_is_passed_over_and_replaced(path, monkeypatch, content):
    path.write_bytes(content)
    assert solved() == []
    checks.rnn_step(rnn_step)
    monkeypatch.setattr(registry, "_in_kernel", {})
    assert solved() == ["rnn_step"]


def test_a_place_that_cannot_be_written_stops_nothing(path):
    path.mkdir()
    assert checks.rnn_step(rnn_step).passed
    assert solved() == ["rnn_step"]


def test_switched_off_nothing_is_read_or_written(path, monkeypatch):
    path.write_text('{"rnn_step": "right"}')
    monkeypatch.setenv(registry.SWITCH, "off")
    assert solved() == []
    checks.bptt_step(lambda h_t, h_before, x_t, W, dL_dh: None)
    assert path.read_text() == '{"rnn_step": "right"}'


def test_test_runs_are_switched_off_and_git_ignores_the_file():
    assert os.environ[registry.SWITCH] == "off"
    assert registry.PROGRESS == ROOT / ".progress.json"
    assert ".progress.json" in (ROOT / ".gitignore").read_text().splitlines()


def test_the_first_page_tells_the_notebooks_that_were_begun_and_what_is_next(path):
    assert checks.progress() == "No exercise tried yet: begin with notebook 00."
    checks.rnn_step(rnn_step)
    assert checks.progress() == "00: 1 of 2 exercises solved; next: 0.2 The signal by autograd"
    checks.signal(measure.signal)
    checks.words_between(lambda words, subject: 0)
    assert checks.progress().splitlines() == [
        "00: 2 of 2 exercises solved",
        "01: 0 of 2 exercises solved; next: 1.1 Count the gap",
    ]


def test_an_unknown_notebook_is_named():
    with pytest.raises(ValueError, match=r"notebook must be one of '00', '01', .* got '42'"):
        checks.progress("42")


@pytest.mark.parametrize("exercise", registry.EXERCISES.values(), ids=registry.EXERCISES)
def test_every_exercise_is_offered_and_stands_on_its_page_as_in_the_list(exercise):
    assert hasattr(checks, exercise.name)
    (page,) = SOLUTIONS.glob(f"{exercise.notebook}_*.ipynb")
    sources = "\n".join(cell.source for cell in nbformat.read(page, 4).cells)
    stars = "★" * exercise.difficulty
    title = f"Exercise {exercise.label} · {exercise.title} · {exercise.minutes} minutes · {stars}"
    assert f"### {title}\n" in sources
    assert f"checks.{exercise.name}(" in sources


def test_every_exercise_has_answers_planted():
    tests = "".join(path.read_text("utf-8") for path in Path(__file__).parent.glob("test_*.py"))
    for name in registry.EXERCISES:
        assert f'    "{name}": [' in tests, name
