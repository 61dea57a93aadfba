"""Exercises of notebook 01: the nearest noun, counting the gap, a sentence that fools the latch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from helpers.checks.compare import Mistake, compare
from helpers.checks.harness import Case
from helpers.checks.registry import exercise
from helpers.task.agreement import AgreementTask
from helpers.task.lexicon import VERBS

SMALLEST_GAP = 3
UNDECIDED = 0.1  # difference of the two logits below which the latch says nothing


def _verb_at(words: Sequence[str]) -> int:
    return next(place for place, word in enumerate(words) if word in VERBS)


def _without_commas(words: Sequence[str], subject: int) -> int:
    return sum(word != "," for word in words[subject + 1 : _verb_at(words)])


COUNT_MISTAKES = (
    Mistake(
        "One too many: neither the subject nor the verb stands between the two.",
        lambda words, subject: _verb_at(words) - subject,
    ),
    Mistake(
        "Two too many: neither the subject nor the verb stands between the two.",
        lambda words, subject: _verb_at(words) - subject + 1,
    ),
    Mistake(
        "One too few: from the word after the subject to the word before the verb.",
        lambda words, subject: _verb_at(words) - subject - 2,
    ),
    Mistake("Did you leave out the commas? They are tokens and count.", _without_commas),
    Mistake(
        "You count from the start of the sentence: the opener stands before the subject.",
        lambda words, subject: _verb_at(words),
    ),
    Mistake(
        "You count from the start of the sentence: the opener stands before the subject.",
        lambda words, subject: _verb_at(words) - 1,
    ),
    Mistake(
        "You count to the end of the sentence: the gap ends before the verb.",
        lambda words, subject: len(words) - subject - 1,
    ),
    Mistake(
        "A negative number of words: which of the two places is the larger?",
        lambda words, subject: subject - _verb_at(words) + 1,
    ),
)


@exercise("01", 1, "Count the gap", points=2, minutes=5, difficulty=1)
def words_between(answer: Any) -> str:
    """Check a function of (words, subject) that returns a number of tokens."""
    cases: list[Case] = []
    for seed, gap in enumerate((7, 3, 12, 5, 20, 4)):
        drawn = AgreementTask(gap, seed=seed).sentence()
        words = [*drawn.words, drawn.verb, drawn.predicate, *("and", "cold")[: 2 * (seed % 2)]]
        cases.append({"words": words, "subject": drawn.subject})
    return compare(
        answer, cases, lambda words, subject: _verb_at(words) - subject - 1, COUNT_MISTAKES
    )
