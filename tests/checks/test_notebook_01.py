"""Answers to notebook 01's exercises: right ones written differently, wrong ones named."""

from __future__ import annotations

import numpy as np
import torch
from planted import planted_tests

from helpers import task
from helpers.checks.results import FAILED, WRONG_SHAPE

NOUNS = task.word_numbers()


def in_a_loop(p_was, words):
    change = np.zeros(len(words))
    for t, word in enumerate(words):
        if word in NOUNS:
            change[t] = abs(p_was(task.flipped(words, t)) - p_was(words))
    return change


def in_place_and_back(p_was, words):
    words, before, change = list(words), p_was(words), []
    for t, word in enumerate(words):
        words[t] = task.other_number().get(word, word)
        change.append(abs(p_was(words) - before))
        words[t] = word
    return np.array(change, dtype=np.float32)


def flipping(changed):
    """An entry for each noun: changed(P(was) flipped, P(was) as it was)."""
    return lambda p_was, words: [
        changed(p_was(task.flipped(words, t)), p_was(words)) if word in NOUNS else 0
        for t, word in enumerate(words)
    ]


def piled_up(against_the_last):
    """Flipped nouns stay flipped."""

    def answer(p_was, words):
        before, change = p_was(words), np.zeros(len(words))
        for t, word in enumerate(words):
            if word in NOUNS:
                words = task.flipped(words, t)
                change[t] = abs(p_was(words) - before)
                before = p_was(words) if against_the_last else before
        return change

    return answer


def one_alone(which):
    def answer(p_was, words):
        change = in_a_loop(p_was, words)
        return change * (np.arange(len(words)) == np.flatnonzero(change)[which])

    return answer


def count_in_a_loop(words, subject):
    for count, word in enumerate(words[subject + 1 :]):
        if word in {"was", "were"}:
            return torch.tensor(count)
    return None


def verb_at(words):
    return next(i for i, word in enumerate(words) if word in ("was", "were"))


RIGHT = {
    "words_between": [
        lambda w, s: [word in ("was", "were") for word in w].index(True) - s - 1,
        count_in_a_loop,
        lambda w, s: float(max(w.index(v) for v in ("was", "were") if v in w) - s - 1),
        lambda w, s: [np.flatnonzero(np.isin(w, ["was", "were"]))[0] - s - 1],
    ],
    "flip_test": [
        in_a_loop,
        flipping(lambda after, before: abs(before - after)),
        in_place_and_back,
    ],
}
WRONG = {
    "words_between": [
        (lambda w, s: verb_at(w) - s, "One too many"),
        (lambda w, s: verb_at(w) - s + 1, "Two too many"),
        (lambda w, s: verb_at(w) - s - 2, "One too few"),
        (lambda w, s: len([x for x in w[s + 1 : verb_at(w)] if x != ","]), "commas"),
        (lambda w, s: verb_at(w), "from the start"),
        (lambda w, s: len(w[: verb_at(w)]) - 1, "from the start"),
        (lambda w, s: len(w) - s - 1, "to the end"),
        (lambda w, s: s - verb_at(w) + 1, "negative"),
        (lambda w, s: w[s + 1 : verb_at(w)], "type list", FAILED),
    ],
    "flip_test": [
        (flipping(lambda after, before: after - before), "has no sign"),
        (flipping(lambda after, before: before - after), "has no sign"),
        (piled_up(False), "stay flipped"),
        (piled_up(True), "stay flipped"),
        (flipping(lambda after, before: after), "of the flipped sentence itself"),
        (lambda p, w: [c for c in in_a_loop(p, w) if c], "give each word one", WRONG_SHAPE),
        (lambda p, w: in_a_loop(p, w) ** 2, "absolute value"),
        (lambda p, w: in_a_loop(p, w) / p(w), "divide by P(was)"),
        (one_alone(0), "not the first alone"),
        (one_alone(-1), "not the last alone"),
        (lambda p, w: in_a_loop(p, w)[::-1], "reverse order"),
        (lambda p, w: in_a_loop(p, w).max(), "(steps,)", WRONG_SHAPE),
        (lambda p, w: [p(task.flipped(w, t)) for t in range(len(w))], "must be a noun", FAILED),
    ],
}

test_right, test_wrong = planted_tests(RIGHT, WRONG)
