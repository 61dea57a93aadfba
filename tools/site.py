"""The reading edition: the worked notebooks as web pages that ask nothing of the network.

From the command line: python -m tools.site. Sphinx and myst-nb set the pages; nothing runs.
"""

from __future__ import annotations

import argparse
import copy
import importlib.util
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell, new_output

from tools import reading
from tools.build import NOTEBOOKS

SITE = NOTEBOOKS.parent / "build" / "site"
SETTINGS = Path(__file__).parent / "pages"  # conf.py, style sheet, templates
SLIDER = "*In the notebook a slider stands here; the figure {} shows the same at one value.*"
LONE_SLIDER = "*In the notebook a slider stands here; it needs a kernel.*"
TASK = "```python\n{}\n```"
TITLE = "# Vanishing and exploding gradients"
CONTENTS = """
## Reading edition

Each page is a notebook with the outputs of its last run. Answers to guesses and exercises are
folded away: open them after your own. Where a notebook has a slider, a figure shows one value.

```{{toctree}}
:maxdepth: 1

{}
```
"""


class SiteFailed(RuntimeError):
    """Pages that could not be set; the message says what was in the way."""


def page(notebook: NotebookNode, learners: NotebookNode, name: str, figures: Path) -> NotebookNode:
    """A notebook as the page of that name shows it; its figures are written into the folder.

    learners: the learner's copy, whose stubs stand above the folded answers. Answers to guesses
    fold too. Sliders become a sentence; the author's results and progress are left out.
    Raises ValueError if a figure has no description.
    """
    cells: list[NotebookNode] = []
    for position, cell in enumerate(notebook.cells):
        if reading.is_slider(cell):
            cells.append(new_markdown_cell(slider_sentence(notebook.cells, position)))
            continue
        if reading.is_progress(cell) or reading.is_guess(cell):
            continue
        shown = copy.deepcopy(cell)
        shown.source = reading.solved(cell.source)
        if reading.is_check(cell):
            shown.outputs = []
        elif reading.is_solution(cell):
            cells.append(new_markdown_cell(TASK.format(learners.cells[position].source)))
            _fold(shown, "one solution", "the solution")
        elif reading.is_answer(cell):
            _fold(shown, "what was measured", "what was measured")
        for count, output in enumerate(shown.get("outputs", [])):
            if reading.drawn(output):
                shown.outputs[count] = _as_html(output, figures / f"{name}-{position}-{count}.png")
        cells.append(shown)
    return nbformat.v4.new_notebook(cells=cells, metadata=notebook.metadata)


def slider_sentence(cells: list[NotebookNode], position: int) -> str:
    """What a page says in place of the slider at a position: where its static figure stands."""
    distances = [
        (abs(other - position), "above" if other < position else "below")
        for other, cell in enumerate(cells)
        if any(reading.drawn(output) for output in cell.get("outputs", []))
    ]
    return SLIDER.format(min(distances)[1]) if distances else LONE_SLIDER


def _fold(cell: NotebookNode, closed: str, opened: str) -> None:
    """Fold a code cell and its outputs away, in place, under words for closed and opened."""
    cell.metadata["tags"] = [*cell.metadata.get("tags", []), "hide-cell"]
    cell.metadata["mystnb"] = {
        "code_prompt_show": f"Show {closed}",
        "code_prompt_hide": f"Hide {opened}",
    }


def _as_html(output: NotebookNode, path: Path) -> NotebookNode:
    """A figure's output with the figure in a file of its own."""
    address = f"_static/{path.parent.name}/{path.name}"
    return new_output("display_data", {"text/html": reading.figure(output, path, address)})


def lay_out(folder: Path, source: Path) -> list[str]:
    """Write into source all that Sphinx needs; returns the names of the pages.

    folder: the notebooks'.
    """
    shutil.copytree(SETTINGS, source)
    reading.copy_mathjax(source / "_static" / "mathjax")
    names = []
    for path in reading.sources(folder):
        names.append(path.stem)
        notebook, learners = reading.read(path), reading.read(folder / path.name)
        shown = page(notebook, learners, path.stem, source / "_static" / "figures")
        nbformat.write(shown, source / path.name)
    index = "\n\n".join(front(folder / reading.INDEX)) + "\n" + CONTENTS.format("\n".join(names))
    nbformat.write(
        nbformat.v4.new_notebook(cells=[new_markdown_cell(index)]), source / reading.INDEX
    )
    return names


def front(path: Path) -> list[str]:
    """The prose of the notebooks' first page that makes sense without a kernel."""
    if not path.exists():
        return [TITLE]
    prose = [cell.source for cell in reading.read(path).cells if cell.cell_type == "markdown"]
    return [source for source in prose if source.startswith("# ") or "](00_" in source]


def build(folder: Path, target: Path) -> list[str]:
    """Set the pages of the notebooks in a folder into target; returns their names.

    Raises SiteFailed if Sphinx is missing or warns of anything; target then stays as it was.
    """
    if not all(map(importlib.util.find_spec, ("sphinx", "myst_nb", "furo"))):
        raise SiteFailed('The pages need more packages: pip install -e ".[site]"')
    with tempfile.TemporaryDirectory() as temporary:
        source, pages = Path(temporary, "source"), Path(temporary, "pages")
        names = lay_out(folder, source)
        command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-E"]
        command += ["-d", *map(str, (Path(temporary, "doctrees"), source, pages))]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise SiteFailed(done.stderr.replace(f"{source}/", "") + done.stdout)
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(pages, target)
    return names


def main(arguments: list[str] | None = None) -> int:
    """Set the course's reading edition; returns the exit status."""
    argparse.ArgumentParser(prog="site", description="Set the reading edition.").parse_args(
        arguments
    )
    try:
        names = build(NOTEBOOKS, SITE)
    except (SiteFailed, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{len(names)} notebooks; open {SITE / 'index.html'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
