"""The list of solved exercises: in the kernel, in the file, and never in the way."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from helpers import checks
from helpers.checks import progress_file, registry
from helpers.checks.results import RIGHT, WRONG_VALUES, Result

ROOT = Path(__file__).resolve().parents[2]
SOLVED = Result("rnn_step", RIGHT, "rnn_step: right.", 2)
FAILED_LATER = Result("rnn_step", WRONG_VALUES, "rnn_step: wrong values.")


@pytest.fixture
def path(tmp_path, monkeypatch):
    """An own file, read and written as outside of the tests, and an empty kernel."""
    monkeypatch.setattr(progress_file, "PATH", tmp_path / ".progress.json")
    monkeypatch.setattr(progress_file, "_in_kernel", {})
    monkeypatch.delenv(progress_file.SWITCH)
    return tmp_path / ".progress.json"


@pytest.fixture
def new_kernel(monkeypatch):
    return lambda: monkeypatch.setattr(progress_file, "_in_kernel", {})


def stub():
    raise NotImplementedError()


def test_progress_lists_a_notebooks_exercises(path):
    checks.guess_extra_weights(stub)
    assert checks.progress("00").splitlines() == [
        "Notebook 00: 0 of 2 exercises solved.",
        "  [ ] 0.1 guess_extra_weights  not attempted",
        "  [ ] 0.2 rnn_step             not attempted",
    ]
    checks.guess_extra_weights(lambda: 5)
    checks.rnn_step(lambda x, h, W, U, b: np.tanh(W @ h + U @ x))
    assert checks.progress("00").splitlines() == [
        "Notebook 00: 1 of 2 exercises solved.",
        "  [x] 0.1 guess_extra_weights  written down",
        "  [ ] 0.2 rnn_step             wrong values",
    ]


def test_the_next_kernel_knows_and_a_solution_stays(path, new_kernel):
    progress_file.remember(SOLVED)
    new_kernel()
    assert "[x] 0.2 rnn_step" in checks.progress("00")
    progress_file.remember(FAILED_LATER)
    assert json.loads(path.read_text()) == {"rnn_step": "right"}
    assert "[x] 0.2 rnn_step" in checks.progress("00")
    assert [each.name for each in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"\xff\xfe", b"[1, 2]", b'"text"', b'{"rnn_step": 3}', b'{"rnn_step": "great"}',
     b"[" * 50_000, b"{" + b" " * 200_000 + b"}"],
    ids=["empty", "cut", "binary", "list", "text", "number", "unknown", "deep", "long"],
)  # fmt: skip
def test_a_broken_or_foreign_file_is_passed_over_and_replaced(path, new_kernel, content):
    path.write_bytes(content)
    assert "0 of 2" in checks.progress("00")
    progress_file.remember(SOLVED)
    new_kernel()
    assert "1 of 2" in checks.progress("00")


def test_a_place_that_cannot_be_written_stops_nothing(path, monkeypatch):
    def refuse(*arguments, **settings):
        raise PermissionError

    monkeypatch.setattr(progress_file.tempfile, "mkstemp", refuse)
    progress_file.remember(SOLVED)
    assert not path.exists()
    assert "[x] 0.2 rnn_step" in checks.progress("00")


def test_a_write_that_fails_leaves_the_old_file(path, monkeypatch):
    progress_file.remember(SOLVED)

    def refuse(*arguments):
        raise PermissionError

    monkeypatch.setattr(progress_file.os, "replace", refuse)
    progress_file.remember(Result("guess_share", "written down", ""))
    assert json.loads(path.read_text()) == {"rnn_step": "right"}
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_a_folder_in_its_place_stops_nothing(path):
    path.mkdir()
    progress_file.remember(SOLVED)
    assert "[x] 0.2 rnn_step" in checks.progress("00")


def test_switched_off_nothing_is_read_or_written(path, monkeypatch):
    path.write_text('{"rnn_step": "right"}')
    monkeypatch.setenv(progress_file.SWITCH, "off")
    assert "0 of 2" in checks.progress("00")
    progress_file.remember(Result("guess_extra_weights", "written down", ""))
    assert "1 of 2" in checks.progress("00")
    assert path.read_text() == '{"rnn_step": "right"}'


def test_test_runs_are_switched_off_and_git_ignores_the_file():
    assert os.environ[progress_file.SWITCH] == "off"
    assert progress_file.PATH == ROOT / ".progress.json"
    assert ".progress.json" in (ROOT / ".gitignore").read_text().splitlines()
    assert 'os.environ["COURSE_PROGRESS"] = "off"' in (ROOT / "helpers/build.py").read_text()


def test_an_unknown_notebook_is_named():
    with pytest.raises(ValueError, match=r"notebook must be one of 00, 01, .* got '07'"):
        checks.progress("07")


def test_every_exercise_has_its_check_and_its_place_in_the_table():
    assert set(registry.EXERCISES) <= set(checks.__all__)
    table = checks.table().splitlines()
    assert len(table) == len(registry.EXERCISES) + 2
    for exercise, row in zip(checks.exercises(), table[2:], strict=True):
        assert f"| {exercise.label} | `{exercise.name}` | {exercise.title} |" in row
        assert exercise.kind in registry.KINDS
        assert 1 <= exercise.difficulty <= 3
        assert exercise.stars in row
        assert exercise.minutes >= 2
        assert exercise.points >= 1
    notebooks = [exercise.notebook for exercise in checks.exercises()]
    assert notebooks == sorted(notebooks)
    assert {n: notebooks.count(n) for n in notebooks} == {
        "00": 2, "01": 3, "02": 4, "03": 3, "04": 3, "05": 3, "06": 2,
    }  # fmt: skip


def test_each_notebook_has_one_prediction_and_counts_its_exercises():
    for notebook in ("00", "01", "02", "03", "04", "05"):
        chosen = checks.exercises(notebook)
        assert [exercise.kind for exercise in chosen].count("prediction") == 1
        assert [exercise.number for exercise in chosen] == list(range(1, len(chosen) + 1))


def test_the_package_is_found_from_anywhere(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", "from helpers import checks; print(checks.progress('06'))"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.stdout.startswith("Notebook 06: 0 of 2")
    assert done.stderr == ""
