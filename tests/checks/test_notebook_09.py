"""The quiz explains every answer, and a model answer is shown only beside one's own."""

import pytest

from helpers import checks
from helpers.checks.notebook_09 import MODEL_ANSWERS, STATEMENTS

TRUTH = {number: statement.true for number, statement in enumerate(STATEMENTS, start=1)}


def answered(**changed):
    return {**TRUTH, **{int(key[1:]): value for key, value in changed.items()}}


def test_the_statements_are_balanced_and_about_lessons():
    assert len(STATEMENTS) == 12
    assert 4 <= sum(TRUTH.values()) <= 8
    assert {statement.notebook for statement in STATEMENTS} <= {f"0{n}" for n in range(9)}


def test_all_right():
    result = checks.quiz(lambda: dict(TRUTH))
    assert result.passed
    assert all(statement.why in result.message for statement in STATEMENTS)


@pytest.mark.parametrize("number", TRUTH)
def test_each_wrong_answer_is_named_and_explained(number):
    result = checks.quiz(lambda: answered(**{f"n{number}": not TRUTH[number]}))
    assert not result.passed
    assert "11 of 12" in result.message
    assert f"{number}. no: it is {'true' if TRUTH[number] else 'false'}." in result.message
    assert STATEMENTS[number - 1].why in result.message


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ([True] * 12, "return a dict"),
        ({1: True}, "no answer to statement 2"),
        (answered(n3="yes"), "Your answer 3 is 'yes'"),
        (answered(n4=None), "Your answer 4 is None"),
        (dict.fromkeys(TRUTH, 1), "write True or False"),
        (None, "return"),
    ],
)
def test_no_quiz(value, says):
    result = checks.quiz(lambda: value)
    assert not result.passed
    assert says in result.message


@pytest.mark.parametrize("question", MODEL_ANSWERS)
def test_the_model_answer_waits_for_ones_own(question):
    model, points = MODEL_ANSWERS[question]
    for text in ("", "too short"):
        shown = checks.beside_model_answer(question, text)
        assert model not in shown.message
        assert not shown.passed
    text = "one two three " * 8
    shown = checks.beside_model_answer(question, text)
    assert model in shown.message
    assert text.strip() in shown.message
    assert all(f"[ ] {point}" in shown.message for point in points)
    assert not shown.passed


def test_statements_are_printed_without_their_answers(capsys):
    checks.statements()
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 12
    assert not any(statement.why in line for statement in STATEMENTS for line in lines)
