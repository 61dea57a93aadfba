from __future__ import annotations

import pytest
import torch

from helpers.networks.classifiers import rnn_classifier
from helpers.task.agreement import ATTRACTORS, AgreementTask
from helpers.task.baselines import (
    accuracy,
    first_noun,
    majority,
    nearest_noun,
    random_weight_guessing,
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


class TestRandomWeightGuessing:
    def guess(self, tries: int, seed: int = 0, sentences: int = 100, gap: int = 20):
        size = len(vocabulary())
        return random_weight_guessing(
            lambda number: rnn_classifier(size, hidden=8, seed=number),
            AgreementTask(gap, seed=seed),
            AgreementTask(gap, seed=seed + 1000),
            tries,
            sentences,
        )

    @pytest.mark.slow
    def test_the_best_of_many_looks_better_than_chance_where_it_was_chosen(self):
        chosen = [self.guess(50, seed).chosen for seed in range(5)]
        assert min(chosen) >= 0.53
        assert sum(chosen) / 5 >= 0.56

    @pytest.mark.slow
    def test_on_fresh_sentences_it_is_back_at_chance(self):
        fresh = [self.guess(50, seed, sentences=400).fresh for seed in range(5)]
        assert sum(fresh) / 5 == pytest.approx(0.5, abs=0.05)

    def test_more_tries_never_score_lower_where_they_are_chosen(self):
        chosen = [self.guess(tries).chosen for tries in (1, 5, 25)]
        assert chosen == sorted(chosen)

    def test_a_network_that_knows_is_chosen_and_scores_alike_on_fresh_sentences(self):
        def model(number: int):
            def logits(tokens: torch.Tensor) -> torch.Tensor:
                right = nearest_noun(tokens, vocabulary())
                said = right if number == 3 else 1 - right
                return torch.nn.functional.one_hot(said, 2).float()

            return logits

        task, fresh = (AgreementTask((3, 9), "same", seed=seed) for seed in (1, 2))
        assert random_weight_guessing(model, task, fresh, 5) == (1.0, 1.0)
        assert random_weight_guessing(model, task, fresh, 3) == (0.0, 0.0)

    def test_the_second_score_is_that_of_the_fresh_sentences(self):
        def model(number: int):
            return lambda tokens: torch.nn.functional.one_hot(
                nearest_noun(tokens, vocabulary()), 2
            ).float()

        task, fresh = AgreementTask(9, "same"), AgreementTask(9, "opposite")
        assert random_weight_guessing(model, task, fresh, 2) == (1.0, 0.0)

    def test_every_try_is_scored_on_the_same_sentences(self):
        seen = []

        def model(number: int):
            def logits(tokens: torch.Tensor) -> torch.Tensor:
                seen.append(tokens)
                return torch.zeros(len(tokens), 2)

            return logits

        random_weight_guessing(model, AgreementTask(5), AgreementTask(5, seed=1), 2, 120)
        first, second, fresh = seen[:3], seen[3:6], seen[6:]
        assert [len(tokens) for tokens in first] == [50, 50, 20]
        assert all(map(torch.equal, first, second))
        assert not any(map(torch.equal, first, fresh))

    def test_the_result_is_the_same_every_time(self):
        assert self.guess(5) == self.guess(5)
