"""What every stored notebook keeps to, so that it teaches and runs the same anywhere.

nbval compares the outputs; these tests see that there is something to compare.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from helpers.figures.picture import stored
from tools.build import IGNORED_OUTPUT, NOTEBOOKS, SOLUTIONS, normalise, pictures

PATHS = sorted(NOTEBOOKS.glob("*.ipynb")) + sorted(SOLUTIONS.glob("*.ipynb"))
LONGEST_CELL = 20
MOST_IMPORTS = 5
ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{4,}")


def faults(notebook: NotebookNode) -> Iterator[str]:
    """What is wrong with a notebook, each with the cell's position."""
    if not (notebook.cells and re.match(r"# \S", notebook.cells[0].source)):
        yield "cell 0: no title"
    if "widgets" in notebook.metadata:
        yield "notebook: widget state"
    code = [(i, cell) for i, cell in enumerate(notebook.cells) if cell.cell_type == "code"]
    sliders = slider_names(cell.source for _, cell in code)
    for count, (position, cell) in enumerate(code, start=1):
        for fault in (*code_faults(cell, count, sliders), *output_faults(cell)):
            yield f"cell {position}: {fault}"


def slider_names(sources: Iterator[str]) -> set[str]:
    """The names by which a notebook calls the sliders, or what it imported from there."""
    names = set()
    for source in sources:
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    if f"{node.module}.{alias.name}".startswith("helpers.figures.sliders"):
                        names.add(alias.asname or alias.name)
    return names


def code_faults(cell: NotebookNode, count: int, sliders: set[str]) -> Iterator[str]:
    """What is wrong with a code cell itself; count is the place among the code cells, from 1."""
    tree = ast.parse(cell.source)
    lines = cell.source.splitlines()
    if cell.execution_count != count:
        yield f"execution count {cell.execution_count}, not {count}: not run once from the top"
    if len(lines) > LONGEST_CELL:
        yield f"{len(lines)} lines"
    if lines and lines[-1].rstrip().endswith(";"):
        yield "trailing semicolon"
    if count == 1 and not all(isinstance(node, (ast.Import, ast.ImportFrom)) for node in tree.body):
        yield "the first code cell holds more than imports"
    if count == 1 and len(tree.body) > MOST_IMPORTS:
        yield f"{len(tree.body)} import statements"
    tags = {tag for tag in cell.metadata.get("tags", []) if tag.startswith(("nbval", "raises"))}
    if "NBVAL" in cell.source or tags - {IGNORED_OUTPUT}:
        yield "kept out of the comparison"
    called = {
        node.id
        for call in ast.walk(tree)
        if isinstance(call, ast.Call)
        for node in ast.walk(call.func)
        if isinstance(node, ast.Name)
    }
    if (IGNORED_OUTPUT in tags) != bool(called & sliders):
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


def test_the_first_notebooks_are_there():
    assert {path.name[:3] for path in PATHS} >= {"00_", "01_", "02_"}


@pytest.mark.parametrize("path", PATHS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_notebook_has_no_faults(path: Path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert list(faults(notebook)) == []


def test_the_readme_shows_a_notebooks_picture_with_its_description():
    readme = (NOTEBOOKS.parent / "README.md").read_text(encoding="utf-8")
    shown = re.findall(r"!\[(.*?)\]\(notebooks/(.*?)\.png\)", readme)
    drawn = {}
    for path in NOTEBOOKS.glob("*.ipynb"):
        notebook = nbformat.read(path, as_version=4)
        for name, png in pictures(notebook).items():
            [cell] = [cell for cell in notebook.cells if cell.id == name]
            drawn[name] = stored(cell.outputs[0].data["text/html"]).alt_text
            assert (NOTEBOOKS / f"{name}.png").read_bytes() == png
    assert [(alt, name) for alt, name in shown] == [(drawn[name], name) for name in drawn]
    assert len(shown) == 1


@pytest.mark.parametrize("path", PATHS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_notebook_is_stored_as_build_stores_it(path: Path):
    """If this fails after an edit: python course.py build."""
    stored = path.read_text(encoding="utf-8")
    notebook = nbformat.reads(stored, as_version=4)
    normalise(notebook)
    assert nbformat.writes(notebook) + "\n" == stored


# --- The rules themselves: a notebook with one fault is told so, and nothing else


def sound() -> NotebookNode:
    """A notebook without a fault: title, imports, a figure, a slider."""
    figure = new_output("display_data", {"text/html": '<img alt="x" src="">', "text/plain": "x"})
    cells = [
        new_markdown_cell("# Title"),
        new_code_cell("import torch\nfrom helpers import sliders", execution_count=1),
        new_code_cell("draw(torch)", execution_count=2, outputs=[figure]),
        new_code_cell(
            "sliders.gap_slider(3)", execution_count=3, metadata={"tags": [IGNORED_OUTPUT]}
        ),
    ]
    return new_notebook(cells=cells)


def stream(text: str, name: str = "stdout") -> list[NotebookNode]:
    return [new_output("stream", name=name, text=text)]


def display(kind: str) -> list[NotebookNode]:
    return [new_output("display_data", {kind: "x"})]


ERROR = [new_output("error", ename="ValueError", evalue="", traceback=[])]

PLANTED = {
    "no title": (0, {"source": "Title"}),
    "not run once": (2, {"execution_count": None}),
    "execution count 7": (2, {"execution_count": 7}),
    "21 lines": (2, {"source": "x = 1\n" * 21}),
    "trailing semicolon": (2, {"source": "x = 1\ndraw(x);"}),
    "more than imports": (1, {"source": "from helpers import sliders\nx = 1"}),
    "6 import statements": (1, {"source": "import torch\n" * 5 + "\nfrom helpers import sliders"}),
    "stderr": (2, {"outputs": stream("x", "stderr")}),
    "error ValueError": (2, {"outputs": ERROR}),
    "a last line's value": (
        2,
        {"outputs": [new_output("execute_result", {"text/plain": "2"}, execution_count=2)]},
    ),
    "no alt text": (2, {"outputs": display("image/png")}),
    "no alt": (2, {"outputs": [new_output("display_data", {"text/html": '<img alt="" src="">'})]}),
    "SVG": (2, {"outputs": display("image/svg+xml")}),
    "widget": (2, {"outputs": display("application/vnd.jupyter.widget-view+json")}),
    "memory address": (2, {"outputs": stream("<object at 0x7f89e7bb6870>")}),
    "comparison": (2, {"source": "# NBVAL_IGNORE_OUTPUT\nx"}),
    "kept out": (2, {"metadata": NotebookNode(tags=["nbval-skip"])}),
    "goes with sliders": (2, {"metadata": NotebookNode(tags=[IGNORED_OUTPUT])}),
    "sliders with it": (3, {"metadata": NotebookNode(tags=[])}),
}


def test_sound_notebook_has_no_faults():
    assert list(faults(sound())) == []


@pytest.mark.parametrize("fault", PLANTED)
def test_planted_fault_is_found(fault):
    notebook = sound()
    position, change = PLANTED[fault]
    notebook.cells[position].update(change)
    (found,) = faults(notebook)
    assert fault in found
    assert found.startswith(f"cell {position}: ")


def test_widget_state_is_found():
    notebook = sound()
    notebook.metadata["widgets"] = {}
    assert list(faults(notebook)) == ["notebook: widget state"]


def test_slider_imported_by_name_needs_the_tag_too():
    notebook = sound()
    notebook.cells[1].source = "import torch\nfrom helpers.figures.sliders import gap_slider as gap"
    notebook.cells[2].source = "gap(3)"
    notebook.cells[3].source = "gap(4)"
    (found,) = faults(notebook)
    assert found.startswith("cell 2: ")
