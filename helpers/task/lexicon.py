"""The words of the task, read from data/lexicon.json and checked on load."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from helpers.validation import Array, integer

PATH = Path(__file__).resolve().parents[2] / "data" / "lexicon.json"
WORD_LISTS = (
    "adjectives",
    "colours",
    "transitive",
    "intransitive",
    "early_adverbs",
    "late_adverbs",
    "prepositions",
    "relatives",
    "connectors",
    "sequels",
    "predicates",
)
NUMBERS = ("singular", "plural")
VERBS = ("was", "were")
NOUN_LISTS = ("nouns", "held_out_nouns")
SMALLEST = {"nouns": 8, "held_out_nouns": 4}


class LexiconError(ValueError):
    """The lexicon's file is missing, unreadable or breaks a rule; the message says where."""


@dataclass(frozen=True)
class Lexicon:
    """Words by category. A noun is a pair (singular, plural), all of them animals.

    Adjectives are all but the colours, which follow them ("old grey").
    early_adverbs stand before a verb ("already ate"), late_adverbs after one ("ate
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
    """Words in a fixed order, and their numbers.

    words: each once. Raises ValueError naming a word that stands there twice.
    """

    def __init__(self, words: Iterable[str]) -> None:
        self.words = tuple(words)
        self._ids: dict[str, int] = {}
        for number, word in enumerate(self.words):
            if word in self._ids:
                raise ValueError(f"word {number} is {word!r}, and so is word {self._ids[word]}")
            self._ids[word] = number

    def __len__(self) -> int:
        return len(self.words)

    def encode(self, words: Iterable[str]) -> Array:
        """Numbers of the words, (steps,) int64.

        Raises ValueError naming the first word that is not in the vocabulary, and its place.
        """
        numbers = []
        for place, word in enumerate(words):
            if not isinstance(word, str) or word not in self._ids:
                raise ValueError(
                    f"word {place} is {word!r}, which is not in the vocabulary of "
                    f"{len(self)} words (all lower case)"
                )
            numbers.append(self._ids[word])
        return np.array(numbers, dtype=np.int64)

    def decode(self, ids: Iterable[int]) -> tuple[str, ...]:
        """Words of the numbers.

        Raises ValueError naming the first that is no integer from 0 to len(self) - 1.
        """
        return tuple(
            self.words[integer(f"ids[{place}]", number, minimum=0, maximum=len(self) - 1)]
            for place, number in enumerate(ids)
        )


def load_lexicon(path: Path | str = PATH) -> Lexicon:
    """Read and check a lexicon.

    Raises LexiconError naming file, entry and reason: no such file, no JSON, a missing
    or unknown list, a list given twice, too few entries, an entry that is no
    lower-case word, a noun without two different forms, a word in two places, an
    opener given twice, of the wrong length or with a noun in it, and "was" or "were"
    anywhere: a model has to say them and must not read them.
    """
    path = Path(path)

    def refuse(reason: str) -> LexiconError:
        return LexiconError(f"{path}: {reason}")

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        for row, (key, _) in enumerate(pairs):
            if key in dict(pairs[:row]):
                raise refuse(f"key {key!r} stands there twice; give it one list")
        return dict(pairs)

    try:
        data = json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=once)
    except FileNotFoundError:
        raise refuse(
            "no such file; the helpers read data/ beside them, so install with pip install -e ."
        ) from None
    except OSError as error:
        raise refuse(f"cannot be read ({error.strerror}); it must be a JSON file") from None
    except UnicodeDecodeError as error:
        raise refuse(f"not UTF-8 ({error.reason} at byte {error.start})") from None
    except json.JSONDecodeError as error:
        raise refuse(f"not JSON (line {error.lineno}: {error.msg})") from None
    except LexiconError:
        raise
    except (ValueError, RecursionError) as error:
        raise refuse(f"JSON that cannot be read ({error}); it must hold lists of words") from None
    expected = {*WORD_LISTS, *NOUN_LISTS, "openers"}
    if not isinstance(data, dict):
        raise refuse(f"must be an object with the keys {', '.join(sorted(expected))}")
    for key in sorted(expected ^ data.keys()):
        raise refuse(f"{'missing' if key in expected else 'unknown'} key {key!r}")

    owner = {"the": "the article", **dict.fromkeys(VERBS, "the verbs a model has to say")}

    def claim(word: Any, place: str) -> str:
        if not isinstance(word, str) or not (word.isascii() and word.isalpha() and word.islower()):
            raise refuse(f"{place} must be one lower-case word; got {word!r}")
        if word in owner:
            raise refuse(f"{place}: {word!r} stands already in {owner[word]}; a word has one place")
        owner[word] = place
        return word

    def listed(key: str) -> Sequence[Any]:
        entries, least = data[key], SMALLEST.get(key, 1)
        if not isinstance(entries, list) or len(entries) < least:
            raise refuse(f"{key} must be a list of at least {least}; got {entries!r}")
        return entries

    def pairs(key: str) -> tuple[tuple[str, str], ...]:
        found = []
        for row, entry in enumerate(listed(key)):
            if not isinstance(entry, list) or len(entry) != 2:
                raise refuse(f"{key}[{row}] must be [singular, plural]; got {entry!r}")
            if entry[0] == entry[1]:
                raise refuse(f"{key}[{row}] must have a plural of its own; got {entry!r}")
            forms = [claim(form, f"{key}[{row}]") for form in entry]
            found.append((forms[0], forms[1]))
        return tuple(found)

    nouns = {key: pairs(key) for key in NOUN_LISTS}
    words = {
        key: tuple(claim(word, f"{key}[{row}]") for row, word in enumerate(listed(key)))
        for key in WORD_LISTS
    }
    if "which" not in words["relatives"]:
        raise refuse(f"relatives must hold 'which', for after a comma; got {words['relatives']!r}")
    noun_forms = {form for key in NOUN_LISTS for pair in nouns[key] for form in pair}
    return Lexicon(**nouns, **words, openers=_openers(data["openers"], noun_forms, refuse))


def _openers(
    data: Any, noun_forms: set[str], refuse: Any
) -> dict[int, tuple[tuple[str, ...], ...]]:
    if not isinstance(data, dict) or set(data) != {"4", "5", "6"}:
        raise refuse(f"openers must have the lengths '4', '5' and '6'; got {data!r}")
    openers = {}
    for length, phrases in data.items():
        if not isinstance(phrases, list) or not phrases:
            raise refuse(f"openers[{length}] must be a list of at least 1; got {phrases!r}")
        for row, phrase in enumerate(phrases):
            words = phrase.split() if isinstance(phrase, str) else []
            place = f"openers[{length}][{row}]"
            if phrase in phrases[:row]:
                raise refuse(f"{place}: {phrase!r} stands there already; a phrase stands once")
            if len(words) != int(length) - 1:
                raise refuse(
                    f"{place} must have {int(length) - 1} words (the comma is the last token); "
                    f"got {phrase!r}"
                )
            for word in words:
                if word in noun_forms:
                    raise refuse(f"{place} must hold no noun; got {word!r} in {phrase!r}")
                if word in VERBS:
                    raise refuse(f"{place} must hold no verb to be said; got {word!r}")
                if not (word.isascii() and word.isalpha() and word.islower()):
                    raise refuse(f"{place} must be lower-case words; got {word!r}")
        openers[int(length)] = tuple(tuple(phrase.split()) for phrase in phrases)
    return openers


@functools.cache
def lexicon() -> Lexicon:
    """The course's lexicon, read once."""
    return load_lexicon()


@functools.cache
def vocabulary() -> Vocabulary:
    """The course's vocabulary, alphabetical: one for all tasks, gaps and settings."""
    words = lexicon()
    known = {",", "the", *word_numbers()}
    for name in WORD_LISTS:
        if name != "predicates":
            known.update(getattr(words, name))
    for phrases in words.openers.values():
        known.update(word for phrase in phrases for word in phrase)
    return Vocabulary(sorted(known))


@functools.cache
def word_numbers() -> dict[str, str]:
    """For each form of each noun its number, "singular" or "plural"."""
    nouns = (*lexicon().nouns, *lexicon().held_out_nouns)
    return {form: number for pair in nouns for form, number in zip(pair, NUMBERS, strict=True)}


@functools.cache
def other_number() -> dict[str, str]:
    """For each form of each noun the other form: "cat" gives "cats", "cats" gives "cat"."""
    nouns = (*lexicon().nouns, *lexicon().held_out_nouns)
    return dict(nouns) | {plural: singular for singular, plural in nouns}


@functools.cache
def word_classes() -> tuple[str, ...]:
    """For each word of the vocabulary: ",", "singular", "plural" or "other"."""
    classes = {",": ",", **word_numbers()}
    return tuple(classes.get(word, "other") for word in vocabulary().words)
