"""Answers to notebook 01's exercises: right ones written differently, wrong ones named."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from planted import planted_tests, rows

from helpers import checks, task
from helpers.checks import results
from helpers.checks.results import FAILED, WRONG_SHAPE, WRONG_VALUES

NOUNS = task.word_numbers()


def in_a_loop(p_was, words):
    change = np.zeros(len(words))
    for t, word in enumerate(words):
        if word in NOUNS:
            change[t] = abs(p_was(task.flipped(words, t)) - p_was(words))
    return change


def as_a_list(p_was, words):
    before = p_was(words)
    return [
        abs(before - p_was(task.flipped(words, t))) if word in NOUNS else 0
        for t, word in enumerate(words)
    ]


def by_asking_for_forgiveness(p_was, words):
    change = torch.zeros(len(words), dtype=torch.float64)
    for t in range(len(words)):
        try:
            other = task.flipped(words, t)
        except ValueError:
            continue
        change[t] = p_was(other) - p_was(words)
    return change.abs()


def in_place_and_back(p_was, words):
    words, before, change = list(words), p_was(words), []
    for t, word in enumerate(words):
        words[t] = task.other_number().get(word, word)
        change.append(abs(p_was(words) - before))
        words[t] = word
    return np.array(change, dtype=np.float32)


@pytest.mark.parametrize(
    "answer", [in_a_loop, as_a_list, by_asking_for_forgiveness, in_place_and_back]
)
def test_flip_test_accepts(answer):
    result = checks.flip_test(answer)
    assert result.status == results.RIGHT, result
    assert result.points == 3


def signed(p_was, words):
    return [p_was(task.flipped(words, t)) - p_was(words) if w in NOUNS else 0
            for t, w in enumerate(words)]  # fmt: skip


def piled_up(p_was, words):
    changed, change = words, np.zeros(len(words))
    for t, word in enumerate(words):
        if word in NOUNS:
            changed = task.flipped(changed, t)
            change[t] = abs(p_was(changed) - p_was(words))
    return change


def from_the_last(p_was, words):
    change = np.zeros(len(words))
    for t, word in enumerate(words):
        if word in NOUNS:
            before, words = p_was(words), task.flipped(words, t)
            change[t] = abs(p_was(words) - before)
    return change


def itself(p_was, words):
    return [p_was(task.flipped(words, t)) if w in NOUNS else 0 for t, w in enumerate(words)]


def first_alone(p_was, words):
    change = in_a_loop(p_was, words)
    change[np.flatnonzero(change)[0] + 1 :] = 0
    return change


@pytest.mark.parametrize(
    ("answer", "status", "says"),
    [
        (signed, WRONG_VALUES, "has no sign"),
        (piled_up, WRONG_VALUES, "stay flipped"),
        (from_the_last, WRONG_VALUES, "stay flipped"),
        (itself, WRONG_VALUES, "of the flipped sentence itself"),
        (lambda p, w: [c for c in in_a_loop(p, w) if c], WRONG_SHAPE, "give each word one"),
        (lambda p, w: in_a_loop(p, w) ** 2, WRONG_VALUES, "absolute value"),
        (lambda p, w: in_a_loop(p, w) / p(w), WRONG_VALUES, "divide by P(was)"),
        (first_alone, WRONG_VALUES, "not the first alone"),
        (lambda p, w: in_a_loop(p, w)[::-1], WRONG_VALUES, "reverse order"),
        (lambda p, w: in_a_loop(p, w).max(), WRONG_SHAPE, "(steps,)"),
        (lambda p, w: [p(task.flipped(w, t)) for t in range(len(w))], FAILED, "must be a noun"),
        (lambda p, w: np.where(in_a_loop(p, w) > 0, in_a_loop(p, w), np.nan), WRONG_VALUES, "NaN"),
    ],
)  # fmt: skip
def test_flip_test_names_what_it_saw(answer, status, says):
    result = checks.flip_test(answer)
    assert (result.status, result.points) == (status, 0), result
    assert says in str(result), result


def count_in_a_loop(words, subject):
    for count, word in enumerate(words[subject + 1 :]):
        if word in {"was", "were"}:
            return torch.tensor(count)
    return None


def verb_at(words):
    return next(i for i, word in enumerate(words) if word in ("was", "were"))


RIGHT = {
    "words_between": [
        lambda words, subject: (
            [word in ("was", "were") for word in words].index(True) - subject - 1
        ),
        count_in_a_loop,
        lambda words, subject: float(
            max(words.index(verb) for verb in ("was", "were") if verb in words) - subject - 1
        ),
        lambda words, subject: [np.flatnonzero(np.isin(words, ["was", "were"]))[0] - subject - 1],
    ],
}
COUNT = rows(
    "words_between",
    ("counts the verb", lambda w, s: verb_at(w) - s, "One too many"),
    ("counts both", lambda w, s: verb_at(w) - s + 1, "Two too many"),
    ("one too few", lambda w, s: verb_at(w) - s - 2, "One too few"),
    ("no commas", lambda w, s: len([x for x in w[s + 1 : verb_at(w)] if x != ","]), "commas"),
    ("with the opener", lambda w, s: verb_at(w), "from the start"),
    ("to the end", lambda w, s: len(w) - s - 1, "to the end"),
    ("backwards", lambda w, s: s - verb_at(w) + 1, "negative"),
    ("the words", lambda w, s: w[s + 1 : verb_at(w)], "type list", FAILED),
)  # fmt: skip
WRONG = [*COUNT]

test_right, test_wrong = planted_tests(RIGHT, WRONG)
