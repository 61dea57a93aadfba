"""tools.learner: the learner's copy is the worked one without its answers, and nothing else."""

import copy
import textwrap

import nbformat
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tools.build import NOTEBOOKS, SOLUTIONS
from tools.learner import BadMarks, learner_copy

WORKED = sorted(SOLUTIONS.glob("*.ipynb"))
ANSWER = textwrap.dedent(
    '''\
    def double(x):
        """Twice x."""
        ### BEGIN SOLUTION
        two = 2
        return two * x
        ### END SOLUTION'''
)
STUBBED = textwrap.dedent(
    '''\
    def double(x):
        """Twice x."""
        # YOUR CODE HERE
        raise NotImplementedError()'''
)
CHECK = "\n".join(
    (
        "result = check(double)",
        "print(result)",
        "### BEGIN HIDDEN TESTS",
        "assert result",
        "### END HIDDEN TESTS",
    )
)


def answer_cell(source=ANSWER, **grading):
    grading = {"grade": False, "solution": True, "grade_id": "double", **grading}
    return new_code_cell(source, id="answer", metadata={"nbgrader": grading})


def check_cell(source=CHECK, **grading):
    grading = {"grade": True, "solution": False, "grade_id": "double-check", **grading}
    return new_code_cell(source, id="check", metadata={"nbgrader": grading})


def worked():
    cells = [new_markdown_cell("# T", id="t"), answer_cell(), check_cell()]
    cells.append(new_code_cell("x = 1", id="x", execution_count=3, outputs=[new_output("stream")]))
    return new_notebook(cells=cells)


def test_answers_become_stubs_and_hidden_tests_go():
    title, answer, check, plain = learner_copy(worked()).cells
    assert title.source == "# T"
    assert answer.source == STUBBED
    assert check.source == "result = check(double)\nprint(result)"
    assert (plain.source, plain.outputs, plain.execution_count) == ("x = 1", [], None)


def test_ids_and_metadata_stay():
    for mine, theirs in zip(learner_copy(worked()).cells, worked().cells, strict=True):
        assert mine.id == theirs.id
        assert mine.metadata == theirs.metadata


def test_the_worked_notebook_is_left_alone():
    notebook = worked()
    before = copy.deepcopy(notebook)
    learner_copy(notebook)
    assert notebook == before


def test_code_around_and_between_answers_stays():
    body = "a = 1\n### BEGIN SOLUTION\nb = 2\n### END SOLUTION\nc = 3\n" * 2
    (cell,) = learner_copy(new_notebook(cells=[answer_cell(body.rstrip())])).cells
    assert cell.source.count("YOUR CODE HERE") == 2
    assert cell.source.splitlines()[0] == "a = 1"
    assert cell.source.splitlines()[-1] == "c = 3"
    assert "b = 2" not in cell.source


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        (answer_cell("### BEGIN SOLUTION\nx = 1"), "no end solution"),
        (answer_cell(solution=False), "non-solution cell"),
        (check_cell(grade=False), "non-grade cell"),
        (check_cell("### BEGIN HIDDEN TESTS\nx = 1"), "No end hidden tests"),
    ],
)
def test_marks_that_do_not_fit(cell: NotebookNode, reason):
    with pytest.raises(BadMarks, match=reason):
        learner_copy(new_notebook(cells=[cell]))


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
