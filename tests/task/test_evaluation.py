from __future__ import annotations

from collections import Counter

import pytest
import torch
from torch import nn

from helpers.task.agreement import Sentence
from helpers.task.evaluation import PATH, evaluation_accuracy, load_evaluation
from helpers.task.lexicon import lexicon, vocabulary, word_numbers


@pytest.fixture(scope="module")
def shipped():
    return load_evaluation()


class TestShippedSet:
    def test_there_are_enough_and_as_many_of_each_verb(self, shipped):
        assert len(shipped) >= 120
        verbs = Counter(sentence.verb for sentence in shipped)
        assert abs(verbs["was"] - verbs["were"]) <= 2

    def test_gaps_and_attractors_are_spread(self, shipped):
        gaps = [sentence.gap for sentence in shipped]
        assert (min(gaps), max(gaps)) == (3, 40)
        for low, high in [(3, 5), (6, 10), (11, 15), (16, 20), (21, 30), (31, 40)]:
            assert sum(low <= gap <= high for gap in gaps) >= 10
        for count in range(5):
            verbs = Counter(s.verb for s in shipped if s.attractors == count)
            assert min(verbs["was"], verbs["were"]) >= 5

    def test_neither_the_first_nor_the_nearest_noun_gives_the_verb_away(self, shipped):
        nouns = [
            [word_numbers()[word] for word in s.words if word in word_numbers()] for s in shipped
        ]
        subjects = [word_numbers()[s.words[s.subject]] for s in shipped]
        pairs = list(zip(nouns, subjects, strict=True))
        assert 0.4 < sum(row[-1] == subject for row, subject in pairs) / len(pairs) < 0.6
        assert sum(row[0] == subject for row, subject in pairs) / len(pairs) < 0.85

    def test_many_are_fronted_and_many_are_not(self, shipped):
        fronted = sum(any(word in word_numbers() for word in s.words[: s.subject]) for s in shipped)
        assert 40 <= fronted <= 80

    def test_it_is_punctuated_as_english_is(self):
        """Read apart from the loader: plain rows, words and commas."""
        header, *rows = PATH.read_text(encoding="utf-8").splitlines()
        assert header.split("\t") == ["words", "subject", "verb", "predicate"]
        for row in rows:
            words, subject, verb, predicate = row.split("\t")
            words = words.split(" ")
            opener, rest = words[: int(subject) - 1], words[int(subject) + 1 :]
            assert words[int(subject) - 1] == "the"
            assert opener[-1:] in ([], [","]), row
            assert words[0] != ","
            assert (rest[0] == ",") == (rest[-1] == ","), row
            assert ", ," not in " ".join(words)
            assert (verb, predicate) == (verb.strip(), predicate.strip())

    def test_no_word_but_the_nouns_has_a_number(self, shipped):
        numbered = {"is", "are", "has", "have", "was", "were", "a", "an", "each", "many", "all"}
        assert not any(numbered & set(sentence.words) for sentence in shipped)


class TestRules:
    """Each row of data/evaluation.tsv keeps the rules of the set."""

    @pytest.fixture
    def rows(self):
        header, *rows = PATH.read_text(encoding="utf-8").splitlines()
        assert header == "words\tsubject\tverb\tpredicate"
        return [row.split("\t") for row in rows]

    def test_words_and_predicates_are_known_and_no_sentence_is_twice_there(self, rows):
        for words, _, _, predicate in rows:
            assert set(words.split(" ")) <= set(vocabulary().words)
            assert predicate in lexicon().predicates
        assert len({words for words, *_ in rows}) == len(rows)

    def test_the_subject_is_a_noun_that_its_verb_agrees_with(self, rows):
        for words, subject, verb, _ in rows:
            number = word_numbers()[words.split(" ")[int(subject)]]
            assert verb == {"singular": "was", "plural": "were"}[number]

    def test_sentences_are_what_the_rows_say(self, rows, shipped):
        for (words, subject, verb, predicate), sentence in zip(rows, shipped, strict=True):
            assert (" ".join(sentence.words), str(sentence.subject)) == (words, subject)
            assert (sentence.verb, sentence.predicate) == (verb, predicate)

    def test_attractors_are_middle_nouns_of_the_other_number(self, shipped):
        for sentence in shipped:
            number = word_numbers()[sentence.words[sentence.subject]]
            middle = sentence.words[sentence.subject + 1 :]
            others = [word for word in middle if word_numbers().get(word, number) != number]
            assert sentence.attractors == len(others) <= 4


def knows_every_verb(sentences):
    """A model that has the answers by heart."""
    verbs = {tuple(vocabulary().encode(s.words)): ("was", "were").index(s.verb) for s in sentences}

    def model(tokens):
        labels = torch.tensor([verbs[tuple(row)] for row in tokens.tolist()])
        return nn.functional.one_hot(labels, 2).double()

    return model


class TestEvaluationAccuracy:
    def test_knowing_every_verb_is_right_everywhere(self, shipped):
        scores = evaluation_accuracy(knows_every_verb(shipped), vocabulary(), shipped)
        assert scores == (1.0, dict.fromkeys(range(5), 1.0))

    def test_saying_was_is_right_as_often_as_it_is_the_verb(self, shipped):
        def says_was(tokens):
            return torch.tensor([[1.0, 0.0]]).expand(len(tokens), 2)

        accuracy, by_attractors = evaluation_accuracy(says_was, vocabulary(), shipped)
        assert accuracy == sum(s.verb == "was" for s in shipped) / len(shipped)
        for count, share in by_attractors.items():
            verbs = [s.verb for s in shipped if s.attractors == count]
            assert share == verbs.count("was") / len(verbs)

    def test_a_batch_holds_sentences_of_one_length_and_each_runs_once(self, shipped):
        seen = []

        def model(tokens):
            assert not torch.is_grad_enabled()
            assert tokens.dtype == torch.int64
            seen.extend(vocabulary().decode(row) for row in tokens)
            return torch.zeros(len(tokens), 2)

        evaluation_accuracy(model, vocabulary(), shipped)
        assert sorted(seen) == sorted(s.words for s in shipped)

    def test_unknown_word_is_named(self):
        sentence = Sentence(("the", "unicorn", "that", "ate", "outside"), 1, "was", 0)
        with pytest.raises(ValueError, match="unicorn"):
            evaluation_accuracy(lambda t: torch.zeros(len(t), 2), vocabulary(), [sentence])
