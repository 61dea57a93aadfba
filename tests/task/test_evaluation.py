"""The hand-written evaluation set keeps its rules, and is scored sentence by sentence."""

from __future__ import annotations

from collections import Counter

import pytest
import torch
from torch import nn

from helpers.task.agreement import Sentence
from helpers.task.evaluation import PATH, evaluation_accuracy, load_evaluation
from helpers.task.lexicon import lexicon, vocabulary, word_numbers

SHIPPED = load_evaluation()
HEADER, *ROWS = (row.split("\t") for row in PATH.read_text(encoding="utf-8").splitlines())
NUMBERS = word_numbers()


def test_sentences_are_what_the_rows_say():
    assert HEADER == ["words", "subject", "verb", "predicate"]
    for (words, subject, verb, predicate), sentence in zip(ROWS, SHIPPED, strict=True):
        assert (" ".join(sentence.words), str(sentence.subject)) == (words, subject)
        assert (sentence.verb, sentence.predicate) == (verb, predicate)


def test_every_row_keeps_the_rules():
    numbered = {"is", "are", "has", "have", "was", "were", "a", "an", "each", "many", "all"}
    for sentence in SHIPPED:
        words, subject = sentence.words, sentence.subject
        number = NUMBERS[words[subject]]
        assert sentence.verb == {"singular": "was", "plural": "were"}[number]
        assert set(words) <= set(vocabulary().words) - numbered
        assert sentence.predicate in lexicon().predicates
        # punctuated as English is
        assert words[subject - 1] == "the"
        assert words[: subject - 1][-1:] in ((), (",",)), words
        assert words[0] != ","
        assert (words[subject + 1] == ",") == (words[-1] == ","), words
        assert ", ," not in " ".join(words)
    assert len({sentence.words for sentence in SHIPPED}) == len(SHIPPED)


def attractors(sentence):
    number = NUMBERS[sentence.words[sentence.subject]]
    middle = sentence.words[sentence.subject + 1 :]
    return sum(NUMBERS.get(word, number) != number for word in middle)


def test_gaps_attractors_and_verbs_are_spread():
    assert len(SHIPPED) >= 120
    gaps = [sentence.gap for sentence in SHIPPED]
    assert (min(gaps), max(gaps)) == (3, 40)
    for low, high in [(3, 5), (6, 10), (11, 15), (16, 20), (21, 30), (31, 40)]:
        assert sum(low <= gap <= high for gap in gaps) >= 10
    for count in range(5):
        verbs = Counter(s.verb for s in SHIPPED if attractors(s) == count)
        assert min(verbs["was"], verbs["were"]) >= 5
    assert abs(sum(s.verb == "was" for s in SHIPPED) - len(SHIPPED) / 2) <= 1
    fronted = sum(any(word in NUMBERS for word in s.words[: s.subject]) for s in SHIPPED)
    assert 40 <= fronted <= 80


def test_neither_the_first_nor_the_nearest_noun_gives_the_verb_away():
    nouns = [[NUMBERS[word] for word in s.words if word in NUMBERS] for s in SHIPPED]
    subjects = [NUMBERS[s.words[s.subject]] for s in SHIPPED]
    pairs = list(zip(nouns, subjects, strict=True))
    assert 0.4 < sum(row[-1] == subject for row, subject in pairs) / len(pairs) < 0.6
    assert sum(row[0] == subject for row, subject in pairs) / len(pairs) < 0.85


def test_accuracy_counts_each_sentence_once_in_batches_of_one_length():
    """A model that knows the verbs after an even gap, and errs on all others."""
    said = {s.words: (s.verb == "were") ^ (s.gap % 2) for s in SHIPPED}
    seen = []

    def model(tokens):
        assert not torch.is_grad_enabled()
        words = [vocabulary().decode(row) for row in tokens]
        seen.extend(words)
        return nn.functional.one_hot(torch.tensor([said[each] for each in words]), 2)

    even = sum(s.gap % 2 == 0 for s in SHIPPED)
    assert evaluation_accuracy(model, vocabulary(), SHIPPED) == even / len(SHIPPED)
    assert sorted(seen) == sorted(s.words for s in SHIPPED)


def test_an_unknown_word_is_named():
    sentence = Sentence(("the", "unicorn", "that", "ate", "outside"), 1, "was")
    with pytest.raises(ValueError, match="unicorn"):
        evaluation_accuracy(lambda t: torch.zeros(len(t), 2), vocabulary(), [sentence])
