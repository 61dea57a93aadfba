"""What the reading edition and the slides make of a stored notebook: figures, solutions, MathJax.

Nothing here runs a cell: a page shows the outputs that the notebook holds.
"""

from __future__ import annotations

import html
import re
import shutil
import struct
import tempfile
from importlib import metadata
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from helpers.figures.picture import Stored, stored
from tools.build import NOTEBOOKS

MATHJAX_PARTS = ("tex-chtml-full.js", "output/chtml/fonts")
INDEX, PROGRESS = "index.ipynb", "progress"
MARK = re.compile(r"### *(BEGIN|END) ")
HIDDEN = re.compile(r"\n?^### BEGIN HIDDEN TESTS\n.*?^### END HIDDEN TESTS$", re.M | re.S)
SLIDER = re.compile(r"\b(\w*)_sliders?\(")
FORMULA = re.compile(r"\$[^$]+\$")


def sources(folder: Path = NOTEBOOKS) -> list[Path]:
    """The notebooks of a folder, in order; of each the worked copy, where folder/solutions has one.

    The first page, which lists the others, is not among them.
    Raises ValueError if there is none.
    """
    paths = (*folder.glob("*.ipynb"), *folder.glob("solutions/*.ipynb"))
    found = {path.name: path for path in paths if path.name != INDEX}
    if not found:
        raise ValueError(f"no notebook in {folder}")
    return [found[name] for name in sorted(found)]


def read(path: Path) -> NotebookNode:
    """A notebook as stored."""
    return nbformat.read(path, as_version=4)


def marks(cell: NotebookNode) -> dict[str, Any]:
    """What nbgrader is told of a cell: solution, grade, points; empty for the other cells."""
    return cell.metadata.get("nbgrader", {})


def has_slider(source: str) -> bool:
    """Whether code makes one of the sliders, which show nothing without a kernel."""
    return bool(SLIDER.search(source))


def is_slider(cell: NotebookNode) -> bool:
    """Whether a cell is one of the sliders."""
    return cell.cell_type == "code" and has_slider(cell.source)


def slider_of(cell: NotebookNode) -> str:
    """The name of the slider that a cell makes."""
    return SLIDER.findall(cell.source)[0]


def is_ledger(cell: NotebookNode) -> bool:
    """Whether a cell shows some of the ledger's claims."""
    return cell.cell_type == "code" and "claims.fact_check(" in cell.source


def is_check(cell: NotebookNode) -> bool:
    """Whether a cell checks an exercise; what it printed is its author's."""
    return bool(marks(cell).get("grade"))


def is_progress(cell: NotebookNode) -> bool:
    """Whether a cell tells what its reader has solved."""
    return cell.id == PROGRESS


def is_solution(cell: NotebookNode) -> bool:
    """Whether a cell holds an answer to an exercise."""
    return bool(marks(cell).get("solution"))


def is_guess(cell: NotebookNode) -> bool:
    """Whether a cell waits for a guess to be typed."""
    return cell.cell_type == "code" and cell.source.startswith("guess = ")


def is_answer(cell: NotebookNode) -> bool:
    """Whether a cell's output answers a guess, and so is folded."""
    return bool(cell.metadata.get("jupyter", {}).get("outputs_hidden"))


def solved(source: str) -> str:
    """A cell's source without the grader's own tests and without the lines that mark answers."""
    shown = HIDDEN.sub("", source)
    return "\n".join(line for line in shown.split("\n") if not MARK.search(line))


def formulas(notebook: NotebookNode) -> int:
    """How many formulas stand in a notebook's prose."""
    prose = (cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    return sum(len(FORMULA.findall(source.replace("$$", "$"))) for source in prose)


def text_of(output: NotebookNode) -> str:
    """What an output says in plain text, "" if it is a figure or nothing."""
    if output.output_type == "stream":
        return output.text
    return "" if drawn(output) else output.get("data", {}).get("text/plain", "")


def drawn(output: NotebookNode) -> Stored | None:
    """Return the course's picture in an output; None if it holds none."""
    return stored(output.get("data", {}).get("text/html", ""))


def figure(output: NotebookNode, path: Path, address: str) -> str:
    """Write an output's PNG to path; returns the HTML that shows it, described, from address.

    Raises ValueError if the output holds no picture, or one without a description.
    """
    picture = drawn(output)
    if picture is None or not picture.alt_text.strip():
        raise ValueError(f"{path.stem}: the figure has no alt text")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(picture.png)
    across, down = extent(picture.png)
    width, height = picture.width, round(picture.width * down / across)
    alt = html.escape(picture.alt_text, quote=True)
    return f'<img class="figure" src="{address}" alt="{alt}" width="{width}" height="{height}">'


def extent(png: bytes) -> tuple[int, int]:
    """Width and height of a PNG, as its header has them."""
    across, down = struct.unpack(">II", png[16:24])
    return across, down


def first_figure(folder: Path) -> NotebookNode | None:
    """The output that holds the first picture of a folder's notebooks."""
    outputs = (
        o for path in sources(folder) for c in read(path).cells for o in c.get("outputs", [])
    )
    return next(filter(drawn, outputs), None)


def filled(template: Path, **values: object) -> str:
    """A page, or a piece of one, made from a template; plain text among the values is escaped."""
    from jinja2 import Template

    return Template(template.read_text(encoding="utf-8"), autoescape=True).render(**values)


def beside(target: Path) -> tempfile.TemporaryDirectory[str]:
    """A temporary folder next to target; raises OSError at once where none can be made."""
    target.parent.mkdir(parents=True, exist_ok=True)
    return tempfile.TemporaryDirectory(dir=target.parent)


def put(made: Path, target: Path) -> None:
    """Put a finished folder in the place of the last one."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.move(made, target)


def unwritable(target: Path, error: OSError) -> str:
    """What to tell when pages or slides can't be written to target."""
    why = error.strerror or error
    return f"{target} cannot be written: {why}. Move the course to a folder of your own."


def copy_mathjax(folder: Path) -> None:
    """Copy into folder what a page needs to set formulas offline.

    Raises ValueError if the package that holds MathJax is not installed.
    """
    copy_parts("sphinx-mathjax-offline", "/static/mathjax/", MATHJAX_PARTS, folder)


def files_of(package: str) -> list[metadata.PackagePath]:
    """Return the files of an installed package; raises ValueError if it is not installed."""
    try:
        return metadata.files(package) or []
    except metadata.PackageNotFoundError as error:
        message = f'{package} is not installed: pip install -e ".[grading,site]"'
        raise ValueError(message) from error


def copy_parts(package: str, below: str, parts: tuple[str, ...], folder: Path) -> None:
    """Copy a package's files below a path of its own whose names begin with one of these parts.

    Raises ValueError if it is not installed.
    """
    for file in files_of(package):
        _, found, part = file.as_posix().partition(below)
        if found and part.startswith(parts):
            target = folder / part
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file.locate(), target)
