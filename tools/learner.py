"""From a worked notebook to the learner's: answers out, stubs in, nothing else touched.

notebooks/solutions/ is the one source. Its answers stand between the marks below, in cells
that nbgrader's metadata call solutions; what only a grader runs stands between the other
two. The learner's copy is what nbgrader's own release would be, so that a room graded with
nbgrader and a reader at home work on the same cells.

Source: nbgrader's documentation, "Creating and grading assignments".
"""

from __future__ import annotations

import copy
import re

from nbformat import NotebookNode

STUB = ("# YOUR CODE HERE", "raise NotImplementedError()")
ANSWER = re.compile(r"^([ \t]*)### BEGIN SOLUTION\n.*?^[ \t]*### END SOLUTION$", re.M | re.S)
GRADER = re.compile(
    r"\n?^[ \t]*### BEGIN HIDDEN TESTS\n.*?^[ \t]*### END HIDDEN TESTS$", re.M | re.S
)
MARK = re.compile(r"### *(BEGIN|END) ")


class BadMarks(ValueError):
    """Marks that do not pair, or stand in a cell that is not for them; names the cell."""


def learner_copy(worked: NotebookNode) -> NotebookNode:
    """A new notebook with every answer replaced by the stub, without outputs.

    Raises BadMarks if a mark has no partner, an answer's cell no metadata that say so, or
    an answer's cell no marks.
    """
    notebook = copy.deepcopy(worked)
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        cell.outputs, cell.execution_count = [], None
        cell.source = _without_answer(cell)
    return notebook


def _without_answer(cell: NotebookNode) -> str:
    """The cell's source as the learner gets it."""
    grading = cell.metadata.get("nbgrader", {})
    source, answers = ANSWER.subn(_stub, cell.source)
    source, tests = GRADER.subn("", source)
    if MARK.search(source):
        raise BadMarks(f"cell {cell.id}: a mark without its partner")
    if bool(answers) != bool(grading.get("solution")):
        raise BadMarks(f"cell {cell.id}: the marks of an answer go with nbgrader's solution: true")
    if tests and not grading.get("grade"):
        raise BadMarks(f"cell {cell.id}: hidden tests go with nbgrader's grade: true")
    return source


def _stub(answer: re.Match[str]) -> str:
    return "\n".join(answer.group(1) + line for line in STUB)
