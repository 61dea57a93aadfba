"""instructor/guide.md: its cells, exercises, minutes and numbers are the notebooks' own."""

from __future__ import annotations

import ast
import builtins
import functools
import re

import nbformat
import pytest
from nbformat import NotebookNode

from helpers.checks.registry import EXERCISES
from tools import reading
from tools.build import NOTEBOOKS, SOLUTIONS
from tools.handout import ID, PLANS, plan

GUIDE = (NOTEBOOKS.parent / "instructor" / "guide.md").read_text(encoding="utf-8")
TRAP_ROW = re.compile(r"^\| (\d\d|index) (`.*)$|^\|[^|`]*\| (\d\d) (`[^|]*)\|", re.MULTILINE)
PLANNED = re.compile(r"\*\*(?:exercise )?(\d\.\d)\*\* \((\d+) min\)")
TYPED = re.compile(r"≈ (\d[\d,.]*\d|\d)")
EXERCISE_ROW = re.compile(r"^\| (\d\.\d) `(\w+)` \| (\d+) \| (\d+) \|", re.MULTILINE)


def section(number: int) -> str:
    """The text of a numbered section of the guide."""
    return GUIDE.split(f"\n## {number}. ")[1].split("\n## ")[0]


@functools.cache
def cells(notebook: str) -> dict[str, NotebookNode]:
    """A worked notebook's cells by id; notebook: its number, or "index"."""
    [path] = (SOLUTIONS if notebook != "index" else NOTEBOOKS).glob(f"{notebook}*.ipynb")
    return {cell.id: cell for cell in nbformat.read(path, as_version=4).cells}


@pytest.mark.parametrize("name", PLANS)
def test_plans_run_cells_of_the_notebook_they_name(name):
    rows = plan(name)
    assert len(rows) > 15
    minutes = [row.minute for row in rows]
    assert minutes == sorted(set(minutes))
    planned = [(row.notebook, cell) for row in rows for cell in row.cells]
    assert len(set(planned)) == len(planned) > 40
    assert [(notebook, cell) for notebook, cell in planned if cell not in cells(notebook)] == []


@pytest.mark.parametrize("name", PLANS)
def test_a_guess_is_asked_before_its_answer_is_run(name):
    """Each guess of a plan is answered in it, and each answer has its guess before."""
    for row in plan(name):
        found = [cells(row.notebook)[cell] for cell in row.cells]
        guesses = [place for place, cell in enumerate(found) if reading.is_guess(cell)]
        answers = [place for place, cell in enumerate(found) if "checks.guess(" in cell.source]
        assert len(guesses) == len(answers), row
        assert all(asked < told for asked, told in zip(guesses, answers, strict=True)), row
        if guesses:
            assert row.ask != "–"


@pytest.mark.parametrize(("name", "end"), [("90", 90), ("half-day", 210)])
def test_a_row_has_the_minutes_that_it_takes(name, end):
    """Half a minute more than each exercise, one and a half a guess, and a minute to talk."""
    rows = plan(name)
    for row, until in zip(rows, [*(row.minute for row in rows[1:]), end], strict=True):
        exercises = [int(minutes) for _, minutes in PLANNED.findall(row.run)]
        guesses = [cell for cell in row.cells if reading.is_guess(cells(row.notebook)[cell])]
        needed = sum(exercises) + 0.5 * len(exercises) + 1.5 * len(guesses) + 1
        assert until - row.minute >= needed, row


def test_cells_named_elsewhere_exist():
    named = [
        (one or two, name)
        for number in (4, 7)
        for one, in_one, two, in_two in TRAP_ROW.findall(section(number))
        for name in ID.findall((in_one or in_two).split("|")[0])
    ]
    assert len(named) > 15
    assert [(notebook, name) for notebook, name in named if name not in cells(notebook)] == []


def names_of(source: str) -> tuple[set[str], set[str]]:
    """The names that a cell sets, and those that it takes from before it."""
    tree = ast.parse(source)
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    kept = {node.id for node in nodes if isinstance(node.ctx, ast.Store)}
    kept |= {
        (name.asname or name.name).split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for name in node.names
    }
    kept |= {n.name for n in ast.walk(tree) if isinstance(n, (ast.FunctionDef, ast.ClassDef))}
    inner = {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    return kept, {node.id for node in nodes} - kept - inner - set(dir(builtins))


@pytest.mark.parametrize("name", PLANS)
def test_plans_run_without_the_cells_that_they_leave_out(name):
    """Each cell finds the names it takes in the imports or in the cells run before it."""
    known: dict[str, set[str]] = {}
    for row in plan(name):
        if row.notebook not in known:
            imports = cells(row.notebook).get("imports")
            known[row.notebook] = names_of(imports.source)[0] if imports else set()
        for cell in (cells(row.notebook)[name] for name in row.cells):
            if cell.cell_type == "markdown":
                continue
            kept, taken = names_of(cell.source)
            missing = taken - known[row.notebook]
            assert not missing, (row.notebook, cell.id, missing)
            known[row.notebook] |= kept


def test_exercises_of_the_plans_take_the_minutes_that_their_headings_say():
    for name in PLANS:
        planned = [
            (row.notebook, *found) for row in plan(name) for found in PLANNED.findall(row.run)
        ]
        assert len(planned) > 2
        for notebook, label, minutes in planned:
            prose = "\n".join(c.source for c in cells(notebook).values())
            [told] = re.findall(rf"^### Exercise {label} .* (\d+) minutes", prose, re.MULTILINE)
            assert (label, minutes) == (label, told)


def test_numbers_of_the_plans_are_printed_by_the_notebook():
    """Each number after the sign for "within 5 %" stands in an output of the row's notebook."""
    told = [
        (row.notebook, number)
        for name in PLANS
        for row in plan(name)
        for number in TYPED.findall(row.say)
    ]
    assert len(told) > 6
    for notebook, number in told:
        texts = [
            output.get("text") or output.get("data", {}).get("text/plain", "")
            for cell in cells(notebook).values()
            for output in cell.get("outputs", [])
        ]
        printed = [float(n.replace(",", "")) for text in texts for n in TYPED.findall(text)]
        value = float(number.replace(",", ""))
        assert any(abs(value - other) <= 0.05 * value for other in printed), (notebook, number)


def test_rows_of_the_table_of_exercises_are_as_the_checks_hold_them():
    told = EXERCISE_ROW.findall(section(4))
    held = [(e.label, e.name, str(e.minutes), str(e.points)) for e in EXERCISES.values()]
    assert told == sorted(held)
