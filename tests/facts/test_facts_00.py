"""What notebook 00 says in words and rounded numbers, run from its own cells with other seeds."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from cells import cells

from helpers import checks, figures, measure, networks, task

WORDS = task.vocabulary()


def encoded(sentence: task.Sentence) -> torch.Tensor:
    return torch.tensor(WORDS.encode(sentence.words))[None]


@pytest.mark.parametrize("seed", range(4))
def test_00_hero_almost_nothing_reaches_the_cats_of_an_rnn_and_most_of_it_those_of_a_gru(seed):
    sentence = task.LONG_SENTENCE
    left = []
    for model in (
        networks.rnn_classifier(len(WORDS), seed=seed),
        networks.gru_classifier(len(WORDS), update_bias=4.0, seed=seed),
    ):
        signal = measure.signal(model.double(), encoded(sentence))[0]
        left.append(signal[sentence.subject] / signal[-1])
    assert left[0] < 1e-5
    assert left[1] > 0.5


@pytest.mark.parametrize("seed", range(10))
def test_00_same_answer_two_orders_of_the_same_words_leave_different_states(seed):
    found = cells("00", "order-average", "loop-forward", np=np, rnn_step=networks.rnn_step)
    x_was, x_were, forward = (found[name] for name in ("x_was", "x_were", "rnn_forward"))
    np.testing.assert_array_equal(x_was.mean(axis=0), x_were.mean(axis=0))
    rng = np.random.default_rng(seed)
    W, U, b = rng.normal(0, 0.35, (8, 8)), rng.normal(0, 0.35, (8, 4)), rng.normal(0, 0.35, 8)
    difference = np.abs(forward(x_was, W, U, b) - forward(x_were, W, U, b)).max(axis=1)
    assert difference[0] == 0
    assert difference[1:].min() > 0.05


@pytest.mark.slow
def test_00_book_two_words_back_are_enough_and_a_small_rnn_finds_that_out():
    book = task.childrens_book(sentences=400, seed=1)
    bits = [task.surprise(book, back) for back in (1, 2, 3, 4)]
    assert 1.27 < bits[0] < 1.31
    assert 0.62 < bits[2] <= bits[1] < 0.67
    assert bits[2] - bits[3] < 0.02
    surprise = cells("00", "book-learn", torch=torch, np=np, task=task, figures=figures, book=book)[
        "surprise"
    ]
    assert 1.25 < surprise[0] < 1.4
    assert bits[2] - 0.03 < surprise[2:].mean() < bits[2] + 0.06


@pytest.mark.parametrize("seed", range(8))
def test_00_own_answer_five_tokens_leave_a_sixtieth(seed):
    found = cells("00", "ex-signal-answer", "ex-signal-check", torch=torch, checks=checks,
                  measure=measure)  # fmt: skip
    model = networks.rnn_classifier(len(WORDS), seed=seed).double()
    sentence = task.MINIMAL_PAIR[1]
    signal = np.asarray(found["my_signal"](model, encoded(sentence)))[0]
    np.testing.assert_allclose(signal, measure.signal(model, encoded(sentence))[0], rtol=1e-10)
    assert (np.diff(signal) > 0).all()
    assert 1 / 110 < signal[sentence.subject] / signal[-1] < 1 / 35
