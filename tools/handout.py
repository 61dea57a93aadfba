"""Make the folder to give out: no solutions, no outputs, and of a plan its own cells alone.

From the command line: python course.py handout [90|half-day|all] FOLDER
"""

from __future__ import annotations

import argparse
import itertools
import re
import shutil
import sys
from pathlib import Path
from typing import NamedTuple

from nbconvert.preprocessors import ClearOutputPreprocessor
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell, new_notebook

from helpers.checks.notebook_09 import STATEMENTS
from tools.build import NOTEBOOKS, normalise, write
from tools.reading import INDEX, filled, read

ROOT = NOTEBOOKS.parent
GUIDE = ROOT / "instructor" / "guide.md"
PLANS = {"90": 2, "half-day": 3}  # the sections of the guide that hold them
GIVEN: tuple[str, ...] = ("course.py", "pyproject.toml", "constraints.txt", "environment.yml")
GIVEN += ("LICENSE", "CITATION.cff", "helpers", "tools", "data")
ROW = re.compile(r"^\| (\d+) \| (\d\d|index)\b[^|]*\| ([^|]*) \| ([^|]*) \| (.*) \|$", re.MULTILINE)
ID = re.compile(r"`([a-z]+(?:-[a-z0-9]+)*)`")
QUESTION = re.compile(r"^\*\*The question\.\*\*.*$", re.MULTILINE)
SHEETS = Path(__file__).parent / "sheets"  # what a folder is given besides the notebooks
SHEET_NAME = "guess-sheet.html"
QUIZ = (1, 2, 4, 10, 11)  # statements of notebook 09 that each plan settles


class Row(NamedTuple):
    """A row of a plan: when it begins, the cells it shows, what is asked, heard and said."""

    minute: int
    notebook: str  # its number, or "index"
    run: str
    cells: list[str]
    ask: str  # "–" where nothing is asked
    say: str


def plan(name: str) -> list[Row]:
    """Read the rows of the guide's plan "90" or "half-day" that run something."""
    section = GUIDE.read_text(encoding="utf-8").split(f"\n## {PLANS[name]}. ")[1].split("\n## ")[0]
    found = [
        Row(int(minute), notebook, run, ID.findall(run), ask, say)
        for minute, notebook, run, ask, say in ROW.findall(section)
    ]
    return [row for row in found if row.cells]


def text_above(cells: list[NotebookNode], position: int) -> list[NotebookNode]:
    """The text right above code, such as its question; not one that tells what was seen."""
    above, cell = cells[position - 1], cells[position]
    told = above.cell_type == "code" or above.id.endswith("-seen")
    return [] if told or cell.cell_type == "markdown" else [above]


def lab(rows: list[Row]) -> NotebookNode:
    """One notebook of a plan's cells in its order, each with the text right above it.

    The cells of a notebook make a part, which begins with that notebook's question and imports:
    no part needs another's cells. A row's minute stands above its cells.
    """
    taken: list[NotebookNode] = []
    for number, part in itertools.groupby(rows, key=lambda row: row.notebook):
        [path] = NOTEBOOKS.glob(f"{number}*.ipynb")  # the learners' copies, with stubs
        cells = read(path).cells
        positions = {cell.id: position for position, cell in enumerate(cells)}
        if number != "index":
            title, _, rest = cells[0].source.partition("\n")
            head = [title, *QUESTION.findall(rest)]
            taken.append(new_markdown_cell("\n\n".join(head), id=f"{number}-question"))
            taken.append(cells[positions["imports"]])
        for row in part:
            minute = f"<small>minute {row.minute}</small>"
            taken.append(new_markdown_cell(minute, id=f"minute-{row.minute}"))
            for position in map(positions.__getitem__, row.cells):
                taken += [*text_above(cells, position), cells[position]]
        for cell in taken:
            if cell.id in positions:  # other parts may have a cell of that id
                cell.id = f"{number}-{cell.id}"
    return new_notebook(cells=taken)


def sheet(rows: list[Row]) -> str:
    """A page to print: a line for each guess of a plan, the quiz twice, and three lines more."""
    asked = [row.ask for row in rows if row.ask != "–"]
    quiz = [STATEMENTS[number - 1].text for number in QUIZ]
    return filled(SHEETS / SHEET_NAME, asked=asked, quiz=quiz)


def handout(name: str, folder: Path) -> list[str]:
    """Fill a new folder with what learners get; returns the names of its notebooks.

    name: a plan, whose cells become one notebook, the first page; or "all" notebooks, whole.
    Raises FileExistsError if the folder is there.
    """
    if name == "all":
        notebooks = {path.name: read(path) for path in sorted(NOTEBOOKS.glob("*.ipynb"))}
    else:
        notebooks = {INDEX: lab(plan(name))}
    folder.mkdir(parents=True)
    for item in GIVEN:
        source, target = ROOT / item, folder / item
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copyfile(source, target)
    shutil.copyfile(SHEETS / "README.md", folder / "README.md")
    if name in PLANS:
        (folder / SHEET_NAME).write_text(sheet(plan(name)), encoding="utf-8")
    (folder / "notebooks").mkdir()
    for file, notebook in notebooks.items():
        cleared, _ = ClearOutputPreprocessor().preprocess(notebook, {})
        normalise(cleared)
        write(cleared, folder / "notebooks" / file)
    return list(notebooks)


def main(arguments: list[str] | None = None) -> int:
    """Make the folder named; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python course.py handout", description=__doc__)
    parser.add_argument("plan", nargs="?", choices=[*PLANS, "all"], default="all")
    parser.add_argument("folder", type=Path, help="must not exist yet")
    asked = parser.parse_args(arguments)
    try:
        names = handout(asked.plan, asked.folder)
    except FileExistsError:
        print(f"{asked.folder} is there already: name a new folder.", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"{asked.folder} cannot be written: {error.strerror}.", file=sys.stderr)
        return 1
    print(f"{asked.folder} holds {', '.join(names)}, without outputs and solutions.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
