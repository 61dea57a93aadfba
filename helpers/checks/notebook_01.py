"""Exercises of notebook 01: counting the gap, and the flip test."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import accumulate, pairwise
from typing import Any

import numpy as np

from helpers.checks.attempt import Case
from helpers.checks.compare import compare
from helpers.checks.registry import exercise
from helpers.task.agreement import AgreementTask, flipped
from helpers.task.agreement import flip_test as moved
from helpers.task.lexicon import VERBS, vocabulary, word_numbers
from helpers.validation import Array

NO_SIGN = "Some of your changes are negative: how far P(was) moves has no sign."
OPENER = "You count from the start of the sentence: the opener stands before the subject."
PILED_UP = "Does a flipped noun stay flipped? Each one should be flipped alone."


def _verb_at(words: Sequence[str]) -> int:
    return next(place for place, word in enumerate(words) if word in VERBS)


def _count_mistakes(words, subject):
    verb = _verb_at(words)
    return [
        ("One too many: neither the subject nor the verb stands between the two.", verb - subject),
        ("Two too many: neither the subject nor the verb stands between the two.",
         verb - subject + 1),
        ("One too few: from the word after the subject to the word before the verb.",
         verb - subject - 2),
        ("Did you leave out the commas? They are tokens and count.",
         sum(word != "," for word in words[subject + 1 : verb])),
        (OPENER, verb),
        (OPENER, verb - 1),
        ("You count to the end of the sentence: the gap ends before the verb.",
         len(words) - subject - 1),
        ("A negative number of words: which of the two places is the larger?", subject - verb + 1),
    ]  # fmt: skip


@exercise("01", 1, "Count the gap", points=2, minutes=4, difficulty=1)
def words_between(answer: Any) -> str:
    """Check a function of (words, subject) that returns a number of tokens."""
    cases: list[Case] = []
    for seed, gap in enumerate((7, 3, 12, 5, 20, 4)):
        drawn = AgreementTask(gap, seed=seed).sentence()
        words = [*drawn.words, drawn.verb, drawn.predicate, *("and", "cold")[: 2 * (seed % 2)]]
        cases.append({"words": words, "subject": drawn.subject})
    return compare(
        answer, cases, lambda words, subject: _verb_at(words) - subject - 1, _count_mistakes
    )


def _flip_mistakes(p_was, words):
    change = moved(p_was, words)
    nouns = [place for place, word in enumerate(words) if word in word_numbers()]
    alone = np.array([p_was(flipped(words, place)) for place in nouns])
    piled = np.array([p_was(row) for row in accumulate(nouns, flipped, initial=words)])

    def at_nouns(values: Any) -> Array:
        return np.bincount(nouns, values, len(words))

    return [
        (NO_SIGN, at_nouns(alone - p_was(words))),
        (NO_SIGN, at_nouns(p_was(words) - alone)),
        (PILED_UP, at_nouns(np.abs(piled[1:] - p_was(words)))),
        (PILED_UP, at_nouns([abs(after - before) for before, after in pairwise(piled)])),
        ("That is P(was) of the flipped sentence itself: compare it with the sentence as it was.",
         at_nouns(alone)),
        ("Only the nouns have an entry: give each word one, 0 where there is no noun.",
         change[nouns]),
        ("Your changes are squared: take their absolute value.", change**2),
        ("You divide by P(was): return the change itself.", change / p_was(words)),
        ("Only one noun has an entry: flip every noun, not the first alone.",
         change * (np.arange(len(words)) == nouns[0])),
        ("Only one noun has an entry: flip every noun, not the last alone.",
         change * (np.arange(len(words)) == nouns[-1])),
        ("The words are in reverse order: entry [t] belongs to words[t].", change[::-1]),
    ]  # fmt: skip


@exercise("01", 2, "The flip test", points=3, minutes=8, difficulty=2)
def flip_test(answer: Any) -> str:
    """Check a function of (p_was, words) that returns a change for each word (steps,)."""
    cases: list[Case] = []
    for seed, gap in enumerate((7, 12, 5, 16)):
        sentence = AgreementTask(gap, seed=seed + 20).sentence()
        cases.append({"p_was": _some_reader(seed), "words": list(sentence.words)})
    return compare(answer, cases, moved, _flip_mistakes, shape="(steps,)")


def _some_reader(seed: int) -> Callable[[Sequence[str]], float]:
    """Some P(was) of a sentence in which each noun counts, and no two the same."""
    worth = np.random.default_rng(seed).normal(0, 1, len(vocabulary()))

    def p_was(words: Sequence[str]) -> float:
        sum_of_words = worth[vocabulary().encode(words)] @ np.linspace(0.5, 1.5, len(words))
        return float(1 / (1 + np.exp(-sum_of_words / 4)))

    return p_was
