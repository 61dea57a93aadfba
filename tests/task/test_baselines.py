from __future__ import annotations

import pytest
import torch

from helpers.task.agreement import ATTRACTORS, AgreementTask
from helpers.task.baselines import (
    accuracy,
    first_noun,
    majority,
    nearest_noun,
)
from helpers.task.lexicon import Vocabulary, vocabulary


def encoded(*sentences: str) -> torch.Tensor:
    return torch.stack(
        [torch.from_numpy(vocabulary().encode(sentence.split())) for sentence in sentences]
    )


def score(rule, attractors: str, nouns: str = "train") -> float:
    """Accuracy on 2,000 sentences with gaps from 3 to 40, 50 to a batch."""
    task = AgreementTask((3, 40), attractors, seed=11, nouns=nouns)
    batches = [task.batch(50) for _ in range(40)]
    predicted = torch.cat([rule(tokens, task.vocabulary) for tokens, _ in batches])
    return accuracy(predicted, torch.cat([labels for _, labels in batches]))


class TestRules:
    SENTENCES = encoded(
        "near the dogs , the cat by the geese",
        "not long ago , the mice by the cow",
        "near the dog , the cat which already ate",
    )

    def test_nearest_noun(self):
        assert nearest_noun(self.SENTENCES, vocabulary()).tolist() == [1, 0, 0]

    def test_first_noun(self):
        assert first_noun(self.SENTENCES, vocabulary()).tolist() == [1, 1, 0]

    def test_majority(self):
        assert majority(self.SENTENCES, vocabulary()).tolist() == [0, 0, 0]

    def test_words_are_looked_up_in_the_vocabulary_given(self):
        other = Vocabulary(("oxen", "the", "lion"))
        assert first_noun(torch.tensor([[1, 2, 0], [1, 0, 2]]), other).tolist() == [0, 1]


class TestScores:
    @pytest.mark.parametrize("attractors", ATTRACTORS)
    def test_majority_is_right_in_half(self, attractors):
        assert score(majority, attractors) == 0.5

    @pytest.mark.parametrize("nouns", ["train", "held_out"])
    @pytest.mark.parametrize(
        ("attractors", "expected"), [("none", 1.0), ("same", 1.0), ("opposite", 0.0)]
    )
    def test_nearest_noun_is_decided_by_the_setting(self, attractors, expected, nouns):
        assert score(nearest_noun, attractors, nouns) == expected

    def test_nearest_noun_is_a_coin_among_random_nouns(self):
        assert score(nearest_noun, "random") == pytest.approx(0.5, abs=0.06)

    @pytest.mark.parametrize("attractors", ATTRACTORS)
    def test_first_noun_is_right_in_three_quarters(self, attractors):
        assert score(first_noun, attractors) == pytest.approx(0.75, abs=0.05)


class TestAccuracy:
    def test_share_of_equal_labels(self):
        assert accuracy(torch.tensor([0, 1, 1, 0]), torch.tensor([0, 1, 0, 0])) == 0.75

    def test_shapes_that_do_not_fit_are_named(self):
        with pytest.raises(ValueError, match=r"one shape; got \(3, 1\) and \(3,\)"):
            accuracy(torch.zeros(3, 1), torch.zeros(3))


@pytest.mark.parametrize("rule", [nearest_noun, first_noun])
def test_a_sentence_without_a_noun_is_named(rule):
    with pytest.raises(ValueError, match="sentence 1 holds none"):
        rule(encoded("near the dogs", "not long ago", "every so often"), vocabulary())
