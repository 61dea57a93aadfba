"""data/claims.csv: all 62 claims, each with a notebook, a cell and a test that exist."""

import ast
import functools
import math
import re
from pathlib import Path

import nbformat
import pytest
from markdown_it import MarkdownIt

from helpers import claims
from helpers.claims import COLUMNS, Claim, ClaimsError, fact_check, load_claims
from tools.build import NOTEBOOKS

TESTS = Path(__file__).parent
ALL = load_claims()
GOOD = ["C01", "000;001", "A claim", "caveat", "Words", "A number", "02", "twist-test", "test_a.py"]


@functools.cache
def cells(notebook):
    path = NOTEBOOKS / f"{claims.NOTEBOOKS[notebook]}.ipynb"
    return {cell.id: cell for cell in nbformat.read(path, as_version=4).cells}


@functools.cache
def defined_in(file):
    """What a test file defines, by name: its constants, its functions, its classes' tests too."""
    tree = ast.parse((TESTS / file).read_text(encoding="utf-8"))
    constants = {
        target.id: node
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    functions = {node.name: node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    return constants | functions


def numbers_in(file, name):
    """Every number in a test's code and in what it uses of its file and of runs.py."""
    known = defined_in("runs.py") | defined_in(file)
    waiting, used, numbers = [name], set(), set()
    while waiting:
        used.add(name := waiting.pop())
        for node in ast.walk(known[name]):
            if isinstance(node, ast.Constant) and type(node.value) in (int, float):
                numbers.add(node.value)
            elif isinstance(node, ast.Name) and node.id in known.keys() - used:
                waiting.append(node.id)
    return numbers


def written(path, *rows):
    lines = [",".join(COLUMNS), *(",".join(row) for row in rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_all_62_are_there_in_order():
    assert [claim.id for claim in ALL] == [f"C{number:02}" for number in range(1, 63)]


@pytest.mark.parametrize("claim", ALL, ids=lambda claim: claim.id)
def test_notebook_and_cell_exist(claim):
    assert claim.cell in cells(claim.notebook)


@pytest.mark.parametrize("claim", ALL, ids=lambda claim: claim.id)
def test_what_was_measured_is_asserted_by_a_test_that_exists(claim):
    file, _, name = claim.test.partition("::")
    assert name.startswith("test_")
    source = ast.unparse(defined_in(file)[name])
    assert re.search(r"\bassert |\bassert_", source)
    assert not re.search("skip|xfail", source)


@pytest.mark.parametrize("claim", ALL, ids=lambda claim: claim.id)
def test_each_number_that_was_measured_stands_in_its_test(claim):
    """95 % may stand there as 0.95, and over 5 % more as 1.05."""
    there = numbers_in(*claim.test.split("::"))
    for number in re.findall(r"(?<![\w.])\.?\d[\d,]*\.?\d*(?:e-?\d+)?", claim.measured):
        value = float(number.replace(",", ""))
        forms = (value, value / 100, 1 + value / 100)
        assert any(math.isclose(form, each) for form in forms for each in there), number


@pytest.mark.parametrize("claim", ALL, ids=lambda claim: claim.id)
def test_its_notebook_settles_it_in_its_last_cell(claim):
    """The list of claims at each notebook's end names it."""
    assert re.search(rf"\b{claim.id}\b", cells(claim.notebook)["claims"].source)


def test_no_notebook_settles_a_claim_of_another():
    for notebook in claims.NOTEBOOKS:
        listed = re.findall(
            r"(?:^- |, |\. )(C\d\d)(?=[ ,])", cells(notebook)["claims"].source, re.M
        )
        own = {claim.id for claim in ALL if claim.notebook == notebook}
        assert set(listed) <= own, notebook


def test_sources_are_the_five_notes():
    for claim in ALL:
        assert set(claim.source.split(";")) <= {"000", "001", "002", "003", "004"}


def test_a_good_row(tmp_path):
    (claim,) = load_claims(written(tmp_path / "claims.csv", GOOD))
    assert claim == Claim(*GOOD)


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("id", "1", "id must be C and two digits; got '1'"),
        ("verdict", "true", "verdict must be one of"),
        ("notebook", "07", "notebook must be one of"),
        ("cell", "", "cell is empty"),
        ("say", " ", "say is empty"),
        ("measured", "", "measured is empty"),
        ("test", "", "test is empty"),
    ],
)
def test_a_bad_field_is_named(tmp_path, field, value, reason):
    row = list(GOOD)
    row[COLUMNS.index(field)] = value
    other = ["C02", *GOOD[1:]]
    with pytest.raises(ClaimsError, match=rf"^claims\.csv, line 3: {reason}"):
        load_claims(written(tmp_path / "claims.csv", other, row))


def test_a_claim_that_holds_needs_no_words(tmp_path):
    row = list(GOOD)
    row[3], row[4] = "holds", ""
    (claim,) = load_claims(written(tmp_path / "claims.csv", row))
    assert claim.say == ""


def test_a_row_too_short_or_twice_or_no_header(tmp_path):
    with pytest.raises(ClaimsError, match="line 2: 8 fields, 9 expected"):
        load_claims(written(tmp_path / "claims.csv", GOOD[:-1]))
    with pytest.raises(ClaimsError, match="line 3: id C01 comes twice"):
        load_claims(written(tmp_path / "claims.csv", GOOD, GOOD))
    (tmp_path / "claims.csv").write_text("a,b\n")
    with pytest.raises(ClaimsError, match="line 1: the columns must be id, source"):
        load_claims(tmp_path / "claims.csv")
    with pytest.raises(ClaimsError, match=r"none\.csv: No such file"):
        load_claims(tmp_path / "none.csv")


def test_the_table_says_all_of_a_claim():
    claim = Claim(*GOOD)
    table = fact_check([claim], "Settled here")
    row = table.markdown.splitlines()[-1]
    for word in ("C01", "000, 001", "**caveat**", "Words", "A number", "`twist-test`"):
        assert word in row
    assert "[02](02_unrolled_depth.ipynb)" in row
    assert row.count("|") == table.markdown.splitlines()[2].count("|")
    assert "C01 caveat: A claim. We say: Words. Measured: A number" in table.plain


@pytest.mark.parametrize("claim", ALL, ids=lambda claim: claim.id)
def test_no_field_breaks_the_table(claim):
    row = fact_check([claim], "x").markdown.splitlines()[-1]
    assert row.replace(r"\|", "").count("|") == 8


def test_marks_of_the_claims_stay_as_they_are_written(tmp_path):
    claim = Claim(*GOOD[:2], "y<3> = G1*h + G2*h~ if ||g|| > c_1", *GOOD[3:])
    row = fact_check([claim], "x").markdown.splitlines()[-1]
    html = MarkdownIt("commonmark").enable("table").render(fact_check([claim], "x").markdown)
    assert "<td>y&lt;3&gt; = G1*h + G2*h~ if ||g|| &gt; c_1</td>" in html, row
