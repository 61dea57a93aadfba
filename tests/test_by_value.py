"""The comparison of notebooks' numbers: what is the same, and what must never pass."""

from pathlib import Path

import nbformat
import pytest
from by_value import ByValue, same
from nbformat.v4 import new_code_cell, new_notebook, new_output

pytest_plugins = ["pytester"]
CONFTEST = Path(__file__).resolve().parents[1] / "conftest.py"


@pytest.mark.parametrize(
    ("stored", "printed"),
    [
        ("factor ≈ 0.43", "factor ≈ 0.44"),
        ("≈ 17,400 times", "≈ 16,900 times"),
        ("≈ .031 and ≈ -0.52", "≈ .032 and ≈ -0.50"),
        ("≈ 1.3e-5", "≈ 1.25e-5"),
        ("≈ 0.011", "≈ 0.012"),  # one in the last digit
        ("learned after ~ 120 steps, ~ 3 s", "learned after ~ 300 steps, ~ 41 s"),
        ("~ 10^-271", "~ 10^-260"),
        ("≈ 10^-4", "≈ 10^-5"),
        ("~ 10^-3", "~ 0.002"),  # the two ways to print a size
        ("gap  5   ≈ 0.9\n", "gap 5 ≈ 0.92\n"),  # a column's width
        ("<!-- Run this cell. -->\n<div>2</div>", "<div>2</div>"),
        ('<img class="course-picture" alt="x: 1" src="data:image/png;base64,AAAA"> 2',
         '<img class="course-picture" alt="x: 7" src="data:image/png;base64,BB"> 2'),
    ],
)  # fmt: skip
def test_the_same(stored, printed):
    assert same(stored, printed)
    assert ByValue(stored) == ByValue(printed)


@pytest.mark.parametrize(
    ("stored", "printed"),
    [
        ("factor ≈ 0.43", "factor ≈ 0.47"),
        ("factor ≈ 0.43", "factor 0.43"),
        ("factor 0.43", "factor 0.44"),  # no sign, no tolerance
        ("≈ 2", "≈ 3"),  # of one digit the last is the whole number
        ("≈ 0.31", "≈ -0.31"),
        ("~ 120 steps", "~ 400 steps"),
        ("~ 0", "~ 1"),
        ("~ 10^-271", "~ 10^-250"),
        ("≈ 10^-4", "≈ 10^-6"),
        ("~ 10^-4", "~ 0"),
        ("~ 10^-4", "~ -0.0001"),
        ("≈ 1 and ≈ 2", "≈ 1"),
        ("gap 5: ~ 3 s", "gap 6: ~ 3 s"),
        ("~ 3 s", "3 s"),
        ("≈ 0.4", "≈ nan"),
        ('<img class="course-picture" alt="x"> 2', '<img class="course-picture" alt="x"> 3'),
    ],
)  # fmt: skip
def test_not_the_same(stored, printed):
    assert not same(stored, printed)
    assert ByValue(stored) != ByValue(printed)


def test_nbval_compares_so(pytester):
    cells = [new_code_cell(f"print('≈ {n}')", execution_count=1) for n in (0.44, 0.54)]
    for cell in cells:
        cell.outputs = [new_output("stream", name="stdout", text="≈ 0.43\n")]
    nbformat.write(new_notebook(cells=cells), pytester.path / "one.ipynb")
    pytester.makeconftest(CONFTEST.read_text(encoding="utf-8"))
    pytester.makeini(f"[pytest]\npythonpath = {CONFTEST.parent / 'tests'}")
    done = pytester.runpytest_subprocess("--nbval", "--nbval-current-env", "one.ipynb")
    done.assert_outcomes(passed=1, failed=1)
