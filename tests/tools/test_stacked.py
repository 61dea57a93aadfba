"""tools.stacked against the course's own networks, PyTorch's Adam and its clipping."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from helpers import networks
from helpers.task import AgreementTask, vocabulary
from helpers.training import one_thread
from tools.stacked import Stack, together

WORDS = len(vocabulary())
RATES = (1e-3, 1e-2, 3e-3)
KINDS = {
    "RNN": networks.rnn_classifier,
    "ReLU": networks.identity_classifier,
    "leaky": networks.leaky_classifier,
    "residual": networks.residual_classifier,
    "LSTM": networks.lstm_classifier,
    "GRU": networks.gru_classifier,
}


def models(kind):
    return [KINDS[kind](WORDS, hidden=8, seed=seed) for seed in range(3)]


def batches(count, gap=(3, 9)):
    """For each step one batch a network, of different lengths."""
    tasks = [AgreementTask(gap, attractors="random", seed=seed) for seed in range(3)]
    return [[task.batch(4) for task in tasks] for _ in range(count)]


def arrays(batch):
    return together([(tokens.numpy(), labels.numpy()) for tokens, labels in batch])


@pytest.mark.parametrize("kind", KINDS)
def test_a_training_is_that_of_the_courses_loop(kind):
    """Ten steps of Adam with clipping that acts, each network at its own rate."""
    steps = batches(10)
    stack, alone = Stack(models(kind), RATES, clip_norm=0.1), models(kind)
    optimizers = [
        torch.optim.Adam(m.parameters(), lr=rate) for m, rate in zip(alone, RATES, strict=True)
    ]
    with one_thread():
        for batch in steps:
            hits, finite = stack.step(*arrays(batch))
            assert finite.all()
            for index, (tokens, labels) in enumerate(batch):
                optimizers[index].zero_grad()
                logits = alone[index](tokens)
                nn.functional.cross_entropy(logits, labels).backward()
                nn.utils.clip_grad_norm_(alone[index].parameters(), 0.1)
                optimizers[index].step()
                assert hits[index] == (logits.argmax(1) == labels).sum()
    for model, first, values, rate in zip(alone, models(kind), stack.values, RATES, strict=True):
        wanted = nn.utils.parameters_to_vector(model.parameters()).detach().numpy()
        start = nn.utils.parameters_to_vector(first.parameters()).detach().numpy()
        assert np.allclose(values, wanted, rtol=0, atol=0.02 * rate)
        assert np.abs(wanted - start).max() > 5 * rate


def test_networks_that_stay_go_on_as_if_alone():
    steps = batches(6)
    whole, part = Stack(models("GRU"), RATES, 1.0), Stack(models("GRU"), RATES, 1.0)
    for index, batch in enumerate(steps):
        tokens, labels, starts = arrays(batch)
        whole.step(tokens, labels, starts)
        if index == 3:
            part.keep(np.array([True, False, True]))
        which = slice(None) if index < 3 else [0, 2]
        part.step(tokens[which], labels[which], starts[which])
    assert np.allclose(part.values, whole.values[[0, 2]], rtol=0, atol=1e-6)


def test_what_stands_before_a_sentence_changes_nothing():
    (batch,) = batches(1)
    tokens, _, starts = arrays(batch)
    assert starts.max() > 0
    stack = Stack(models("LSTM"), RATES, 1.0)
    other = copy.copy(tokens)
    for row, start in zip(other, starts, strict=True):
        row[:start] = 7
    expected = stack.logits(tokens, starts)
    assert np.array_equal(stack.logits(other, starts), expected)


def test_one_that_diverges_is_told_and_leaves_the_others_alone():
    """Parameters of 10^30 make the ReLU network's states overflow."""
    (batch,) = batches(1)
    stack, sound = Stack(models("ReLU"), RATES, 1.0), Stack(models("ReLU"), RATES, 1.0)
    stack.values[1] = 1e30
    with np.errstate(all="ignore"):
        _, finite = stack.step(*arrays(batch))
    sound.step(*arrays(batch))
    assert finite.tolist() == [True, False, True]
    assert np.array_equal(stack.values[[0, 2]], sound.values[[0, 2]])
