"""The words of the task, read from data/lexicon.json."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from helpers.validation import Array

PATH = Path(__file__).resolve().parents[2] / "data" / "lexicon.json"
NUMBERS = ("singular", "plural")
VERBS = ("was", "were")


@dataclass(frozen=True)
class Lexicon:
    """Words by category. A noun is a pair (singular, plural), all of them animals.

    Adjectives are all but the colours, which follow them ("old grey").
    early_adverbs come before a verb ("already ate"), late_adverbs after one ("ate
    outside"); connectors join two verbs, and a sequel may follow one ("and then").
    openers: for each length in tokens, the comma included, noun-free phrases of that
    length without their comma.
    """

    nouns: tuple[tuple[str, str], ...]
    held_out_nouns: tuple[tuple[str, str], ...]
    adjectives: tuple[str, ...]
    colours: tuple[str, ...]
    transitive: tuple[str, ...]
    intransitive: tuple[str, ...]
    early_adverbs: tuple[str, ...]
    late_adverbs: tuple[str, ...]
    prepositions: tuple[str, ...]
    relatives: tuple[str, ...]
    connectors: tuple[str, ...]
    sequels: tuple[str, ...]
    predicates: tuple[str, ...]
    openers: dict[int, tuple[tuple[str, ...], ...]]


class Vocabulary:
    """Words in a fixed order, each once, and their numbers."""

    def __init__(self, words: Iterable[str]) -> None:
        self.words = tuple(words)
        self._ids = {word: number for number, word in enumerate(self.words)}

    def __len__(self) -> int:
        return len(self.words)

    def encode(self, words: Iterable[str]) -> Array:
        """Return the numbers of the words, (steps,) int64.

        Raises ValueError naming the first word that is not in the vocabulary, and its place.
        """
        words = tuple(words)
        for place, word in enumerate(words):
            if word not in self._ids:
                raise ValueError(
                    f"word {place} is {word!r}, which is not in the vocabulary of "
                    f"{len(self)} words (all lower case)"
                )
        return np.array([self._ids[word] for word in words], dtype=np.int64)

    def decode(self, ids: Iterable[int]) -> tuple[str, ...]:
        """Return the words of the numbers, which are from 0 to len(self) - 1."""
        return tuple(self.words[number] for number in ids)


@functools.cache
def lexicon() -> Lexicon:
    """Return the course's lexicon, read once."""
    lists = json.loads(PATH.read_text(encoding="utf-8"))
    openers = {
        int(length): tuple(tuple(phrase.split()) for phrase in phrases)
        for length, phrases in lists.pop("openers").items()
    }
    words: dict[str, Any] = {
        name: tuple(tuple(each) if isinstance(each, list) else each for each in entries)
        for name, entries in lists.items()
    }
    return Lexicon(**words, openers=openers)


@functools.cache
def vocabulary() -> Vocabulary:
    """Return the course's vocabulary, alphabetical: one for all tasks, gaps and settings."""
    words = lexicon()
    known = {",", "the", *word_numbers()}
    for each in fields(words):
        if each.name not in ("nouns", "held_out_nouns", "predicates", "openers"):
            known.update(getattr(words, each.name))
    for phrases in words.openers.values():
        known.update(word for phrase in phrases for word in phrase)
    return Vocabulary(sorted(known))


@functools.cache
def word_numbers() -> dict[str, str]:
    """Return for each form of each noun its number, "singular" or "plural"."""
    nouns = (*lexicon().nouns, *lexicon().held_out_nouns)
    return {form: number for pair in nouns for form, number in zip(pair, NUMBERS, strict=True)}


@functools.cache
def other_number() -> dict[str, str]:
    """Return for each form of each noun the other form: "cat" gives "cats", "cats" gives "cat"."""
    nouns = (*lexicon().nouns, *lexicon().held_out_nouns)
    return dict(nouns) | {plural: singular for singular, plural in nouns}


@functools.cache
def word_classes() -> tuple[str, ...]:
    """Return for each word of the vocabulary: ",", "singular", "plural" or "other"."""
    classes = {",": ",", **word_numbers()}
    return tuple(classes.get(word, "other") for word in vocabulary().words)
