from __future__ import annotations

import copy
import dataclasses
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.task.lexicon import (
    PATH,
    Lexicon,
    LexiconError,
    Vocabulary,
    lexicon,
    load_lexicon,
    vocabulary,
    word_classes,
    word_numbers,
)

SHIPPED = json.loads(PATH.read_text(encoding="utf-8"))
KEYS = sorted(SHIPPED)
WORD_LISTS = [key for key in KEYS if key not in ("nouns", "held_out_nouns", "openers")]


def write(folder: Path, data: object) -> Path:
    path = folder / "lexicon.json"
    path.write_text(json.dumps(data), encoding="utf-8")
    return path


def refusal(path: Path) -> str:
    """What the loader says about the file, after the file's name."""
    with pytest.raises(LexiconError) as caught:
        load_lexicon(path)
    file, reason = str(caught.value).split(": ", 1)
    assert file == str(path)
    return reason


def changed(folder: Path, *place: str | int, to: object) -> Path:
    """A copy of the shipped lexicon with one entry replaced."""
    data = copy.deepcopy(SHIPPED)
    entry = data
    for key in place[:-1]:
        entry = entry[key]
    entry[place[-1]] = to
    return write(folder, data)


class TestShipped:
    def test_it_loads(self):
        loaded = load_lexicon()
        assert isinstance(loaded, Lexicon)
        assert loaded == lexicon()

    def test_a_copy_elsewhere_is_the_same(self, tmp_path):
        assert load_lexicon(str(write(tmp_path, SHIPPED))) == lexicon()

    def test_it_holds_what_the_file_holds(self):
        loaded = dataclasses.asdict(lexicon())
        assert sorted(loaded) == KEYS
        for key in WORD_LISTS:
            assert list(loaded[key]) == SHIPPED[key]
        for key in ("nouns", "held_out_nouns"):
            assert [list(pair) for pair in loaded[key]] == SHIPPED[key]
        for length, phrases in SHIPPED["openers"].items():
            assert [" ".join(words) for words in loaded["openers"][int(length)]] == phrases

    def test_at_least_eight_nouns_to_train_on(self):
        assert len(lexicon().nouns) >= 8
        assert len(lexicon().held_out_nouns) >= 4

    def test_the_lectures_words_are_there(self):
        assert ("cat", "cats") in lexicon().nouns
        assert {"already", "ate", "which"} <= set(vocabulary().words)
        assert "full" in lexicon().predicates


class TestFile:
    def test_missing(self, tmp_path):
        assert "no such file" in refusal(tmp_path / "nowhere.json")

    def test_a_folder(self, tmp_path):
        assert "cannot be read" in refusal(tmp_path)

    def test_not_utf_8(self, tmp_path):
        path = tmp_path / "lexicon.json"
        path.write_bytes(json.dumps(SHIPPED).encode().replace(b"cat", b"c\xe4t", 1))
        assert refusal(path).startswith("not UTF-8 (invalid continuation byte at byte ")

    def test_not_json(self, tmp_path):
        path = tmp_path / "lexicon.json"
        whole = PATH.read_text(encoding="utf-8")
        path.write_text(whole.rstrip().removesuffix("}"), encoding="utf-8")
        assert refusal(path).startswith("not JSON (line ")

    @pytest.mark.parametrize("content", ["[" * 200_000, "1" * 200_000], ids=["deep", "digits"])
    def test_json_beyond_what_can_be_read(self, tmp_path, content):
        path = tmp_path / "lexicon.json"
        path.write_text(content, encoding="utf-8")
        assert refusal(path).startswith(("JSON that cannot be read (", "must be an object"))

    @pytest.mark.parametrize("data", [[], "nouns", 3, None])
    def test_not_an_object(self, tmp_path, data):
        assert refusal(write(tmp_path, data)).startswith("must be an object with the keys adjec")

    @settings(max_examples=50)
    @given(st.binary(max_size=40))
    def test_any_other_bytes(self, tmp_path_factory, content):
        path = tmp_path_factory.mktemp("lexicon") / "lexicon.json"
        path.write_bytes(content)
        refusal(path)


class TestKeys:
    @pytest.mark.parametrize("key", KEYS)
    def test_missing(self, tmp_path, key):
        data = {name: entries for name, entries in SHIPPED.items() if name != key}
        assert refusal(write(tmp_path, data)) == f"missing key {key!r}"

    def test_unknown(self, tmp_path):
        assert refusal(changed(tmp_path, "pronouns", to=["it"])) == "unknown key 'pronouns'"

    @pytest.mark.parametrize("key", [*KEYS, *SHIPPED["openers"]])
    def test_given_twice(self, tmp_path, key):
        path = tmp_path / "lexicon.json"
        path.write_text(json.dumps(SHIPPED).replace(f'"{key}":', f'"{key}": [], "{key}":'))
        assert refusal(path) == f"key {key!r} stands there twice; give it one list"


class TestLists:
    @pytest.mark.parametrize("entries", [[], "slept", {"a": 1}, None, 3])
    @pytest.mark.parametrize("key", WORD_LISTS)
    def test_no_list_of_words(self, tmp_path, key, entries):
        reason = refusal(changed(tmp_path, key, to=entries))
        assert reason == f"{key} must be a list of at least 1; got {entries!r}"

    @pytest.mark.parametrize(("key", "least"), [("nouns", 8), ("held_out_nouns", 4)])
    def test_too_few_nouns(self, tmp_path, key, least):
        reason = refusal(changed(tmp_path, key, to=SHIPPED[key][: least - 1]))
        assert reason.startswith(f"{key} must be a list of at least {least}; got [[")

    @pytest.mark.parametrize("entry", ["cat", ["cat"], ["cat", "cats", "cattery"], [], None])
    @pytest.mark.parametrize("key", ["nouns", "held_out_nouns"])
    def test_a_noun_that_is_no_pair(self, tmp_path, key, entry):
        reason = refusal(changed(tmp_path, key, 2, to=entry))
        assert reason == f"{key}[2] must be [singular, plural]; got {entry!r}"


class TestWords:
    BAD = ("Zebra", "two words", "semi-wild", "naïve", "", ",", "x1", 3, None, ["deep"], True)

    @pytest.mark.parametrize("word", BAD)
    @pytest.mark.parametrize("key", WORD_LISTS)
    def test_no_lower_case_word(self, tmp_path, key, word):
        reason = refusal(changed(tmp_path, key, 0, to=word))
        assert reason == f"{key}[0] must be one lower-case word; got {word!r}"

    @pytest.mark.parametrize("word", BAD)
    @pytest.mark.parametrize("form", [0, 1])
    def test_no_lower_case_noun(self, tmp_path, form, word):
        reason = refusal(changed(tmp_path, "nouns", 3, form, to=word))
        assert reason == f"nouns[3] must be one lower-case word; got {word!r}"

    def test_a_noun_without_a_plural_of_its_own(self, tmp_path):
        reason = refusal(changed(tmp_path, "nouns", 3, to=["sheep", "sheep"]))
        assert reason == "nouns[3] must have a plural of its own; got ['sheep', 'sheep']"

    @pytest.mark.parametrize("key", WORD_LISTS)
    def test_a_word_in_two_places(self, tmp_path, key):
        reason = refusal(changed(tmp_path, key, 0, to="mice"))
        where = f"nouns[{[pair[1] for pair in SHIPPED['nouns']].index('mice')}]"
        assert reason == f"{key}[0]: 'mice' stands already in {where}; a word has one place"

    def test_a_noun_both_held_out_and_not(self, tmp_path):
        reason = refusal(changed(tmp_path, "held_out_nouns", 1, to=["cat", "kittens"]))
        assert reason.startswith("held_out_nouns[1]: 'cat' stands already in nouns[0]")

    def test_the_article(self, tmp_path):
        reason = refusal(changed(tmp_path, "adjectives", 0, to="the"))
        assert reason.startswith("adjectives[0]: 'the' stands already in the article")

    @pytest.mark.parametrize("verb", ["was", "were"])
    @pytest.mark.parametrize("key", WORD_LISTS)
    def test_a_verb_that_is_a_label(self, tmp_path, key, verb):
        reason = refusal(changed(tmp_path, key, 0, to=verb))
        assert reason.startswith(f"{key}[0]: {verb!r} stands already in the verbs a model has to")

    def test_which_is_needed(self, tmp_path):
        reason = refusal(changed(tmp_path, "relatives", to=["that"]))
        assert reason.startswith("relatives must hold 'which'")


class TestOpeners:
    @pytest.mark.parametrize("openers", [None, [], {}, {"4": ["now and then"]}, "now and then"])
    def test_not_the_three_lengths(self, tmp_path, openers):
        reason = refusal(changed(tmp_path, "openers", to=openers))
        assert reason == f"openers must have the lengths '4', '5' and '6'; got {openers!r}"

    @pytest.mark.parametrize("phrases", [[], None, "now and then"])
    def test_no_phrases(self, tmp_path, phrases):
        reason = refusal(changed(tmp_path, "openers", "4", to=phrases))
        assert reason == f"openers[4] must be a list of at least 1; got {phrases!r}"

    @pytest.mark.parametrize("phrase", ["long ago", "not so very long ago", "", None, 4, ["a"]])
    def test_wrong_length(self, tmp_path, phrase):
        reason = refusal(changed(tmp_path, "openers", "4", 1, to=phrase))
        assert reason.startswith("openers[4][1] must have 3 words")
        assert reason.endswith(f"got {phrase!r}")

    @pytest.mark.parametrize("noun", ["dogs", "lion"])
    def test_a_noun(self, tmp_path, noun):
        reason = refusal(changed(tmp_path, "openers", "5", 0, to=f"not by the {noun}"))
        assert reason == f"openers[5][0] must hold no noun; got {noun!r} in 'not by the {noun}'"

    @pytest.mark.parametrize("verb", ["was", "were"])
    def test_a_verb_that_is_a_label(self, tmp_path, verb):
        reason = refusal(changed(tmp_path, "openers", "4", 0, to=f"soon there {verb}"))
        assert reason == f"openers[4][0] must hold no verb to be said; got {verb!r}"

    def test_a_phrase_given_twice(self, tmp_path):
        reason = refusal(changed(tmp_path, "openers", "4", 1, to=SHIPPED["openers"]["4"][0]))
        assert reason.startswith("openers[4][1]: 'soon after that' stands there already")

    @pytest.mark.parametrize("word", ["Then", "then,", "th3n"])
    def test_no_lower_case_words(self, tmp_path, word):
        reason = refusal(changed(tmp_path, "openers", "4", 0, to=f"now and {word}"))
        assert reason == f"openers[4][0] must be lower-case words; got {word!r}"


class TestVocabulary:
    def test_it_holds_every_word_of_the_lexicon_but_the_predicates(self):
        known = {",", "the"}
        for key in WORD_LISTS:
            known.update(SHIPPED[key])
        known -= set(SHIPPED["predicates"])
        known.update(
            form for key in ("nouns", "held_out_nouns") for p in SHIPPED[key] for form in p
        )
        known.update(word for ps in SHIPPED["openers"].values() for p in ps for word in p.split())
        assert vocabulary().words == tuple(sorted(known))
        assert len(vocabulary()) == len(known)

    def test_a_word_given_twice(self):
        with pytest.raises(ValueError, match="word 2 is 'cat', and so is word 0"):
            Vocabulary(["cat", "dog", "cat"])

    def test_numbers_are_places(self):
        ids = Vocabulary(["cat", "dog", "fox"]).encode(["fox", "cat"])
        assert (ids.tolist(), ids.dtype) == ([2, 0], "int64")

    def test_nothing_to_encode(self):
        assert vocabulary().encode([]).shape == (0,)

    @given(st.lists(st.sampled_from(vocabulary().words)))
    def test_there_and_back(self, words):
        assert vocabulary().decode(vocabulary().encode(words)) == tuple(words)

    @given(
        st.lists(st.sampled_from(vocabulary().words), max_size=4),
        st.one_of(
            st.text().filter(lambda word: word not in vocabulary().words),
            st.none(),
            st.integers(),
            st.lists(st.just("cat")),
        ),
    )
    def test_an_unknown_word_is_named_with_its_place(self, words, unknown):
        with pytest.raises(ValueError, match=f"^word {len(words)} is ") as caught:
            vocabulary().encode([*words, unknown, "unseen"])
        assert repr(unknown) in str(caught.value)

    @given(
        st.lists(st.integers(0, len(vocabulary()) - 1), max_size=4),
        st.one_of(
            st.integers(max_value=-1),
            st.integers(min_value=len(vocabulary())),
            st.floats(),
            st.booleans(),
            st.none(),
        ),
    )
    def test_a_number_out_of_range_is_named_with_its_place(self, ids, bad):
        with pytest.raises(ValueError, match=rf"^ids\[{len(ids)}\] must be ") as caught:
            vocabulary().decode([*ids, bad])
        assert f"from 0 to {len(vocabulary()) - 1}; got {bad!r}" in str(caught.value)


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
