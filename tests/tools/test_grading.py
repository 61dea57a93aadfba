"""tools.grading and nbgrader: an assignment made, three copies handed in, the marks read."""

from __future__ import annotations

import csv
import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from tools import grading, reading
from tools.build import NOTEBOOKS, SOLUTIONS, write
from tools.learner import learner_copy

ANSWER = re.compile(r"^([ \t]*)### BEGIN SOLUTION\n.*?^[ \t]*### END SOLUTION$", re.M | re.S)
STUDENTS = ("right", "wrong", "empty")
CHECK = '''\
from types import SimpleNamespace

def check(f, wanted):
    """As the course's checks do: never raises, prints as a sentence, tells whether it passed."""
    try:
        return SimpleNamespace(passed=f(3) == wanted)
    except NotImplementedError:
        return SimpleNamespace(passed=False)'''


def marks(identity: str, **more: object) -> dict[str, object]:
    """Cell metadata as nbgrader writes it."""
    plain = {"schema_version": 3, "grade_id": identity, "locked": False, "task": False}
    return {"nbgrader": {**plain, "grade": False, "solution": False, **more}}


def exercise(name: str, answer: str, wanted: int, points: int) -> list[NotebookNode]:
    """An answer cell and the cell that checks it."""
    source = f"def {name}(n):\n    ### BEGIN SOLUTION\n    {answer}\n    ### END SOLUTION"
    checked = f"result = check({name}, {wanted})\nprint(result)\nassert result.passed"
    check = marks(f"{name}-check", grade=True, locked=True, points=points)
    return [
        new_markdown_cell(f"## Exercise: {name}"),
        new_code_cell(source, metadata=marks(name, solution=True)),
        new_code_cell(checked, metadata=check),
    ]


def worked() -> NotebookNode:
    """A small worked notebook with two exercises, of 1 and 2 points."""
    cells = [new_markdown_cell("# 00 · Marks"), new_code_cell(CHECK)]
    cells += exercise("double", "return 2 * n", 6, 1) + exercise("square", "return n * n", 9, 2)
    notebook = new_notebook(cells=cells)
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3"}
    return notebook


def answers(notebook: NotebookNode) -> dict[str, str]:
    """The source of each marked answer, by nbgrader's name for the cell."""
    return {
        str(reading.marks(cell)["grade_id"]): cell.source
        for cell in notebook.cells
        if cell.cell_type == "code" and ANSWER.search(cell.source)
    }


def without_last(notebook: NotebookNode) -> tuple[dict[str, str], float]:
    """The answers with a wrong one in the last place, and the points that this costs."""
    found = answers(notebook)
    last = [*found][-1]
    found[last] = ANSWER.sub(r"\1return None", found[last])
    cells = [reading.marks(cell) for cell in notebook.cells]
    below = cells[[mark.get("grade_id") for mark in cells].index(last) :]
    return found, next(mark["points"] for mark in below if mark.get("grade"))


def nbgrader(folder: Path, *words: str) -> None:
    """Run one of nbgrader's commands in a course folder, all of its own files below it."""
    home = folder / "home"
    home.mkdir(exist_ok=True)
    own = {"HOME": home, "USERPROFILE": home, "IPYTHONDIR": home / "ipython"}
    own |= {f"JUPYTER_{kind}_DIR": home / kind.lower() for kind in ("CONFIG", "DATA", "RUNTIME")}
    # nbgrader calls alembic, which lies beside this Python.
    own["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, **{key: str(value) for key, value in own.items()}}
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", *words],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def hand_in(folder: Path, name: str, student: str, written: dict[str, str]) -> None:
    """Put a student's copy of the released notebook, with these answers, where it is collected."""
    notebook = reading.read(folder / "release" / name / f"{name}.ipynb")
    for cell in notebook.cells:
        cell.source = written.get(reading.marks(cell).get("grade_id"), cell.source)
    target = folder / "submitted" / student / name
    target.mkdir(parents=True)
    nbformat.write(notebook, target / f"{name}.ipynb")


def grade(folder: Path, path: Path) -> tuple[NotebookNode, dict[str, tuple[float, float]]]:
    """The released notebook, and each student's score with what the right answers should score."""
    notebook = reading.read(path)
    [name] = grading.course_folder(folder, [path])
    nbgrader(folder, "generate_assignment", name)
    released = reading.read(folder / "release" / name / path.name)
    wrong, lost = without_last(notebook)
    for student, written in zip(STUDENTS, (answers(notebook), wrong, {}), strict=True):
        hand_in(folder, name, student, written)
    nbgrader(folder, "autograde", name)
    nbgrader(folder, "export")
    with (folder / "grades.csv").open(encoding="utf-8", newline="") as file:
        scores = {row["student_id"]: float(row["score"]) for row in csv.DictReader(file)}
    full = grading.points(path)
    expected = dict(zip(STUDENTS, (full, full - lost, 0.0), strict=True))
    return released, {student: (scores[student], expected[student]) for student in STUDENTS}


def exercises_alone(path: Path, folder: Path) -> Path:
    """Write a worked notebook's imports and exercises to a folder; returns the file."""
    notebook = reading.read(path)
    notebook.cells = [
        cell for cell in notebook.cells if cell.id == "imports" or reading.marks(cell)
    ]
    write(notebook, folder / path.name)
    return folder / path.name


@pytest.mark.slow
@pytest.mark.skipif(not importlib.util.find_spec("nbgrader"), reason="nbgrader is not installed")
def test_right_wrong_and_empty_copies_get_their_marks(tmp_path):
    """Of notebook 00's exercises; the wrong copy misses its last answer."""
    path = exercises_alone(SOLUTIONS / "00_rnn_refresher.ipynb", tmp_path)
    released, scores = grade(tmp_path / "lab", path)
    assert all(score == expected for score, expected in scores.values())
    right, wrong, empty = (scores[student][0] for student in STUDENTS)
    assert right == grading.points(path) > wrong > empty == 0
    learners = learner_copy(reading.read(path))
    assert [cell.source for cell in released.cells] == [cell.source for cell in learners.cells]
    assert (tmp_path / "lab" / "gradebook.db").exists()


def test_folder_holds_the_worked_copies_unchanged(tmp_path):
    path = tmp_path / "00_marks.ipynb"
    write(worked(), path)
    plain = tmp_path / "01_plain.ipynb"
    write(new_notebook(cells=[new_markdown_cell("# 01 · No exercise")]), plain)
    assert grading.course_folder(tmp_path / "lab", [path, plain]) == ["00_marks"]
    source = tmp_path / "lab" / "source"
    assert (source / "00_marks" / "00_marks.ipynb").read_bytes() == path.read_bytes()
    assert [entry.name for entry in source.iterdir()] == ["00_marks"]
    with pytest.raises(ValueError, match="none of the notebooks has a check"):
        grading.course_folder(tmp_path / "other", [plain])


def test_folder_within_the_course_is_refused(capsys):
    assert grading.main([str(NOTEBOOKS / "lab")]) == 1
    assert "lies in the course's own folder" in capsys.readouterr().err
    assert not (NOTEBOOKS / "lab").exists()
