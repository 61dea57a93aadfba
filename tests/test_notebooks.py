"""What every stored notebook keeps to, so that it teaches and runs the same anywhere.

nbval compares the outputs; these tests see that there is something to compare.
"""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tools.build import IGNORED_OUTPUT, NOTEBOOKS, SOLUTIONS, normalise
from tools.reading import INDEX, PROGRESS, has_slider

PATHS = sorted(NOTEBOOKS.glob("*.ipynb")) + sorted(SOLUTIONS.glob("*.ipynb"))
LONGEST_CELL = 20
MOST_NAMES = 6  # imported from helpers
ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{4,}")
LINK = re.compile(r"\]\(([^)#]+\.ipynb)")
VERDICT = re.compile(r"\b(True|False)\b")
EQUALITY = re.compile(r"\b(equals?|same)\b")
ASKED = "write down your guess"
FOLDED = {"outputs_hidden": True}


def faults(notebook: NotebookNode) -> Iterator[str]:
    """What is wrong with a notebook, each with the cell's position."""
    if not (notebook.cells and re.match(r"# \S", notebook.cells[0].source)):
        yield "cell 0: no title"
    if "widgets" in notebook.metadata:
        yield "notebook: widget state"
    code = [(i, cell) for i, cell in enumerate(notebook.cells) if cell.cell_type == "code"]
    for count, (position, cell) in enumerate(code, start=1):
        for fault in (*code_faults(cell, count), *output_faults(cell)):
            yield f"cell {position}: {fault}"
    names = [name for _, cell in code for name in from_helpers(cell.source)]
    if len(names) > MOST_NAMES:
        yield f"notebook: {len(names)} names imported from helpers"
    yield from guess_faults(notebook.cells)


def from_helpers(source: str) -> list[str]:
    """The names that a cell imports from the course's own package."""
    return [
        alias.name
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("helpers")
        for alias in node.names
    ]


def guess_faults(cells: list[NotebookNode]) -> Iterator[str]:
    """What is wrong with the guesses: each is asked, typed, and answered below a fold."""
    asked = sum(c.source.lower().count(ASKED) for c in cells if c.cell_type == "markdown")
    typed = [i for i, c in enumerate(cells) if c.source.startswith("guess = ")]
    if asked != len(typed):
        yield f"notebook: {asked} guesses asked, {len(typed)} cells to type them in"
    for position in typed:
        below = itertools.takewhile(lambda c: c.cell_type == "code", cells[position + 1 :])
        folded = [c.metadata.get("jupyter") == FOLDED for c in below]
        if not any(folded):
            yield f"cell {position}: the answer to a guess is not folded"
        elif not all(folded[folded.index(True) :]):
            yield f"cell {position}: what comes at once after an answer is not folded"


def code_faults(cell: NotebookNode, count: int) -> Iterator[str]:
    """What is wrong with a code cell itself; count is the place among the code cells, from 1."""
    lines = cell.source.splitlines()
    if cell.execution_count != count:
        yield f"execution count {cell.execution_count}, not {count}: not run once from the top"
    if len(lines) > LONGEST_CELL:
        yield f"{len(lines)} lines"
    if lines and lines[-1].rstrip().endswith(";"):
        yield "trailing semicolon"
    tags = {tag for tag in cell.metadata.get("tags", []) if tag.startswith(("nbval", "raises"))}
    if "NBVAL" in cell.source or tags - {IGNORED_OUTPUT}:
        yield "kept out of the comparison"
    if cell.id != PROGRESS and (IGNORED_OUTPUT in tags) != has_slider(cell.source):
        yield f"the tag {IGNORED_OUTPUT} goes with sliders, and sliders with it"


def output_faults(cell: NotebookNode) -> Iterator[str]:
    """What is wrong with a code cell's stored outputs."""
    for output in cell.outputs:
        if output.output_type == "error":
            yield f"error {output.ename}"
            continue
        if output.output_type == "execute_result" and "text/html" not in output.data:
            yield "a last line's value, shown without being asked for"
        if output.output_type == "stream":
            if output.name == "stderr":
                yield "stderr"
            data = {"text/plain": output.text}
        else:
            data = output.data
        if any("widget" in kind for kind in data):
            yield "widget"
        if "image/svg+xml" in data:
            yield "SVG"
        page = data.get("text/html", "")
        if "image/png" in data or ("<img" in page and not re.search(r'<img[^>]* alt="[^"]', page)):
            yield "no alt text"
        seen = re.sub(r'base64,[^"]*', "", page) + data.get("text/plain", "")
        if ADDRESS.search(seen):
            yield "memory address"


@pytest.mark.parametrize("path", PATHS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_notebook_has_no_faults(path: Path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert list(faults(notebook)) == []


@pytest.mark.parametrize("path", PATHS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_links_lead_to_files_and_to_the_neighbours(path: Path):
    """The first cell and the last prose link to the contents and to the numbers beside."""
    prose = [c.source for c in nbformat.read(path, as_version=4).cells if c.cell_type == "markdown"]
    links = [link for source in prose for link in LINK.findall(source)]
    assert [link for link in links if not (path.parent / link).is_file()] == []
    if path.name == INDEX:
        assert set(links) >= {other.name for other in path.parent.glob("[0-9]*.ipynb")}
        return
    number = int(path.name[:2])
    beside = {p.name for n in (number - 1, number + 1) for p in path.parent.glob(f"{n:02}_*.ipynb")}
    for source in (prose[0], prose[-1]):
        assert {INDEX, *beside} <= set(LINK.findall(source))


@pytest.mark.parametrize("path", sorted(SOLUTIONS.glob("[0-9]*.ipynb")), ids=lambda path: path.stem)
def test_pages_print_numbers_and_few_verdicts(path: Path):
    """At most 1 printed line in 10 is True or False, but for equalities, which are just that."""
    lines = [
        line
        for cell in nbformat.read(path, as_version=4).cells
        for output in cell.get("outputs", [])
        if output.output_type == "stream"
        for line in output.text.splitlines()
    ]
    verdicts = [line for line in lines if VERDICT.search(line) and not EQUALITY.search(line)]
    assert len(verdicts) <= max(1, len(lines) / 10)


@pytest.mark.parametrize("path", PATHS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_notebook_is_stored_as_build_stores_it(path: Path):
    """If this fails after an edit: python course.py build."""
    stored = path.read_text(encoding="utf-8")
    notebook = nbformat.reads(stored, as_version=4)
    normalise(notebook)
    assert nbformat.writes(notebook) + "\n" == stored


# --- The rules themselves: a notebook with one fault is told so, and nothing else


def sound() -> NotebookNode:
    """A notebook without a fault: title, imports, a figure, a slider, a guess."""
    figure = new_output("display_data", {"text/html": '<img alt="x" src="">', "text/plain": "x"})
    cells = [
        new_markdown_cell("# Title"),
        new_code_cell("import torch\nfrom helpers import figures", execution_count=1),
        new_code_cell("draw(torch)", execution_count=2, outputs=[figure]),
        new_code_cell(
            "figures.gap_slider()", execution_count=3, metadata={"tags": [IGNORED_OUTPUT]}
        ),
        new_markdown_cell("**Write down your guess:** how many?"),
        new_code_cell("guess = None  # how many", execution_count=4),
        new_code_cell("answer", execution_count=5, metadata={"jupyter": FOLDED}),
    ]
    return new_notebook(cells=cells)


def stream(text: str, name: str = "stdout") -> dict:
    return {"outputs": [new_output("stream", name=name, text=text)]}


def display(kind: str, data: str = "x") -> dict:
    return {"outputs": [new_output("display_data", {kind: data})]}


ERROR = new_output("error", ename="ValueError", evalue="", traceback=[])
RESULT = new_output("execute_result", {"text/plain": "2"}, execution_count=2)
NAMES = "a, b, c, d, e, f, g"
TAGGED = "cell {}: the tag nbval-ignore-output goes with sliders, and sliders with it"
PLANTED = [  # a fault, and in which cell it is planted
    ("cell 0: no title", 0, {"source": "Title"}),
    ("cell 2: execution count 7, not 2: not run once from the top", 2, {"execution_count": 7}),
    ("cell 2: 21 lines", 2, {"source": "x = 1\n" * 21}),
    ("cell 2: trailing semicolon", 2, {"source": "x = 1\ndraw(x);"}),
    ("cell 2: stderr", 2, stream("x", "stderr")),
    ("cell 2: error ValueError", 2, {"outputs": [ERROR]}),
    ("cell 2: a last line's value, shown without being asked for", 2, {"outputs": [RESULT]}),
    ("cell 2: no alt text", 2, display("image/png")),
    ("cell 2: no alt text", 2, display("text/html", '<img alt="" src="">')),
    ("cell 2: SVG", 2, display("image/svg+xml")),
    ("cell 2: widget", 2, display("application/vnd.jupyter.widget-view+json")),
    ("cell 2: memory address", 2, stream("<object at 0x7f89e7bb6870>")),
    ("cell 2: kept out of the comparison", 2, {"source": "# NBVAL_IGNORE_OUTPUT\nx"}),
    ("cell 2: kept out of the comparison", 2, {"metadata": NotebookNode(tags=["nbval-skip"])}),
    (TAGGED.format(2), 2, {"metadata": NotebookNode(tags=[IGNORED_OUTPUT])}),
    (TAGGED.format(3), 3, {"metadata": NotebookNode(tags=[])}),
    ("cell 5: the answer to a guess is not folded", 6, {"metadata": NotebookNode()}),
    ("notebook: 2 guesses asked, 1 cells to type them in", 0, {"source": f"# T\n\n{ASKED}"}),
    ("notebook: 7 names imported from helpers", 1, {"source": f"from helpers import {NAMES}"}),
]


@pytest.mark.parametrize(("fault", "position", "change"), PLANTED)
def test_planted_fault_is_found_and_no_other(fault, position, change):
    notebook = sound()
    assert list(faults(notebook)) == []
    notebook.cells[position].update(change)
    assert list(faults(notebook)) == [fault]


def test_a_picture_that_tells_a_folded_answer_is_found():
    notebook = sound()
    notebook.cells.append(new_code_cell("picture", execution_count=6))
    assert list(faults(notebook)) == ["cell 5: what comes at once after an answer is not folded"]


def test_widget_state_is_found():
    notebook = sound()
    notebook.metadata["widgets"] = {}
    assert list(faults(notebook)) == ["notebook: widget state"]
