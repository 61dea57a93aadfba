"""A notebook for the tests of pages and slides, with one of each thing that they treat apart."""

from __future__ import annotations

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from helpers.figures.picture import Picture, board
from tools.build import IGNORED_OUTPUT, normalise

SMALL = "99_small"
ANSWER = "def f(n):\n    ### BEGIN SOLUTION\n    return 41 + n\n    ### END SOLUTION"
CHECK = "check(f)\n### BEGIN HIDDEN TESTS\nassert f\n### END HIDDEN TESTS"


def picture(*descriptions: str) -> NotebookNode:
    """A code cell that drew a figure for each description."""
    outputs = []
    for description in descriptions:
        figure, axes = board(2, 1)
        axes.plot([0, 1])
        data = Picture(figure, description)._repr_mimebundle_()
        outputs.append(new_output("display_data", data))
    return new_code_cell("draw()", outputs=outputs)


def table() -> NotebookNode:
    """A code cell that made a table with a link to another notebook."""
    markdown = "| a | b |\n|---|---|\n| **a cell** | [00](00_rnn_refresher.ipynb) |"
    data = {"text/markdown": markdown, "text/plain": "a cell, 00"}
    return new_code_cell("tell()", outputs=[new_output("display_data", data)])


def small() -> NotebookNode:
    """A notebook with all that a page treats in a way of its own."""
    answer = {"nbgrader": {"solution": True, "grade": False, "grade_id": "f", "locked": False}}
    check = {"nbgrader": {"solution": False, "grade": True, "grade_id": "g", "points": 1}}
    cells = [
        new_markdown_cell("# 99 · A small one\n\nWith $a_t$ and\n\n$$a_t = W h_{t-1}.$$"),
        new_code_cell("figures.gap_slider()", metadata={"tags": [IGNORED_OUTPUT]}),
        picture('A line <rising> & "straight".', "Another line."),
        new_markdown_cell("## Exercise\n\nWrite `f`."),
        new_code_cell(ANSWER, metadata=answer),
        new_code_cell(CHECK, metadata=check, outputs=[new_output("stream", text="right\n")]),
        new_markdown_cell("**Write down your guess:** how large is $W$?"),
        new_code_cell("guess = None"),
        new_code_cell(
            "measured",
            metadata={"jupyter": {"outputs_hidden": True}},
            outputs=[new_output("stream", text="forty-two\n")],
        ),
        table(),
        new_code_cell("solved()", id="progress", outputs=[new_output("stream", text="1 of 1\n")]),
    ]
    notebook = new_notebook(cells=cells)
    normalise(notebook)
    return notebook
