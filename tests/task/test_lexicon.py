"""The shipped lexicon keeps its rules, and the vocabulary is made of it."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.task.lexicon import (
    NUMBERS,
    PATH,
    VERBS,
    Vocabulary,
    lexicon,
    vocabulary,
    word_classes,
    word_numbers,
)

SHIPPED = json.loads(PATH.read_text(encoding="utf-8"))
NOUNS = ("nouns", "held_out_nouns")
WORDS = sorted(set(SHIPPED) - {*NOUNS, "openers"})


class TestFile:
    """data/lexicon.json, read without the loader."""

    def test_the_lexicon_holds_what_the_file_holds_and_no_key_twice(self):
        pairs = json.loads(PATH.read_text(encoding="utf-8"), object_pairs_hook=list)
        assert max(Counter(key for key, _ in pairs).values()) == 1
        loaded = json.loads(json.dumps(dataclasses.asdict(lexicon())))
        loaded["openers"] = {n: [*map(" ".join, each)] for n, each in loaded["openers"].items()}
        assert loaded == SHIPPED

    def test_every_word_is_lower_case_has_one_place_and_is_no_verb_to_say(self):
        words = [word for key in WORDS for word in SHIPPED[key]]
        words += [form for key in NOUNS for pair in SHIPPED[key] for form in pair]
        assert all(word.isascii() and word.isalpha() and word.islower() for word in words)
        assert max(Counter([*words, "the", *VERBS]).values()) == 1
        assert all(SHIPPED[key] for key in WORDS)
        assert (len(SHIPPED["nouns"]), len(SHIPPED["held_out_nouns"])) >= (8, 4)

    def test_openers_have_their_length_once_and_no_noun_or_verb_to_say(self):
        assert set(SHIPPED["openers"]) == {"4", "5", "6"}
        for length, phrases in SHIPPED["openers"].items():
            assert len(set(phrases)) == len(phrases) > 0
            for words in map(str.split, phrases):
                assert len(words) == int(length) - 1  # the comma is the last token
                assert not {*word_numbers(), *VERBS} & set(words)
                assert all(word.isascii() and word.isalpha() and word.islower() for word in words)


class TestVocabulary:
    def test_it_holds_every_word_of_the_lexicon_but_the_predicates(self):
        known = {",", "the", *word_numbers()}
        known.update(word for key in WORDS for word in SHIPPED[key])
        known -= set(SHIPPED["predicates"])
        known.update(word for ps in SHIPPED["openers"].values() for p in ps for word in p.split())
        assert vocabulary().words == tuple(sorted(known))

    def test_numbers_are_places(self):
        ids = Vocabulary(["cat", "dog", "fox"]).encode(["fox", "cat"])
        assert (ids.tolist(), ids.dtype) == ([2, 0], "int64")

    @given(st.lists(st.sampled_from(vocabulary().words)))
    def test_there_and_back(self, words):
        assert vocabulary().decode(vocabulary().encode(words)) == tuple(words)

    def test_an_unknown_word_is_named_with_its_place(self):
        with pytest.raises(ValueError, match=r"^word 1 is 'Unicorn', which is not in the voc"):
            vocabulary().encode(["the", "Unicorn", "unseen"])


def test_every_word_has_a_class_and_every_noun_its_number():
    forms = [pair for key in NOUNS for pair in SHIPPED[key]]
    numbers = {form: number for pair in forms for form, number in zip(pair, NUMBERS, strict=True)}
    assert word_numbers() == numbers
    classes = dict(zip(vocabulary().words, word_classes(), strict=True))
    assert classes.pop(",") == ","
    assert {word: kind for word, kind in classes.items() if kind != "other"} == numbers
