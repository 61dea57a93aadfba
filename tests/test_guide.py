"""instructor/guide.md: the cells, exercises, points and minutes it names are the notebooks' own."""

from __future__ import annotations

import functools
import re
from fnmatch import fnmatch

import nbformat
import pytest

from helpers import claims
from helpers.checks.registry import EXERCISES
from tools.build import NOTEBOOKS

GUIDE = (NOTEBOOKS.parent / "instructor" / "guide.md").read_text(encoding="utf-8")
ID = re.compile(r"`([a-z]+(?:-[a-z0-9*]+)+)`")
PLAN_ROW = re.compile(r"^\| \d+ \| (0[0-6])\b[^|]*\|([^|]*)\|", re.MULTILINE)
EXERCISE_ROW = re.compile(r"^\| (\d\.\d) `(\w+)` \| (\d+) \| (\d+) \|", re.MULTILINE)


def section(number: int) -> str:
    """The text of a numbered section of the guide."""
    return GUIDE.split(f"\n## {number}. ")[1].split("\n## ")[0]


@functools.cache
def source(notebook: str) -> nbformat.NotebookNode:
    path = NOTEBOOKS / "solutions" / f"{claims.NOTEBOOKS[notebook]}.ipynb"
    return nbformat.read(path, as_version=4)


def known(name: str, notebooks: list[str]) -> bool:
    return any(fnmatch(cell.id, name) for notebook in notebooks for cell in source(notebook).cells)


@pytest.mark.parametrize("number", [2, 3])
def test_plans_run_cells_of_the_notebook_they_name(number):
    """Markdown cells too may be shown; what they name is there, in the notebook of the row."""
    rows = PLAN_ROW.findall(section(number))
    assert len(rows) > 15
    names = [(notebook, name) for notebook, run in rows for name in ID.findall(run)]
    assert len(names) > 25
    assert [(notebook, name) for notebook, name in names if not known(name, [notebook])] == []


def test_cells_named_elsewhere_exist():
    names = {name for number in (2, 3, 4, 7) for name in ID.findall(section(number))}
    assert len(names) > 60
    assert [name for name in sorted(names) if not known(name, list(claims.NOTEBOOKS))] == []


def test_rows_of_the_table_of_exercises_are_as_the_checks_hold_them():
    told = EXERCISE_ROW.findall(section(4))
    held = [
        (e.label, e.name, str(e.minutes), str(e.points))
        for e in sorted(EXERCISES.values(), key=lambda e: e.label)
    ]
    assert [row for row in told if row not in held] == []


def test_minutes_to_read():
    rows = re.findall(r"^\| (0\d)_\w+ \| (\d+) \|", section(7), re.MULTILINE)
    assert [notebook for notebook, _ in rows] == list(claims.NOTEBOOKS)
    for notebook, read in rows:
        assert f"**Time** {read} minutes to read" in source(notebook).cells[0].source
