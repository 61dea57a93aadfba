"""What notebook 01 says in words and rounded numbers, run from its own cells with other seeds."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pytest
import torch
from cells import cells, functions

from helpers import figures, measure, networks, task, training

VOCABULARY = task.vocabulary()
OTHERS = range(14, 22)  # seeds that the notebook does not show
NAMES = {"networks": networks, "task": task, "training": training, "vocabulary": VOCABULARY,
         "np": np, "torch": torch, "measure": measure, "figures": figures}  # fmt: skip


@functools.cache
def notebook() -> dict[str, Any]:
    """The functions that the notebook's cells define."""
    return cells("01", "learn-loop", "ex-words-between-answer", "ex-flip-test-answer",
                 "votes-many", **NAMES)  # fmt: skip


@functools.cache
def near() -> list[Any]:
    """Networks trained at gap 5 as the notebook trains its own, with other seeds."""
    runs = [notebook()["learn"](5, seed, target=0.99) for seed in OTHERS]
    assert max(history.learned_at for _, history in runs) <= 300
    return [model for model, _ in runs]


@functools.cache
def swings() -> dict[str, Any]:
    """The notebook's scores and predictions for these networks."""
    shown = cells("01", "swings-picture", near=near(), **NAMES)
    return cells("01", "trace-predict", near=near(), score=shown["score"], gaps=shown["gaps"],
                 **NAMES)  # fmt: skip


@pytest.mark.slow
def test_01_swings_networks_that_learned_gap_5_swing_at_other_gaps():
    score = swings()["score"]
    assert score[:, 2].min() > 0.97
    below = (score[:, [1, 3]] < 0.5).any(axis=1).sum()
    assert 3 <= below <= 8
    alternating = (score[:, [0, 2, 4]] > 0.5).all(axis=1) & (score[:, [1, 3]] < 0.5).all(axis=1)
    assert 2 <= alternating.sum() <= 7
    assert score.min() < 0.15


@pytest.mark.slow
def test_01_trace_the_powers_of_w_predict_nearly_every_sign_near_gap_5():
    assert swings()["hits"] >= 28
    right = swings()["score"][:, [0, 1, 3, 4]] > 0.5
    for always in ([True] * 4, [True, False, False, True]):
        assert (right == always).sum() < swings()["hits"] - 4


@pytest.mark.slow
@pytest.mark.parametrize(("gap", "rate"), [(10, 3e-3), (80, 1e-3), (80, 1e-2)])
def test_01_far_gaps_that_are_not_learned_in_400_steps(gap, rate):
    history = notebook()["learn"](gap, 14, rate)[1]
    assert history.stopped == "budget"
    assert history.accuracy < 0.65


@pytest.mark.slow
def test_01_flip_the_subject_moves_the_verb_and_the_other_nouns_do_not():
    for model in near()[:3]:

        def p_was(words, model=model):
            return model(torch.tensor(VOCABULARY.encode(words))[None]).softmax(1)[0, 0].item()

        for draw in range(10):
            sentence = task.AgreementTask(5, seed=100 + draw).sentence()
            change = notebook()["my_flip_test"](p_was, sentence.words)
            assert change[sentence.subject] > 0.5
            assert np.delete(change, sentence.subject).max() < 0.3


@pytest.mark.slow
def test_01_flip_raised_training_raises_the_signal_at_the_subject():
    tokens, _ = task.AgreementTask(5, seed=2).batch(64)
    for seed, trained in zip(OTHERS[:4], near(), strict=False):
        fresh = networks.rnn_classifier(len(VOCABULARY), seed=seed)
        before, after = (measure.signal(m, tokens)[:, -6] for m in (fresh, trained))
        assert np.median(after) > 15 * np.median(before)


@pytest.mark.slow
def test_01_votes_several_near_nouns_outvote_the_subject_in_every_model():
    found = notebook()
    for build in found["builds"].values():
        assert max(found["with_subject"](found["several"], build, seeds=(4, 5))) < 25
    bag = task.bag_of_words_accuracy(found["several"]("same", 3), found["several"]("opposite", 4))
    assert bag < 0.02


@pytest.mark.slow
def test_01_one_near_noun_ties_a_bag_and_wins_where_the_signal_has_faded():
    found = notebook()
    one = functions("01", "votes-one", **NAMES)["one"]
    rnn, gru, keeps = (
        found["with_subject"](one, build, seeds=range(4, 7)) for build in found["builds"].values()
    )
    assert max(*rnn, *gru) < 15
    assert 3 * np.mean(gru) + 3 < np.mean(keeps) < 60
    bag = task.bag_of_words_accuracy(one("same", 3), one("opposite", 4))
    assert abs(bag - 0.5) < 0.08
