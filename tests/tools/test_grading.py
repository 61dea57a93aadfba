"""tools.grading and nbgrader: an assignment made, copies handed in, the marks read."""

from __future__ import annotations

import csv
import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell, new_notebook

from tools import grading, reading
from tools.build import NOTEBOOKS, SOLUTIONS, write
from tools.learner import learner_copy

ANSWER = re.compile(r"^([ \t]*)### BEGIN SOLUTION\n.*?^[ \t]*### END SOLUTION$", re.M | re.S)


def answers(notebook: NotebookNode) -> dict[str, str]:
    """The source of each marked answer, by nbgrader's name for the cell."""
    return {
        str(reading.marks(cell)["grade_id"]): cell.source
        for cell in notebook.cells
        if cell.cell_type == "code" and ANSWER.search(cell.source)
    }


def kinds() -> NotebookNode:
    """The answers and checks of three notebooks: functions, found examples, true or false."""
    cells = []
    for name in ("00_rnn_refresher", "02_can_it_remember", "09_recap"):
        found = reading.read(SOLUTIONS / f"{name}.ipynb").cells
        cells += [cell for cell in found if cell.id == "imports" or reading.marks(cell)]
    for position, cell in enumerate(cells):
        cell.id = f"cell-{position}"
    cells.append(new_markdown_cell("A formula: $h_t$"))
    notebook = new_notebook(cells=cells)
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3"}
    return notebook


def nbgrader(folder: Path, *words: str) -> None:
    """Run one of nbgrader's commands in a course folder, all of its own files below it."""
    home = folder / "home"
    home.mkdir(exist_ok=True)
    own = {"HOME": home, "USERPROFILE": home, "IPYTHONDIR": home / "ipython"}
    own |= {f"JUPYTER_{kind}_DIR": home / kind.lower() for kind in ("CONFIG", "DATA", "RUNTIME")}
    # nbgrader calls alembic, which lies beside this Python.
    own["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", *words],
        cwd=folder,
        env={**os.environ, **{key: str(value) for key, value in own.items()}},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which three copies of one assignment were graded, by the guide's own words."""
    folder = tmp_path_factory.mktemp("grading")
    write(kinds(), folder / "kinds.ipynb")
    assert grading.course_folder(folder, [folder / "kinds.ipynb"]) == ["kinds"]
    nbgrader(folder, "generate_assignment", "kinds")
    right = answers(kinds())
    wrong = {name: ANSWER.sub(r"\1return None", source) for name, source in right.items()}
    some = {**wrong, "rnn_step": right["rnn_step"], "choose_w": right["choose_w"]}
    copies = {"right": right, "some": some, "empty": {}}
    for student, written in copies.items():
        notebook = reading.read(folder / "release" / "kinds" / "kinds.ipynb")
        for cell in notebook.cells:
            cell.source = written.get(reading.marks(cell).get("grade_id"), cell.source)
        if student == "some":
            checks = [reading.marks(cell).get("grade_id") for cell in notebook.cells]
            del notebook.cells[checks.index("rnn_step-check")]
        (folder / "submitted" / student / "kinds").mkdir(parents=True)
        nbformat.write(notebook, folder / "submitted" / student / "kinds" / "kinds.ipynb")
    for command in (["autograde", "kinds"], ["generate_feedback", "kinds"], ["export"]):
        nbgrader(folder, *command)
    return folder


@pytest.mark.slow
def test_copies_get_their_points(graded):
    """rnn_step gives 2 points, signal 3, fool_the_latch 3, choose_w 2, quiz 3."""
    with (graded / "grades.csv").open(encoding="utf-8", newline="") as file:
        scores = {row["student_id"]: float(row["score"]) for row in csv.DictReader(file)}
    assert grading.points(graded / "kinds.ipynb") == 13
    assert scores == {"right": 13, "some": 2, "empty": 0}


@pytest.mark.slow
def test_released_copy_is_the_learners_own(graded):
    released = reading.read(graded / "release" / "kinds" / "kinds.ipynb")
    own = learner_copy(kinds())
    assert [cell.source for cell in released.cells] == [cell.source for cell in own.cells]


@pytest.mark.slow
def test_feedback_sets_its_formulas_without_network(graded):
    page = (graded / "feedback" / "right" / "kinds" / "kinds.html").read_text(encoding="utf-8")
    assert not re.search(r"<(script|link)[^>]*(src|href)=.(http|//)", page)
    assert "MathJax = {" in page
    assert page.count("<script") == page.count("</script>") > 1


def test_folder_holds_the_worked_copies_unchanged(tmp_path):
    path, plain = tmp_path / "00_marks.ipynb", tmp_path / "01_plain.ipynb"
    write(kinds(), path)
    write(new_notebook(cells=[new_markdown_cell("# 01 · No exercise")]), plain)
    assert grading.course_folder(tmp_path / "lab", [path, plain]) == ["00_marks"]
    source = tmp_path / "lab" / "source"
    assert (source / "00_marks" / "00_marks.ipynb").read_bytes() == path.read_bytes()
    assert [entry.name for entry in source.iterdir()] == ["00_marks"]
    with pytest.raises(ValueError, match="none of the notebooks has a check"):
        grading.course_folder(tmp_path / "other", [plain])


def test_folder_that_will_not_do_is_told(tmp_path, capsys):
    (tmp_path / "file").touch()
    for folder, sentence in (
        (tmp_path / "file" / "lab", "cannot be written"),
        (NOTEBOOKS / "lab", "lies in the course's own folder"),
    ):
        assert grading.main([str(folder)]) == 1
        assert sentence in capsys.readouterr().err
        assert not folder.exists()
