"""A folder in which nbgrader grades the course; the worked notebooks are its source unchanged.

From the command line: python -m tools.grading FOLDER, and then nbgrader in that folder.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from pathlib import Path

from tools import reading
from tools.build import NOTEBOOKS

CONFIG = NOTEBOOKS.parent / "instructor" / "nbgrader_config.py"
TEMPLATE = "templates/feedback/mathjax.html.j2"  # taken by the settings in nbgrader's own stead


def points(path: Path) -> float:
    """How many points the checks of a worked notebook give together."""
    marks = map(reading.marks, reading.read(path).cells)
    return sum(mark.get("points", 0) for mark in marks if mark.get("grade"))


def mathjax() -> str:
    """nbconvert's macro for MathJax, with MathJax in it: a page of feedback needs no network.

    Raises ValueError if the package that holds MathJax is not installed.
    """
    files = reading.files_of("sphinx-mathjax-offline")
    [code] = (file for file in files if file.name == "tex-svg-full.js")  # its glyphs are in it
    settings = json.dumps({"tex": {"inlineMath": [["$", "$"]]}})
    scripts = f"<script>MathJax = {settings}</script>\n<script>{code.read_text('utf-8')}</script>"
    return f"{{% macro mathjax() %}}{{% raw %}}{scripts}{{% endraw %}}{{% endmacro %}}"


def course_folder(folder: Path, notebooks: list[Path]) -> list[str]:
    """Make of each worked notebook an assignment of its own name; returns those names.

    A gradebook and students' work in the folder stay; the settings and sources are put anew.
    Notebooks without a check that gives points are left out. Raises ValueError if that is all
    of them, or if the folder lies within the course's own.
    """
    if folder.resolve().is_relative_to(NOTEBOOKS.parent):
        raise ValueError(f"{folder} lies in the course's own folder; students' work does not")
    graded = [path for path in notebooks if points(path)]
    if not graded:
        raise ValueError("none of the notebooks has a check that gives points")
    for path in graded:
        target = folder / "source" / path.stem
        target.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target / path.name)
    shutil.copyfile(CONFIG, folder / CONFIG.name)
    (folder / TEMPLATE).parent.mkdir(parents=True, exist_ok=True)
    (folder / TEMPLATE).write_text(mathjax(), encoding="utf-8")
    return [path.stem for path in graded]


def main(arguments: list[str] | None = None) -> int:
    """Make the folder named; returns the exit status."""
    parser = argparse.ArgumentParser(prog="grading", description="Make an nbgrader course folder.")
    parser.add_argument("folder", type=Path, help="outside the course's own folder")
    folder = parser.parse_args(arguments).folder
    try:
        names = course_folder(folder, reading.sources())
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        print(f"{folder} cannot be written: {error.strerror}", file=sys.stderr)
        return 1
    print("assignments:", *names)
    return 0


if __name__ == "__main__":
    sys.exit(main())
