"""tools.handout: what is given out holds the plan's cells and no answer, and runs untouched."""

from __future__ import annotations

import html
import os
import re

import pytest

from tools import handout, reading
from tools.build import NOTEBOOKS, SOLUTIONS, execute


@pytest.mark.parametrize("name", handout.PLANS)
def test_lab_holds_the_cells_of_the_plan_in_its_order(name):
    rows = handout.plan(name)
    cells = handout.lab(rows).cells
    code = [cell.id for cell in cells if cell.cell_type == "code"]
    planned = [f"{row.notebook}-{cell}" for row in rows for cell in row.cells]
    assert [cell.id for cell in cells if cell.id in planned] == planned
    assert {identity for identity in code if not identity.endswith("-imports")} <= {*planned}
    assert len({cell.id for cell in cells}) == len(cells)
    parts = [identity.split("-")[0] for identity in code if identity.endswith("-imports")]
    assert parts == sorted({row.notebook for row in rows} - {"index"})


@pytest.mark.parametrize("name", handout.PLANS)
def test_minute_of_each_row_stands_above_its_cells(name):
    """Each cell of a row has the row's minute above it, and no other's in between."""
    rows = handout.plan(name)
    row_of = {f"{row.notebook}-{cell}": row for row in rows for cell in row.cells}
    minute = ""
    for cell in handout.lab(rows).cells:
        if cell.source.startswith("<small>"):
            minute = cell.source
        elif cell.id in row_of:
            assert minute == f"<small>minute {row_of[cell.id].minute}</small>"


@pytest.mark.parametrize("name", handout.PLANS)
def test_formulas_of_a_section_stand_above_its_exercises(name):
    """What an exercise's section has defined in displayed formulas before it is on the page."""
    rows = handout.plan(name)
    given = [cell.id for cell in handout.lab(rows).cells]
    needed = []
    for number in sorted({row.notebook for row in rows} - {"index"}):
        [path] = NOTEBOOKS.glob(f"{number}*.ipynb")
        defined: list[str] = []
        for cell in reading.read(path).cells:
            if cell.cell_type == "markdown":
                defined = [] if re.search("^## ", cell.source, re.MULTILINE) else defined
                defined += [f"{number}-{cell.id}"] if "$$" in cell.source else []
            answer = f"{number}-{cell.id}"
            if reading.is_solution(cell) and answer in given:
                needed += [(formula, answer) for formula in defined]
    assert len(needed) > 1
    missing = [pair for pair in needed if pair[0] not in given[: given.index(pair[1])]]
    assert missing == []


@pytest.mark.parametrize("name", handout.PLANS)
def test_guesses_and_exercises_of_a_lab_bring_their_texts(name):
    planned = {f"{row.notebook}-{cell}" for row in handout.plan(name) for cell in row.cells}
    cells = handout.lab(handout.plan(name)).cells
    for position, cell in enumerate(cells):
        above = [other.source for other in cells[max(position - 3, 0) : position]]
        if reading.is_solution(cell):
            assert any(source.startswith("### Exercise") for source in above), cell.id
        if reading.is_guess(cell):
            assert any("rite down your guess" in source for source in above), cell.id
        if cell.cell_type == "markdown":
            assert not cell.id.endswith("-seen") or cell.id in planned, cell.id
            assert ".ipynb)" not in cell.source, cell.id  # a page that was not given out


def test_folder_has_no_answers_and_no_outputs(tmp_path):
    folder = tmp_path / "a lab"
    names = handout.handout("all", folder)
    assert names == sorted(path.name for path in NOTEBOOKS.glob("*.ipynb"))
    worked = [cell for path in SOLUTIONS.glob("*.ipynb") for cell in reading.read(path).cells]
    answers = {cell.source for cell in worked if reading.is_solution(cell)}
    assert len(answers) > 20
    for name in names:
        for cell in reading.read(folder / "notebooks" / name).cells:
            assert cell.source not in answers
            assert not cell.get("outputs")
    given = {path.name for path in folder.iterdir()}
    assert given == {*handout.GIVEN, "README.md", "notebooks"}
    assert not list(folder.rglob("__pycache__"))


@pytest.mark.parametrize("name", handout.PLANS)
def test_sheet_has_a_line_for_each_question_and_no_answer(name):
    rows = handout.plan(name)
    page = html.unescape(handout.sheet(rows))
    asked = [row for row in rows if row.ask != "–"]
    assert len(asked) > 10
    assert page.count("<tr><td>") == len(asked) + len(handout.QUIZ) + 3
    for row in asked:
        assert row.ask in page
        assert row.say not in page


def test_folder_that_is_there_or_cannot_be_made_is_told(tmp_path, capsys):
    assert handout.main(["all", str(tmp_path)]) == 1
    assert "is there already" in capsys.readouterr().err
    (tmp_path / "file").touch()
    assert handout.main(["all", str(tmp_path / "file" / "lab")]) == 1
    assert "cannot be written" in capsys.readouterr().err


@pytest.mark.slow
def test_lab_runs_from_top_to_bottom_untouched(tmp_path, monkeypatch):
    """The longer one: it holds most cells of the other, and test_guide sees to all names."""
    handout.handout("half-day", tmp_path / "lab")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "lab") + os.pathsep)
    path = tmp_path / "lab" / "notebooks" / "index.ipynb"
    execute(reading.read(path), "half-day", path.parent)
