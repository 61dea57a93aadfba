"""Exercises of notebook 02: a sentence that fools the latch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from helpers.checks.harness import attempt
from helpers.checks.registry import exercise
from helpers.checks.results import FAILED, WRONG_VALUES, Verdict
from helpers.networks.classifiers import latch_classifier
from helpers.task.lexicon import VERBS, lexicon, vocabulary, word_classes, word_numbers

SMALLEST_GAP = 3
UNDECIDED = 0.1  # difference of the two logits below which the latch says nothing


@exercise("02", 1, "Fool the latch", points=3, minutes=10, difficulty=2)
def fool_the_latch(answer: Any) -> str:
    """Check a function that returns (words, verb), put to the hand-set latch."""
    words, verb = attempt(answer, [{}], _sentence)[0].value
    subject = _subject(words)
    _check_sentence(words, subject, verb)
    tokens = torch.tensor(vocabulary().encode(words))[None]
    with torch.no_grad():
        margin = float(np.diff(latch_classifier(word_classes())(tokens)[0])[0])
    if abs(margin) < UNDECIDED:
        return (
            "The latch gives both verbs the same score: nothing was written into it.\n"
            "A harder one, if you like: a sentence that makes it sure of the wrong verb."
        )
    said = VERBS[int(margin > 0)]
    if said == verb:
        raise Verdict(
            WRONG_VALUES,
            f"The latch says {said!r}, and so do you: it is right on this sentence.",
            "Which word switches its first unit on? Which noun does it take then?",
            head="the latch withstood it",
        )
    return f"The latch is sure of {said!r}, and {words[subject]!r} asks for {verb!r}."


def _sentence(value: Any) -> tuple[list[str], str]:
    if not isinstance(value, (list, tuple)) or len(value) != 2 or not isinstance(value[1], str):
        raise Verdict(FAILED, "Return two things: the list of words, and the verb as a string.")
    words, verb = value
    if isinstance(words, str):
        words = words.replace(",", " , ").split()
    if not isinstance(words, (list, tuple)) or not all(isinstance(word, str) for word in words):
        raise Verdict(FAILED, "The words must be a list of strings, a comma being one of them.")
    return [word.lower() for word in words], verb.lower()


def _subject(words: Sequence[str]) -> int | None:
    """Place of the first noun whose phrase begins the sentence or follows a comma."""
    adjectives = {*lexicon().adjectives, *lexicon().colours}
    for start, word in enumerate(words):
        if word != "the" or (start and words[start - 1] != ","):
            continue
        noun = start + 1
        while noun < len(words) and words[noun] in adjectives:
            noun += 1
        if noun < len(words) and words[noun] in word_numbers():
            return noun
    return None


def _broken(words: Sequence[str], subject: int) -> str | None:
    """What makes a row of words no sentence, as far as simple rules can tell."""
    adjectives, nouns = {*lexicon().adjectives, *lexicon().colours}, word_numbers()
    says_something = {*lexicon().transitive, *lexicon().intransitive, *lexicon().prepositions,
                      *lexicon().late_adverbs}  # fmt: skip
    for place, (before, word) in enumerate(zip([",", *words], [*words, ","], strict=True)):
        if word == before and place < len(words):
            where = "twice in a row" if place else "at the start"
            return f"{word!r} stands there {where}."
        if before in {"the", *adjectives} and word not in {*adjectives, *nouns}:
            return f"After {before!r} there is no noun."
        if word in nouns and before not in {"the", *adjectives}:
            return f"{word!r} stands without 'the'."
    if not says_something.intersection(words[subject + 1 :]):
        return f"Nothing is said of {words[subject]!r} before the verb: no other verb, no place."
    return None


def _check_sentence(words: Sequence[str], subject: int | None, verb: str) -> None:
    """Raise a Verdict unless the sentence is one that the claim is about."""

    def refuse(*lines: str) -> Verdict:
        return Verdict(WRONG_VALUES, *lines, head="not yet a sentence for the latch")

    for word in words:
        if word in VERBS:
            raise refuse(f"Leave {word!r} out of the words: the verb comes after the last one.")
        if word not in vocabulary().words:
            raise refuse(f"{word!r} is not among the words the latch knows: see vocabulary.words.")
    if verb not in VERBS:
        raise refuse(f"The verb must be 'was' or 'were'; yours is {verb!r}.")
    if subject is None:
        raise refuse(
            "There is no subject: 'the', perhaps adjectives, and a noun, at the start of the",
            "sentence or after a comma.",
        )
    broken = _broken(words, subject)
    if broken:
        raise refuse(broken, "The claim is about sentences: write one that a book could hold.")
    gap = len(words) - subject - 1
    if gap < SMALLEST_GAP:
        raise refuse(
            f"The gap after {words[subject]!r} is {gap}; it must be {SMALLEST_GAP} or more."
        )
    number = word_numbers()[words[subject]]
    if verb != VERBS[number == "plural"]:
        raise refuse(
            f"The subject {words[subject]!r} is {number}: {verb!r} does not agree with it."
        )
