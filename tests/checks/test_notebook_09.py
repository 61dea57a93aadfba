"""The quiz explains every answer, and a model answer is shown only beside one's own."""

import pytest
from planted import planted_tests, value

from helpers import checks
from helpers.checks.notebook_09 import MODEL_ANSWERS, STATEMENTS
from helpers.checks.results import FAILED

TRUTH = {number: statement.true for number, statement in enumerate(STATEMENTS, start=1)}
RIGHT = {"quiz": [lambda: TRUTH, lambda: TRUTH | {13: True}]}
WRONG = {
    "quiz": [
        (value([True] * 12), "return a dict", FAILED),
        (value({1: True}), "no answer to statement 2", FAILED),
        (value(TRUTH | {3: "yes"}), "Your answer 3 is 'yes'", FAILED),
        (value(dict.fromkeys(TRUTH, 1)), "write True or False", FAILED),
        *(
            (value(TRUTH | {n: not true}), f"{n}. no: it is {str(true).lower()}. {why}")
            for n, (_, true, _, why) in enumerate(STATEMENTS, start=1)
        ),
    ]
}

test_right, test_wrong = planted_tests(RIGHT, WRONG)


def test_the_statements_are_balanced_and_about_lessons():
    assert len(STATEMENTS) == 12
    assert 4 <= sum(TRUTH.values()) <= 8
    assert {statement.notebook for statement in STATEMENTS} <= {f"0{n}" for n in range(9)}


def test_every_answer_is_explained():
    right = str(checks.quiz(lambda: TRUTH))
    assert all(statement.why in right for statement in STATEMENTS)
    assert "quiz: 11 of 12." in str(checks.quiz(lambda: TRUTH | {1: not TRUTH[1]}))


@pytest.mark.parametrize("question", MODEL_ANSWERS)
def test_the_model_answer_waits_for_ones_own(question):
    model, points = MODEL_ANSWERS[question]
    assert model not in str(checks.beside_model_answer(question, "too short"))
    text = "one two three " * 8
    shown = checks.beside_model_answer(question, text)
    assert all(each in str(shown) for each in (model, text.strip(), *points))
    assert not shown.passed


def test_statements_are_printed_without_their_answers(capsys):
    checks.statements()
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 12
    assert not any(statement.why in line for statement in STATEMENTS for line in lines)
