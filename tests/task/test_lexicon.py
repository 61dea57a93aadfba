"""The shipped lexicon keeps its rules, and the vocabulary is made of it."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.task.lexicon import (
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

    def test_it_holds_the_loaders_lists_and_no_key_twice(self):
        wanted = {field.name for field in dataclasses.fields(lexicon())}
        pairs = json.loads(PATH.read_text(encoding="utf-8"), object_pairs_hook=list)
        assert Counter(key for key, _ in pairs) == dict.fromkeys(wanted, 1)

    def test_there_are_enough_nouns_each_with_two_forms(self):
        assert (len(SHIPPED["nouns"]), len(SHIPPED["held_out_nouns"])) >= (8, 4)
        for key in NOUNS:
            assert all(singular != plural for singular, plural in SHIPPED[key])

    def test_every_word_is_lower_case_has_one_place_and_is_no_verb_to_say(self):
        words = [word for key in WORDS for word in SHIPPED[key]]
        words += [form for key in NOUNS for pair in SHIPPED[key] for form in pair]
        assert all(word.isascii() and word.isalpha() and word.islower() for word in words)
        assert max(Counter([*words, "the", *VERBS]).values()) == 1
        assert all(SHIPPED[key] for key in WORDS)

    def test_which_is_there_for_after_a_comma(self):
        assert "which" in SHIPPED["relatives"]

    def test_openers_have_their_length_once_and_no_noun_or_verb_to_say(self):
        assert set(SHIPPED["openers"]) == {"4", "5", "6"}
        forms = {form for key in NOUNS for pair in SHIPPED[key] for form in pair}
        for length, phrases in SHIPPED["openers"].items():
            assert len(set(phrases)) == len(phrases) > 0
            for words in map(str.split, phrases):
                assert len(words) == int(length) - 1  # the comma is the last token
                assert not {*forms, *VERBS} & set(words)
                assert all(word.isascii() and word.isalpha() and word.islower() for word in words)

    def test_the_lectures_words_are_there(self):
        assert ["cat", "cats"] in SHIPPED["nouns"]
        assert {"already", "ate", "which"} <= set(vocabulary().words)
        assert "full" in SHIPPED["predicates"]


def test_the_lexicon_holds_what_the_file_holds():
    loaded = dataclasses.asdict(lexicon())
    for key in WORDS:
        assert list(loaded[key]) == SHIPPED[key]
    for key in NOUNS:
        assert [list(pair) for pair in loaded[key]] == SHIPPED[key]
    for length, phrases in SHIPPED["openers"].items():
        assert [" ".join(words) for words in loaded["openers"][int(length)]] == phrases


class TestVocabulary:
    def test_it_holds_every_word_of_the_lexicon_but_the_predicates(self):
        known = {",", "the"}
        for key in WORDS:
            known.update(SHIPPED[key])
        known -= set(SHIPPED["predicates"])
        known.update(
            form for key in ("nouns", "held_out_nouns") for p in SHIPPED[key] for form in p
        )
        known.update(word for ps in SHIPPED["openers"].values() for p in ps for word in p.split())
        assert vocabulary().words == tuple(sorted(known))
        assert len(vocabulary()) == len(known)

    def test_numbers_are_places(self):
        ids = Vocabulary(["cat", "dog", "fox"]).encode(["fox", "cat"])
        assert (ids.tolist(), ids.dtype) == ([2, 0], "int64")

    def test_nothing_to_encode(self):
        assert vocabulary().encode([]).shape == (0,)

    @given(st.lists(st.sampled_from(vocabulary().words)))
    def test_there_and_back(self, words):
        assert vocabulary().decode(vocabulary().encode(words)) == tuple(words)

    def test_an_unknown_word_is_named_with_its_place(self):
        with pytest.raises(ValueError, match=r"^word 1 is 'Unicorn', which is not in the voc"):
            vocabulary().encode(["the", "Unicorn", "unseen"])


class TestClasses:
    def test_numbers_of_the_nouns(self):
        numbers = word_numbers()
        assert (numbers["cat"], numbers["mice"], numbers["oxen"]) == (
            "singular",
            "plural",
            "plural",
        )
        assert len(numbers) == 2 * (len(SHIPPED["nouns"]) + len(SHIPPED["held_out_nouns"]))

    def test_every_word_has_a_class(self):
        classes = dict(zip(vocabulary().words, word_classes(), strict=True))
        assert classes.pop(",") == ","
        assert {word: kind for word, kind in classes.items() if kind != "other"} == word_numbers()
