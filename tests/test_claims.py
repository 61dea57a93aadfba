"""data/claims.csv: its rows are whole, and each names what its cell prints."""

from __future__ import annotations

import functools
import re

import nbformat
import pytest
from by_value import same
from cells import SOLUTIONS

from helpers.claims import COLOURS, Claim, fact_check, load_claims, tally

ALL = load_claims()
MEASURED = [claim for claim in ALL if claim.verdict in ("holds", "caveat", "false")]


@functools.cache
def cell_of(notebook: str, cell: str) -> nbformat.NotebookNode:
    (path,) = SOLUTIONS.glob(f"{notebook}_*.ipynb")
    found = {each.id: each for each in nbformat.read(path, as_version=4).cells}
    return found[cell]


def printed(notebook: str, cell: str) -> list[str]:
    """The lines that a worked cell printed or showed as text."""
    outputs = cell_of(notebook, cell).get("outputs", [])
    texts = (o.get("text") or o.get("data", {}).get("text/plain", "") for o in outputs)
    return [re.sub(r"\s+", " ", line).strip() for text in texts for line in text.splitlines()]


def test_ids_are_in_order():
    assert [claim.id for claim in ALL] == [f"C{n:02}" for n in range(1, len(ALL) + 1)]
    assert len(ALL) >= 69


@pytest.mark.parametrize("claim", ALL, ids=lambda claim: claim.id)
def test_a_row_is_whole(claim):
    assert claim.verdict in COLOURS
    assert claim.claim
    assert set(claim.source.split(";")) <= {"000", "001", "002", "003", "004"}
    assert claim.say or claim.verdict == "holds"
    assert cell_of(claim.notebook, claim.cell)


@pytest.mark.parametrize("claim", MEASURED, ids=lambda claim: claim.id)
def test_what_was_measured_is_what_its_cell_prints(claim):
    """By value, as nbval compares it when it runs the cell again."""
    lines = printed(claim.notebook, claim.cell)
    assert claim.measured
    for part in claim.measured.split(" | "):
        assert any(same(part, line) for line in lines), (part, lines)


def test_a_line_that_no_cell_prints_is_found_out():
    lines = printed(MEASURED[0].notebook, MEASURED[0].cell)
    assert not any(same("≈ 12,345 of something else", line) for line in lines)


def test_the_table_says_all_of_a_claim():
    claim = Claim("C01", "000", "Ng's lecture", "y<3> & h", "caveat", "Words", "≈ 2", "05", "map")
    table = fact_check([claim], "Settled here")
    shown = table._repr_mimebundle_()
    assert "y&lt;3&gt; &amp; h" in shown["text/html"]
    assert COLOURS["caveat"] in shown["text/html"]
    for words in ("C01 caveat: y<3> & h (Ng's lecture).", "Words", "≈ 2", "notebook 05, cell map"):
        assert words in shown["text/plain"]


def test_the_tally_adds_up():
    *lines, total = tally(ALL).splitlines()
    assert sum(int(re.findall(r"\d+", line)[0]) for line in lines) == len(ALL)
    assert int(re.findall(r"\d+", total)[0]) == len(ALL)
