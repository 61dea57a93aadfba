"""The lecture's sentences, the book's surprise against closed forms, and the country task."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.task import lecture as examples
from helpers.task.agreement import AgreementTask
from helpers.task.lecture import (
    BOOK_NAMES,
    LANGUAGES,
    LONG_SENTENCE,
    MINIMAL_PAIR,
    CountryTask,
    bag_of_words_accuracy,
    childrens_book,
    clouds_and_sky,
    surprise,
)
from helpers.task.lexicon import vocabulary, word_numbers


class TestLectureSentences:
    def test_the_long_one_has_a_plural_subject_and_three_attractors(self):
        numbers = [word_numbers().get(word) for word in LONG_SENTENCE.words]
        assert numbers[LONG_SENTENCE.subject] == "plural"
        assert numbers[LONG_SENTENCE.subject + 1 :].count("singular") == 3
        assert LONG_SENTENCE.gap == 19

    def test_the_minimal_pair_reads_as_the_lecture_has_it_and_differs_in_the_number_only(self):
        assert [sentence.text() for sentence in MINIMAL_PAIR] == [
            "The cat, which already ate, was full.",
            "The cats, which already ate, were full.",
        ]
        assert [sentence.gap for sentence in MINIMAL_PAIR] == [5, 5]

    def test_the_task_knows_every_word(self):
        for sentence in (*MINIMAL_PAIR, LONG_SENTENCE):
            assert set(sentence.words) <= set(vocabulary().words)


class TestChildrensBook:
    def test_every_sentence_is_a_name_saw_another_name_and_a_full_stop(self):
        words = childrens_book(200)
        assert len(words) == 800
        for start in range(0, 800, 4):
            seer, saw, seen, stop = words[start : start + 4]
            assert (saw, stop) == ("saw", ".")
            assert {seer, seen} < set(BOOK_NAMES)
            assert seer != seen

    def test_all_pairs_of_names_are_about_as_frequent(self):
        words = childrens_book(6000, seed=1)
        pairs = Counter(zip(words[0::4], words[2::4], strict=True))
        assert len(pairs) == 6
        assert max(abs(count - 1000) for count in pairs.values()) < 5 * np.sqrt(6000 * 5 / 36)


class TestSurprise:
    def test_a_text_that_repeats_itself_costs_nothing_to_who_sees_far_enough(self):
        assert surprise(["tick", "tock"] * 5, back=1) == 0
        text = ["a", "a", "b", "b"] * 500
        assert surprise(text, back=1) == pytest.approx(1, abs=1e-3)
        assert surprise(text, back=2) == 0

    @pytest.mark.parametrize(
        ("back", "bits"), [(1, (2 + 2 * np.log2(3)) / 4), (2, (1 + np.log2(3)) / 4)]
    )
    def test_the_book_against_the_closed_form(self, back, bits):
        """Two words back the structure is certain: one of 2 names seen, of 3 that see, is left."""
        book = childrens_book(5000, seed=1)
        assert surprise(book, back) == pytest.approx(bits, abs=0.01)
        assert surprise(book, 3) == pytest.approx((1 + np.log2(3)) / 4, abs=0.01)

    @pytest.mark.parametrize("back", [0, 4, 1.5])
    def test_a_memory_that_the_text_cannot_fill_is_refused(self, back):
        with pytest.raises(ValueError, match="back must be"):
            surprise(["jane", "saw", "spot", "."], back)


class TestCloudsAndSky:
    def test_the_lectures_sentence_comes_first_and_the_rest_are_like_it(self):
        sentences = clouds_and_sky()
        assert sentences[0] == (("the", "clouds", "are", "in", "the"), "sky")
        assert (("the", "fish", "are", "in", "the"), "sea") in sentences
        assert len(sentences) >= 8
        assert {len(words) for words, _ in sentences} == {5}

        assert len({last for _, last in sentences}) == len(sentences)
        assert len({words[1] for words, _ in sentences}) == len(sentences)
        assert len({words[:1] + words[2:] for words, _ in sentences}) == 1


class TestCountryTask:
    @given(gap=st.integers(3, 60), seed=st.integers(0, 10_000))
    @settings(max_examples=40)
    def test_the_middle_is_whole_clauses_of_exactly_the_gap_that_name_no_country(self, gap, seed):
        task = CountryTask(gap, seed)
        tokens, labels = task.batch(7)
        assert tokens.shape == (7, gap + 8)
        assert (tokens.dtype, labels.dtype) == (torch.int64, torch.int64)
        named = {*LANGUAGES, *LANGUAGES.values()}
        for row, label in zip(tokens, labels, strict=True):
            words = list(task.vocabulary.decode(row))
            assert words[:4] == ["i", "grew", "up", "in"]
            assert LANGUAGES[words[4]] == task.languages[label]
            assert words[-3:] == ["i", "speak", "fluent"]
            assert not named & set(words[5:])
            first, *clauses, last = " ".join(words[5:-3]).split(".")
            assert first == ""
            assert last.strip() in ("", "today", "even now")
            spoken = [tuple(f"{clause.strip()} .".split()) for clause in clauses]
            assert set(spoken) <= set(examples.CHILDHOOD)
            assert all(a != b for a, b in pairwise(spoken))

    def test_languages_are_balanced_and_shuffled(self):
        labels = CountryTask(5).batch(50)[1]
        counts = np.bincount(labels, minlength=len(LANGUAGES))
        assert counts.max() - counts.min() == 1
        assert labels.tolist() != sorted(labels.tolist())
        assert labels[:6].tolist() != labels[6:12].tolist()

    def test_the_seed_decides_whatever_another_task_drew(self):
        first = CountryTask(20, seed=1).batch(8)
        assert not torch.equal(CountryTask(20, seed=2).batch(8)[0], first[0])
        assert all(map(torch.equal, first, CountryTask(20, seed=1).batch(8)))

    @pytest.mark.parametrize("gap", [2, 10_001, 4.0, None])
    def test_bad_gap_is_named(self, gap):
        with pytest.raises(ValueError, match="gap must be"):
            CountryTask(gap)


@pytest.mark.parametrize("gap", [10, 40])
def test_a_bag_of_words_solves_the_country_and_is_far_from_solving_agreement(gap):
    assert bag_of_words_accuracy(CountryTask(gap, seed=1)) == 1.0
    assert bag_of_words_accuracy(AgreementTask(gap, "random", seed=1)) < 0.85


def test_the_same_readout_does_solve_agreement_where_counts_suffice():
    assert bag_of_words_accuracy(AgreementTask(10, "same", seed=1)) > 0.98
