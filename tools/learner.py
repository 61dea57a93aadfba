"""From a worked notebook to the learner's: answers out, stubs in, nothing else touched.

notebooks/solutions/ is the one source. nbgrader's own preprocessors replace what stands between
### BEGIN SOLUTION and ### END SOLUTION and remove the hidden tests, so that a room graded with
nbgrader and a reader at home work on the same cells.
"""

from __future__ import annotations

import copy
from typing import Any

from nbconvert.preprocessors import ClearOutputPreprocessor
from nbformat import NotebookNode
from nbgrader.preprocessors import ClearHiddenTests, ClearSolutions

STEPS = (ClearSolutions, ClearHiddenTests, ClearOutputPreprocessor)


class BadMarks(ValueError):
    """Marks that do not pair, or stand in a cell that is not for them."""


def learner_copy(worked: NotebookNode) -> NotebookNode:
    """A new notebook with every answer replaced by the stub, without outputs.

    Raises BadMarks if a mark has no partner, or stands in a cell that nbgrader's metadata do
    not name a solution or a test.
    """
    notebook = copy.deepcopy(worked)
    resources: dict[str, Any] = {}
    for step in STEPS:
        try:
            notebook, resources = step(enabled=True).preprocess(notebook, resources)
        except RuntimeError as error:
            raise BadMarks(str(error)) from error
    return notebook
