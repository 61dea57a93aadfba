"""The rules of thumb by hand, and on sentences of every setting."""

from __future__ import annotations

import pytest
import torch

from helpers.task.agreement import AgreementTask
from helpers.task.baselines import accuracy, first_noun, majority, nearest_noun
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


SENTENCES = encoded(
    "near the dogs , the cat by the geese",
    "not long ago , the mice by the cow",
    "near the dog , the cat which already ate",
)


@pytest.mark.parametrize(
    ("rule", "labels"), [(nearest_noun, [1, 0, 0]), (first_noun, [1, 1, 0]), (majority, [0, 0, 0])]
)
def test_rules_by_hand(rule, labels):
    assert rule(SENTENCES, vocabulary()).tolist() == labels


def test_words_are_looked_up_in_the_vocabulary_given():
    other = Vocabulary(("oxen", "the", "lion"))
    assert first_noun(torch.tensor([[1, 2, 0], [1, 0, 2]]), other).tolist() == [0, 1]


@pytest.mark.parametrize("rule", [nearest_noun, first_noun])
def test_a_sentence_without_a_noun_is_named(rule):
    with pytest.raises(ValueError, match="sentence 1 holds none"):
        rule(encoded("near the dogs", "not long ago", "every so often"), vocabulary())


@pytest.mark.parametrize(
    ("attractors", "nearest"), [("none", 1), ("same", 1), ("opposite", 0), ("random", 0.5)]
)
def test_scores_are_what_the_setting_makes_them(attractors, nearest):
    assert score(majority, attractors) == 0.5
    assert score(first_noun, attractors) == pytest.approx(0.75, abs=0.05)
    assert score(nearest_noun, attractors) == pytest.approx(nearest, abs=0.06 * (nearest == 0.5))


def test_the_nearest_noun_may_be_a_held_out_one():
    assert score(nearest_noun, "same", "held_out") == 1


def test_accuracy_is_the_share_of_equal_labels_and_names_shapes_that_do_not_fit():
    assert accuracy(torch.tensor([0, 1, 1, 0]), torch.tensor([0, 1, 0, 0])) == 0.75
    with pytest.raises(ValueError, match=r"one shape; got \(3, 1\) and \(3,\)"):
        accuracy(torch.zeros(3, 1), torch.zeros(3))
