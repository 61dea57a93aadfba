"""The task's sentences against a grammar of their own, and what may give the verb away."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterable, Iterator

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from lark import Lark
from lark.exceptions import UnexpectedInput

from helpers.task.agreement import (
    ATTRACTORS,
    NOUNS,
    VERBS,
    AgreementTask,
    OneNearNoun,
    Sentence,
    flip_test,
    flipped,
)
from helpers.task.lecture import bag_of_words_accuracy
from helpers.task.lexicon import lexicon, vocabulary, word_numbers

ALL_NOUNS = (*lexicon().nouns, *lexicon().held_out_nouns)
SUBJECTS = {
    "train": {form for pair in lexicon().nouns for form in pair},
    "held_out": {form for pair in lexicon().held_out_nouns for form in pair},
}
SINGULAR, PLURAL = ({pair[number] for pair in ALL_NOUNS} for number in (0, 1))
SENTENCES_AT_ONCE = 50

# English, as far as the course speaks it. What may follow a noun or a verb is written
# from left to right, each modifier after the word it follows, so that there is one parse.
GRAMMAR = r"""
    sentence: adverbial "," THE _before_noun subject_and_verb PREDICATE
    subject_and_verb: SINGULAR modifiers "was" | PLURAL modifiers "were"
    adverbial: PREPOSITION noun_phrase | TIME
    noun_phrase: THE _before_noun (SINGULAR | PLURAL)
    _before_noun: ADJECTIVE* COLOUR?
    modifiers: "," WHICH verb_phrase "," | defining
    defining: PREPOSITION noun_phrase defining? | _relative verb_phrase
    verb_phrase: EARLY? TRANSITIVE noun_phrase after_object? | EARLY? INTRANSITIVE LATE? after_verb?
    after_object: PREPOSITION noun_phrase after_object? | _relative verb_phrase | and_verb_phrase
    after_verb: PREPOSITION noun_phrase after_object? | and_verb_phrase
    and_verb_phrase: AND SEQUEL? verb_phrase
    _relative: WHICH | THAT
    THE: /the\b/
    WHICH: /which\b/
    THAT: /that\b/
    AND: /and\b/
    %ignore " "
"""


def _terminals() -> dict[str, Iterable[str]]:
    words = lexicon()
    return {
        "SINGULAR": SINGULAR,
        "PLURAL": PLURAL,
        "ADJECTIVE": words.adjectives,
        "COLOUR": words.colours,
        "TRANSITIVE": words.transitive,
        "INTRANSITIVE": words.intransitive,
        "EARLY": words.early_adverbs,
        "LATE": words.late_adverbs,
        "PREPOSITION": words.prepositions,
        "SEQUEL": words.sequels,
        "PREDICATE": words.predicates,
        "TIME": [" ".join(phrase) for phrases in words.openers.values() for phrase in phrases],
    }


@functools.cache
def parser() -> Lark:
    terminals = [
        f"{name}: /({'|'.join(sorted(words))})\\b/" for name, words in _terminals().items()
    ]
    return Lark("\n".join([GRAMMAR, *terminals]), start="sentence", parser="lalr")


def is_english(words: Iterable[str], verb: str) -> bool:
    try:
        parser().parse(" ".join((*words, verb, "full")))
    except UnexpectedInput:
        return False
    return True


def drawn(task: AgreementTask, count: int, at_once: int = SENTENCES_AT_ONCE) -> Iterator[Sentence]:
    """Sentences read off batches by position alone: after the first comma and "the"."""
    for start in range(0, count, at_once):
        tokens, labels = task.batch(min(at_once, count - start))
        for row, label in zip(tokens, labels, strict=True):
            words = task.vocabulary.decode(row)
            subject = words.index(",") + 2
            yield Sentence(words, subject, VERBS[label])


def attractors_in(sentence: Sentence) -> int:
    """How many nouns after the subject have the other number."""
    other = PLURAL if sentence.words[sentence.subject] in SINGULAR else SINGULAR
    return sum(word in other for word in sentence.words[sentence.subject + 1 :])


def nouns_in(words: Iterable[str]) -> list[str]:
    return [word for word in words if word in SINGULAR | PLURAL]


class TestGrammar:
    @pytest.mark.parametrize("nouns", NOUNS)
    @pytest.mark.parametrize("attractors", ATTRACTORS)
    def test_every_sentence_is_english(self, attractors, nouns):
        short = drawn(AgreementTask((3, 60), attractors, seed=5, nouns=nouns), 250, at_once=5)
        long = drawn(AgreementTask((200, 1000), attractors, seed=6, nouns=nouns), 8, at_once=2)
        for sentence in (*short, *long):
            assert is_english(sentence.words, sentence.verb), sentence.text()

    @pytest.mark.parametrize(
        "text",
        [
            "near the old grey dogs , the cat , which ate , was",
            "not so long ago , the mice by the cow that saw the small oxen were",
            "now and then , the lion that often ran and then met the dog by the fox was",
        ],
    )
    def test_the_parser_knows_english(self, text):
        *words, verb = text.split()
        assert is_english(words, verb)

    @pytest.mark.slow
    @pytest.mark.parametrize("attractors", ATTRACTORS)
    def test_the_parser_refuses_generated_sentences_once_broken(self, attractors):
        words = lexicon()
        needed = {",", "the", *SINGULAR, *PLURAL, *words.relatives}
        needed |= {*words.transitive, *words.intransitive}
        broken = Counter()
        for sentence in drawn(AgreementTask((5, 25), attractors, seed=8), 100):
            words = list(sentence.words)
            for place in range(sentence.subject, len(words)):
                if words[place] in needed:
                    broken["dropped"] += 1
                    assert not is_english(words[:place] + words[place + 1 :], sentence.verb)
                if words[place] == "the":
                    broken["swapped"] += 1
                    swapped = [*words[:place], words[place + 1], "the", *words[place + 2 :]]
                    assert not is_english(swapped, sentence.verb)
                for extra in ("the", "these", "dogs", ","):
                    broken["inserted"] += 1
                    assert not is_english([*words[:place], extra, *words[place:]], sentence.verb)
            broken["verb"] += 1
            assert not is_english(words, VERBS[1 - VERBS.index(sentence.verb)])
        assert broken["verb"] == 100
        assert (broken["swapped"] > 0) == (attractors != "none")


class TestGap:
    @pytest.mark.slow
    @pytest.mark.parametrize("attractors", ATTRACTORS)
    @pytest.mark.parametrize("nouns", NOUNS)
    def test_every_gap_is_met_exactly(self, attractors, nouns):
        for gap in (*range(3, 60 + 1), 100, 1000, 10_000):
            for sentence in drawn(AgreementTask(gap, attractors, seed=gap, nouns=nouns), 5):
                assert sentence.words[sentence.subject] in SUBJECTS[nouns]
                assert sentence.gap == gap

    def test_a_range_is_used_from_end_to_end(self):
        task = AgreementTask((3, 6), seed=1)
        gaps = {next(drawn(task, 1)).gap for _ in range(80)}
        assert gaps == {3, 4, 5, 6}


class TestStructure:
    def test_openers_have_4_to_6_tokens_and_the_subject_stands_behind(self):
        task = AgreementTask((3, 10), seed=2)
        lengths = Counter(next(drawn(task, 1)).words.index(",") + 1 for _ in range(120))
        assert set(lengths) == {4, 5, 6}
        assert min(lengths.values()) > 20

    @pytest.mark.parametrize("n", [1, 2, 33])
    def test_labels_are_balanced_shuffled_and_either_verb_the_odd_one(self, n):
        task = AgreementTask(5, seed=4)
        batches = [tuple(task.batch(n)[1].tolist()) for _ in range(100)]
        assert {2 * sum(labels) - n for labels in batches} == ({0} if n % 2 == 0 else {-1, 1})
        assert len(set(batches)) >= min(n + 1, 80) - (n == 2)

    @pytest.mark.parametrize("seed", range(3))
    def test_half_of_each_verbs_sentences_are_fronted(self, seed):
        fronted = Counter(
            (sentence.verb, bool(nouns_in(sentence.words[: sentence.subject])))
            for sentence in drawn(AgreementTask(8, seed=seed), 40)
        )
        assert fronted == {(verb, is_fronted): 10 for verb in VERBS for is_fronted in (True, False)}

    def test_a_fronted_noun_says_nothing_about_the_subject(self):
        agree = [
            (fronted[0] in SINGULAR) == (sentence.verb == "was")
            for sentence in drawn(AgreementTask(5, "same", seed=7), 2000)
            if (fronted := nouns_in(sentence.words[: sentence.subject]))
        ]
        assert len(agree) > 900
        assert np.mean(agree) == pytest.approx(0.5, abs=0.07)

    @pytest.mark.parametrize("attractors", ATTRACTORS)
    def test_half_of_the_middles_stand_between_commas(self, attractors):
        commas = [
            "," in sentence.words[sentence.subject :]
            for sentence in drawn(AgreementTask((8, 30), attractors, seed=4), 600)
        ]
        assert np.mean(commas) == pytest.approx(0.5, abs=0.1)

    @pytest.mark.slow
    def test_every_word_of_the_vocabulary_is_used(self):
        used = {
            word
            for nouns in NOUNS
            for attractors in ATTRACTORS
            for sentence in drawn(AgreementTask((3, 40), attractors, 9, nouns), 500, at_once=20)
            for word in sentence.words
        }
        assert used == set(vocabulary().words)


class TestAttractors:
    @pytest.mark.parametrize("nouns", NOUNS)
    @pytest.mark.parametrize("attractors", ATTRACTORS)
    def test_nouns_of_the_middle_are_as_the_setting_says(self, attractors, nouns):
        nouns_and_attractors = [
            (len(nouns_in(sentence.words[sentence.subject + 1 :])), attractors_in(sentence))
            for sentence in drawn(AgreementTask((3, 40), attractors, 1, nouns), 400, at_once=10)
        ]
        total, other = np.sum(nouns_and_attractors, axis=0)
        least = min(count for count, _ in nouns_and_attractors)
        if attractors == "none":
            assert total == 0
        else:
            assert least >= 1
            share = {"same": 0, "random": 0.5, "opposite": 1}[attractors]
            assert other / total == pytest.approx(share, abs=0.05 * (attractors == "random"))

    def test_random_numbers_are_drawn_for_each_noun_apart(self):
        mixed = [
            len({noun in PLURAL for noun in middle}) == 2
            for sentence in drawn(AgreementTask((8, 14), "random", seed=3), 1000, at_once=10)
            if len(middle := nouns_in(sentence.words[sentence.subject + 1 :])) == 2
        ]
        assert len(mixed) > 300
        assert np.mean(mixed) == pytest.approx(0.5, abs=0.1)


@pytest.mark.parametrize("nouns", NOUNS)
def test_subjects_are_all_the_nouns_of_their_list(nouns):
    sentences = list(drawn(AgreementTask(4, nouns=nouns, seed=1), 500))
    assert {sentence.words[sentence.subject] for sentence in sentences} == SUBJECTS[nouns]
    for sentence in sentences:
        others = {*sentence.words[: sentence.subject], *sentence.words[sentence.subject + 1 :]}
        assert not others & SUBJECTS["held_out"]


def strongest_leak(attractors: str) -> float:
    """Largest z, over all words, of "occurs as often before was as before were".

    Only the subject itself is left out. Among 240 words without a leak, a z above 5
    comes once in many thousand seeds.
    """
    counts = {verb: Counter() for verb in VERBS}
    for sentence in drawn(AgreementTask((3, 20), attractors, seed=1), 4000):
        others = {*sentence.words[: sentence.subject], *sentence.words[sentence.subject + 1 :]}
        counts[sentence.verb].update(others)
        last = f"last {sentence.words[-1]}"
        counts[sentence.verb].update([last])
    was, were = (counts[verb] for verb in VERBS)
    return max(abs(was[w] - were[w]) / np.sqrt(was[w] + were[w]) for w in {*was, *were})


class TestNoLeak:
    @pytest.mark.parametrize("attractors", ["none", "random"])
    def test_no_word_but_the_subject_tells_the_verb(self, attractors):
        assert strongest_leak(attractors) < 5

    @pytest.mark.parametrize("attractors", ["same", "opposite"])
    def test_the_measure_sees_a_leak_where_there_is_one(self, attractors):
        assert strongest_leak(attractors) > 8


def test_the_seed_decides_one_batch_after_another_and_nothing_drawn_elsewhere():
    alone = AgreementTask((3, 20), seed=1)
    expected = [alone.batch(8) for _ in range(4)]
    assert len({str(tokens) for tokens, _ in expected}) == 4
    beside, other = AgreementTask((3, 20), seed=1), AgreementTask(40, "none", seed=2)
    for number, batch in enumerate(expected):
        other.batch(5 + number)
        other.sentence()
        torch.rand(3)
        assert all(map(torch.equal, batch, beside.batch(8)))


@pytest.mark.parametrize("nouns", NOUNS)
def test_a_sentences_own_account_is_right_and_its_text_as_one_writes_it(nouns):
    task = AgreementTask((3, 20), seed=1, nouns=nouns)
    for _ in range(50):
        sentence = task.sentence()
        assert sentence.subject == sentence.words.index(",") + 2
        assert sentence.verb == VERBS[sentence.words[sentence.subject] in PLURAL]
        assert 3 <= sentence.gap == len(sentence.words) - sentence.subject - 1 <= 20
        text = sentence.text()
        assert " ," not in text
        assert text[0].isupper()
        words = text.removesuffix(".").lower().replace(",", " ,").split()
        assert tuple(words) == (*sentence.words, sentence.verb, sentence.predicate)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"gap": 2}, "gap must be .*from 3 to 10000; got 2"),
        ({"gap": 10_001}, "gap must be .*from 3 to 10000"),
        ({"gap": True}, "gap must be .*from 3 to 10000"),
        ({"gap": (2, 9)}, "gap must be .*from 3 to 10000; got 2"),
        ({"gap": (9, 3)}, "gap must be .* with low <= high"),
        ({"gap": (3, 4, 5)}, "gap must be a number or"),
        ({"attractors": "None"}, "attractors must be one of 'none', 'random'"),
        ({"nouns": ["train"]}, "nouns must be one of 'train', 'held_out'"),
        ({"seed": -1}, "seed must be .*at least 0; got -1"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        AgreementTask(**{"gap": 5, **arguments})


@pytest.mark.parametrize("n", [0, 2.0])
def test_no_batch(n):
    with pytest.raises(ValueError, match=r"n must be .*at least 1; got"):
        AgreementTask(5).batch(n)


@settings(max_examples=30)
@given(st.integers(3, 300), st.sampled_from(ATTRACTORS), st.integers(0, 2**63), st.integers(1, 9))
def test_all_that_is_in_range_works(gap, attractors, seed, n):
    tokens, labels = AgreementTask(gap, attractors, seed).batch(n)
    assert (tokens.dtype, labels.dtype) == (torch.long, torch.long)
    assert tokens.shape[0] == n == len(labels)
    assert tokens.shape[1] in {opener + 2 + gap for opener in (4, 5, 6)}
    assert is_english(vocabulary().decode(tokens[0]), VERBS[labels[0]])


@pytest.mark.parametrize("attractors", ATTRACTORS)
def test_flipped_changes_the_subjects_number_and_nothing_else(attractors):
    sentence = AgreementTask(12, attractors, seed=4).sentence()
    for position in (sentence.subject, sentence.subject - len(sentence.words)):
        changed = flipped(sentence.words, position)
        assert sum(a != b for a, b in zip(changed, sentence.words, strict=True)) == 1
        pair = {changed[sentence.subject], sentence.words[sentence.subject]}
        assert any(pair == set(noun) for noun in ALL_NOUNS)
        assert flipped(changed, position) == sentence.words


def test_flipped_names_a_word_that_is_no_noun_and_a_position_outside():
    with pytest.raises(ValueError, match="word 0 must be a noun of the lexicon; got 'the'"):
        flipped(("the", "cat"), 0)
    with pytest.raises(ValueError, match="position must be from -2 to 1; got 2"):
        flipped(("the", "cat"), 2)


def test_flip_test_flips_each_noun_alone_and_nothing_else():
    sentence = AgreementTask(12, seed=5).sentence()
    seen = []

    def p_was(words):
        seen.append(tuple(words))
        return 0.5 if tuple(words) == sentence.words else len(seen) / 100

    change = flip_test(p_was, sentence.words)
    nouns = [t for t, word in enumerate(sentence.words) if word in word_numbers()]
    assert np.flatnonzero(change).tolist() == nouns
    assert seen == [sentence.words, *(flipped(sentence.words, t) for t in nouns)]
    np.testing.assert_allclose(change[nouns], [0.5 - k / 100 for k in range(2, len(seen) + 1)])


# One near noun against one subject


def number_at(task, tokens, place):
    return [word_numbers().get(task.vocabulary.decode(row)[place]) for row in tokens]


@pytest.mark.parametrize("gap", [6, 20])
@pytest.mark.parametrize("number", ["same", "opposite"])
def test_the_middle_holds_one_noun_the_last_word_with_the_number_asked_for(gap, number):
    task = OneNearNoun(gap, number, seed=gap)
    tokens, labels = task.batch(64)
    assert torch.equal(OneNearNoun(gap, number, seed=gap).batch(64)[0], tokens)
    subjects, near = number_at(task, tokens, -gap - 1), number_at(task, tokens, -1)
    assert subjects == [("singular", "plural")[label] for label in labels]
    assert all((s == n) == (number == "same") for s, n in zip(subjects, near, strict=True))
    for row in tokens:
        words = task.vocabulary.decode(row)
        assert sum(word in word_numbers() for word in words[-gap:]) == 1
        assert words[-2] == "the"


def test_a_random_near_noun_is_a_coin():
    task = OneNearNoun(9, "random", seed=1)
    tokens, labels = task.batch(2000)
    near = np.array([name == "plural" for name in number_at(task, tokens, -1)])
    assert abs((near == labels.numpy().astype(bool)).mean() - 0.5) < 4 * 0.5 / np.sqrt(2000)


@pytest.mark.parametrize(("gap", "number"), [(5, "same"), (20, "none"), (2.5, "same")])
def test_bad_arguments_are_refused(gap, number):
    with pytest.raises(ValueError, match=r"gap must|number must"):
        OneNearNoun(gap, number)


@pytest.mark.parametrize("seed", range(2))
def test_a_bag_of_words_is_torn_by_one_near_noun_and_outvoted_by_several(seed):
    def crossed(task):
        return bag_of_words_accuracy(task("same", seed), task("opposite", seed + 10))

    assert abs(crossed(lambda number, s: OneNearNoun(20, number, s)) - 0.5) < 0.08
    assert crossed(lambda number, s: AgreementTask(20, number, s)) < 0.02
