from __future__ import annotations

from collections import Counter

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from helpers.task.agreement import Sentence
from helpers.task.evaluation import (
    COLUMNS,
    PATH,
    EvaluationError,
    evaluation_accuracy,
    load_evaluation,
)
from helpers.task.lexicon import vocabulary, word_numbers

HEADER = "\t".join(COLUMNS)
CAT = "the cat , which already ate ,\t1\twas\tfull"
CATS = "near the dog , the cats that slept outside\t5\twere\tcold"


@pytest.fixture
def write(tmp_path):
    """Write rows below the header and return the file's path."""

    def to_file(*rows: str, header: str = HEADER, ending: str = "\n"):
        path = tmp_path / "sentences.tsv"
        path.write_bytes(ending.join([header, *rows, ""]).encode())
        return path

    return to_file


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


class TestLoading:
    def test_a_row_becomes_a_sentence(self, write):
        first, second = load_evaluation(write(CAT, CATS))
        assert first == Sentence(
            ("the", "cat", ",", "which", "already", "ate", ","), 1, "was", 0, "full"
        )
        assert (second.subject, second.gap, second.attractors) == (5, 3, 0)
        assert second.text() == "Near the dog, the cats that slept outside were cold."

    def test_attractors_are_middle_nouns_of_the_other_number(self, write):
        row = "near the dogs , the cat behind the birds beside the fox\t5\twas\twet"
        assert load_evaluation(write(row))[0].attractors == 1

    def test_windows_line_ends_and_byte_order_mark_are_read(self, write):
        path = write(CAT, CATS, ending="\r\n", header="\ufeff" + HEADER)
        assert load_evaluation(path) == load_evaluation(write(CAT, CATS))

    def test_path_may_be_a_string(self, write):
        assert len(load_evaluation(str(write(CAT)))) == 1

    def test_missing_file(self, tmp_path):
        with pytest.raises(FileNotFoundError, match=r"absent\.tsv"):
            load_evaluation(tmp_path / "absent.tsv")


BAD_ROWS = {
    "missing field": ("the cat that ate outside\t1\twas", "must have 4 fields .* got 3"),
    "extra field": (f"{CATS}\tnote", "must have 4 fields .* got 5"),
    "blank row": ("", "must have 4 fields .* got 1"),
    "empty field": ("the cat that ate outside\t1\twas\t", "predicate is empty"),
    "blank words": (" \t1\twas\tfull", "words is empty"),
    "unknown word": (
        "the cat that eats outside\t1\twas\tfull",
        "word 3 must be in the vocabulary; got 'eats', did you mean 'cats'",
    ),
    "capital letter": ("The cat that ate outside\t1\twas\tfull", "word 0 .* did you mean 'the'"),
    "two spaces": ("the cat  that ate outside\t1\twas\tfull", "word 2 .* got ''"),
    "other verb": (
        "the cat that ate outside\t1\tis\tfull",
        "verb must be one of was, were; got 'is'",
    ),
    "other predicate": ("the cat that ate outside\t1\twas\tpurple", "predicate must be .*'purple'"),
    "subject no number": ("the cat that ate outside\tcat\twas\tfull", r"subject .* 1 \(cat\)"),
    "subject no noun": (
        "near the dogs , the cat that ate outside\t4\twas\tfull",
        r"subject .* noun; got '4', and the nouns are 2 \(dogs\), 5 \(cat\)",
    ),
    "subject negative": ("the cat that ate outside\t-4\twas\tfull", "subject .* got '-4'"),
    "subject too large": ("the cat that ate outside\t9\twas\tfull", "subject .* got '9'"),
    "no noun": ("not so long ago\t1\twas\tfull", "the nouns are none"),
    "disagreement": (
        "the cat that ate outside\t1\twere\tfull",
        "verb is 'were', but 'cat' is singular; write 'was'",
    ),
    "gap too short": ("the cats outside\t1\twere\tfull", "gap must be from 3 to 40 .* got 1"),
    "gap too long": (
        f"the cats that ate{' and ate' * 20}\t1\twere\tfull",
        "gap must be from 3 to 40 .* got 42",
    ),
    "attractors": (
        f"the cat{' behind the dogs' * 5}\t1\twas\tfull",
        "attractors must be at most 4 .* got 5",
    ),
    "duplicate": (CAT, "the same words stand in row 2; drop one"),
}


class TestBadFiles:
    @pytest.mark.parametrize("fault", BAD_ROWS)
    def test_bad_row_is_named_with_its_reason(self, write, fault):
        row, reason = BAD_ROWS[fault]
        with pytest.raises(EvaluationError, match=rf"sentences\.tsv, row 4: .*{reason}"):
            load_evaluation(write(CAT, CATS, row))

    @pytest.mark.parametrize("header", ["", "words\tverb", HEADER.upper(), CAT])
    def test_wrong_header(self, write, header):
        with pytest.raises(EvaluationError, match="row 1: the header must be words, subject, verb"):
            load_evaluation(write(CAT, header=header))

    def test_no_sentence(self, write):
        with pytest.raises(EvaluationError, match="row 2: there is no sentence"):
            load_evaluation(write())

    def test_empty_file(self, tmp_path):
        path = tmp_path / "empty.tsv"
        path.touch()
        with pytest.raises(EvaluationError, match=r"empty\.tsv, row 1: the header must be"):
            load_evaluation(path)

    def test_not_utf8(self, tmp_path):
        path = tmp_path / "latin.tsv"
        path.write_bytes(f"{HEADER}\n{CAT}\nthe caf\xe9\t1\twas\tfull\n".encode("latin-1"))
        with pytest.raises(EvaluationError, match=r"latin\.tsv, row 3: not UTF-8"):
            load_evaluation(path)

    @given(row=st.text(st.characters(codec="utf-8", exclude_characters="\n"), max_size=30))
    @settings(max_examples=60)
    def test_whatever_a_row_holds_only_our_error_comes_out(self, tmp_path_factory, row):
        path = tmp_path_factory.mktemp("rows") / "fuzzed.tsv"
        path.write_bytes(f"{HEADER}\n{CAT}\n{row}\n".encode())
        with pytest.raises(EvaluationError, match=r"fuzzed\.tsv, row 3: "):
            load_evaluation(path)

    @given(content=st.binary(max_size=60))
    @settings(max_examples=60)
    def test_whatever_a_file_holds_only_our_error_comes_out(self, tmp_path_factory, content):
        path = tmp_path_factory.mktemp("files") / "fuzzed.tsv"
        path.write_bytes(content)
        with pytest.raises(EvaluationError, match=r"fuzzed\.tsv, row \d+: "):
            load_evaluation(path)


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

    def test_no_sentence_is_refused(self):
        with pytest.raises(ValueError, match="at least one sentence"):
            evaluation_accuracy(lambda tokens: torch.zeros(len(tokens), 2), vocabulary(), ())

    def test_logits_of_another_shape_are_named(self, shipped):
        with pytest.raises(ValueError, match=r"logits must have shape \(1, 2\); got \(1, 3\)"):
            evaluation_accuracy(lambda t: torch.zeros(len(t), 3), vocabulary(), shipped[:1])

    def test_unknown_word_is_named(self):
        sentence = Sentence(("the", "unicorn", "that", "ate", "outside"), 1, "was", 0)
        with pytest.raises(ValueError, match="unicorn"):
            evaluation_accuracy(lambda t: torch.zeros(len(t), 2), vocabulary(), [sentence])
