"""One near noun against one subject: where the nouns are, and what gives the verb away."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from helpers.task import AgreementTask, OneNearNoun, bag_of_words_accuracy, word_numbers

NUMBERS = word_numbers()


def number_at(task, tokens, place):
    return [NUMBERS.get(task.vocabulary.decode(row)[place]) for row in tokens]


@pytest.mark.parametrize("gap", [6, 7, 20])
@pytest.mark.parametrize("number", ["same", "opposite"])
def test_the_middle_holds_one_noun_the_last_word_with_the_number_asked_for(gap, number):
    task = OneNearNoun(gap, number, seed=gap)
    tokens, labels = task.batch(64)
    subjects, near = number_at(task, tokens, -gap - 1), number_at(task, tokens, -1)
    assert subjects == [("singular", "plural")[label] for label in labels]
    assert all((s == n) == (number == "same") for s, n in zip(subjects, near, strict=True))
    for row in tokens:
        words = task.vocabulary.decode(row)
        assert sum(word in NUMBERS for word in words[-gap:]) == 1
        assert words[-2] == "the"


def test_a_random_near_noun_is_a_coin():
    task = OneNearNoun(9, "random", seed=1)
    tokens, labels = task.batch(2000)
    near = np.array([name == "plural" for name in number_at(task, tokens, -1)])
    assert abs((near == labels.numpy().astype(bool)).mean() - 0.5) < 4 * 0.5 / np.sqrt(2000)


def test_the_draw_depends_on_the_seed_alone():
    first = OneNearNoun(12, "random", seed=3).batch(8)[0]
    torch.rand(3), np.random.default_rng(0).random()
    assert torch.equal(OneNearNoun(12, "random", seed=3).batch(8)[0], first)
    assert not torch.equal(OneNearNoun(12, "random", seed=4).batch(8)[0], first)


@pytest.mark.parametrize(("gap", "number"), [(5, "same"), (20, "none"), (2.5, "same")])
def test_bad_arguments_are_refused(gap, number):
    with pytest.raises(ValueError, match=r"gap must|number must"):
        OneNearNoun(gap, number)


@pytest.mark.parametrize("seed", range(3))
def test_a_bag_of_words_is_torn_by_one_near_noun_and_outvoted_by_several(seed):
    def crossed(task):
        return bag_of_words_accuracy(task("same", seed), task("opposite", seed + 10))

    assert abs(crossed(lambda number, s: OneNearNoun(20, number, s)) - 0.5) < 0.08
    assert crossed(lambda number, s: AgreementTask(20, number, s)) < 0.02
