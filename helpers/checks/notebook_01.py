"""Exercises of notebook 01: counting the gap, and the flip test."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from helpers.checks.attempt import Case
from helpers.checks.compare import Mistake, compare
from helpers.checks.registry import exercise
from helpers.task.agreement import AgreementTask, flipped
from helpers.task.agreement import flip_test as moved
from helpers.task.lexicon import VERBS, vocabulary, word_numbers
from helpers.validation import Array

Reader = Callable[[Sequence[str]], float]


def _verb_at(words: Sequence[str]) -> int:
    return next(place for place, word in enumerate(words) if word in VERBS)


def _without_commas(words: Sequence[str], subject: int) -> int:
    return sum(word != "," for word in words[subject + 1 : _verb_at(words)])


COUNT_MISTAKES = (
    Mistake("One too many: neither the subject nor the verb stands between the two.",
            lambda words, subject: _verb_at(words) - subject),
    Mistake("Two too many: neither the subject nor the verb stands between the two.",
            lambda words, subject: _verb_at(words) - subject + 1),
    Mistake("One too few: from the word after the subject to the word before the verb.",
            lambda words, subject: _verb_at(words) - subject - 2),
    Mistake("Did you leave out the commas? They are tokens and count.", _without_commas),
    Mistake("You count from the start of the sentence: the opener stands before the subject.",
            lambda words, subject: _verb_at(words)),
    Mistake("You count from the start of the sentence: the opener stands before the subject.",
            lambda words, subject: _verb_at(words) - 1),
    Mistake("You count to the end of the sentence: the gap ends before the verb.",
            lambda words, subject: len(words) - subject - 1),
    Mistake("A negative number of words: which of the two places is the larger?",
            lambda words, subject: subject - _verb_at(words) + 1),
)  # fmt: skip


@exercise("01", 1, "Count the gap", points=2, minutes=4, difficulty=1)
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


def _nouns(words: Sequence[str]) -> list[int]:
    return [place for place, word in enumerate(words) if word in word_numbers()]


def _at_nouns(words: Sequence[str], change: Callable[[int], float]) -> Array:
    """(steps,): what change gives at the place of a noun, 0 elsewhere."""
    nouns = set(_nouns(words))
    return np.array([change(place) if place in nouns else 0.0 for place in range(len(words))])


def _signed(p_was: Reader, words: Sequence[str]) -> Array:
    return _at_nouns(words, lambda place: p_was(flipped(words, place)) - p_was(words))


def _one_after_another(words: Sequence[str]) -> list[Sequence[str]]:
    """The sentence, and what is left of it each time one more noun stays flipped."""
    rows = [words]
    for place in _nouns(words):
        rows.append(flipped(rows[-1], place))
    return rows


def _piled_up(p_was: Reader, words: Sequence[str]) -> Array:
    rows, nouns = _one_after_another(words), _nouns(words)
    return _at_nouns(words, lambda t: abs(p_was(rows[nouns.index(t) + 1]) - p_was(words)))


def _from_the_last(p_was: Reader, words: Sequence[str]) -> Array:
    rows, nouns = _one_after_another(words), _nouns(words)
    steps = [abs(p_was(after) - p_was(before)) for before, after in pairwise(rows)]
    return _at_nouns(words, lambda t: steps[nouns.index(t)])


PILED_UP = "Does a flipped noun stay flipped? Each one should be flipped alone."
FLIP_MISTAKES = (
    Mistake("Some of your changes are negative: how far P(was) moves has no sign.", _signed),
    Mistake("Some of your changes are negative: how far P(was) moves has no sign.",
            lambda p_was, words: -_signed(p_was, words)),
    Mistake(PILED_UP, _piled_up),
    Mistake(PILED_UP, _from_the_last),
    Mistake(
        "That is P(was) of the flipped sentence itself: compare it with the sentence as it was.",
        lambda p_was, words: _at_nouns(words, lambda t: p_was(flipped(words, t))),
    ),
    Mistake("Only the nouns have an entry: give each word one, 0 where there is no noun.",
            lambda p_was, words: moved(p_was, words)[_nouns(words)]),
    Mistake("Your changes are squared: take their absolute value.",
            lambda p_was, words: moved(p_was, words) ** 2),
    Mistake("You divide by P(was): return the change itself.",
            lambda p_was, words: moved(p_was, words) / p_was(words)),
    Mistake("Only one noun has an entry: flip every noun, not the first alone.",
            lambda p_was, words: moved(p_was, words) * (np.arange(len(words)) == _nouns(words)[0])),
    Mistake(
        "Only one noun has an entry: flip every noun, not the last alone.",
        lambda p_was, words: moved(p_was, words) * (np.arange(len(words)) == _nouns(words)[-1]),
    ),
    Mistake("The words are in reverse order: entry [t] belongs to words[t].",
            lambda p_was, words: moved(p_was, words)[::-1]),
)  # fmt: skip


@exercise("01", 2, "The flip test", points=3, minutes=8, difficulty=2)
def flip_test(answer: Any) -> str:
    """Check a function of (p_was, words) that returns a change for each word (steps,)."""
    cases: list[Case] = []
    for seed, gap in enumerate((7, 12, 5, 16)):
        sentence = AgreementTask(gap, seed=seed + 20).sentence()
        cases.append({"p_was": _some_reader(seed), "words": list(sentence.words)})
    return compare(answer, cases, moved, FLIP_MISTAKES, shape="(steps,)")


def _some_reader(seed: int) -> Reader:
    """Some P(was) of a sentence in which each noun counts, and no two the same."""
    worth = np.random.default_rng(seed).normal(0, 1, len(vocabulary()))

    def p_was(words: Sequence[str]) -> float:
        sum_of_words = worth[vocabulary().encode(words)] @ np.linspace(0.5, 1.5, len(words))
        return float(1 / (1 + np.exp(-sum_of_words / 4)))

    return p_was
