"""tools.learner: the learner's copy is the worked one without its answers, and nothing else."""

import copy

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tools.build import NOTEBOOKS, SOLUTIONS
from tools.learner import BadMarks, learner_copy

WORKED = sorted(SOLUTIONS.glob("*.ipynb"))
ANSWER = "### BEGIN SOLUTION\n{}\n### END SOLUTION"
HIDDEN = "\n### BEGIN HIDDEN TESTS\nassert result\n### END HIDDEN TESTS"


def cell(source, **marks):
    """A code cell with nbgrader's marks, those of an answer if none are given."""
    grading = {"grade": False, "solution": True, "grade_id": "a", **marks}
    return new_code_cell(source, metadata={"nbgrader": grading})


def test_answers_become_stubs_hidden_tests_and_outputs_go_and_the_rest_stays():
    title = new_markdown_cell("# T", id="t")
    answer = cell(f"a = 1\n{ANSWER.format('b = 2')}\nc = 3\n{ANSWER.format('d = 4')}")
    check = cell(f"result = check(a){HIDDEN}", solution=False, grade=True)
    plain = new_code_cell("x = 1", id="x", execution_count=3, outputs=[new_output("stream")])
    worked = new_notebook(cells=[title, answer, check, plain])
    before = copy.deepcopy(worked)
    found = learner_copy(worked).cells
    stub = "# YOUR CODE HERE\nraise NotImplementedError()"
    sources = ["# T", f"a = 1\n{stub}\nc = 3\n{stub}", "result = check(a)", "x = 1"]
    assert [each.source for each in found] == sources
    for mine, theirs in zip(found, before.cells, strict=True):
        assert (mine.id, mine.metadata) == (theirs.id, theirs.metadata)
    assert (found[3].outputs, found[3].execution_count) == ([], None)
    assert worked == before


@pytest.mark.parametrize(
    ("marked", "reason"),
    [
        (cell("### BEGIN SOLUTION\nx = 1"), "no end solution"),
        (cell(ANSWER, solution=False), "non-solution cell"),
        (cell(HIDDEN, solution=False), "non-grade cell"),
        (cell("### BEGIN HIDDEN TESTS\nx = 1", solution=False, grade=True), "No end hidden tests"),
    ],
)
def test_marks_that_do_not_fit(marked, reason):
    with pytest.raises(BadMarks, match=reason):
        learner_copy(new_notebook(cells=[marked]))


@pytest.mark.parametrize("path", WORKED, ids=lambda path: path.stem)
def test_regenerating_a_learners_copy_changes_nothing(path):
    """If this fails after an edit: python course.py build."""
    stored = nbformat.read(NOTEBOOKS / path.name, as_version=4)
    made = learner_copy(nbformat.read(path, as_version=4))
    for cell in stored.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    assert stored == made


def test_every_notebook_has_both_copies():
    assert [path.name for path in WORKED] == sorted(path.name for path in NOTEBOOKS.glob("*.ipynb"))
