"""Answers to notebook 08's exercises: right ones written differently, wrong ones named."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from helpers import checks, networks
from helpers.checks.results import FAILED, RIGHT, WRONG_SHAPE, WRONG_VALUES
from helpers.task.lexicon import vocabulary, word_classes

V = len(vocabulary())


@pytest.mark.parametrize(
    "answer",
    [
        lambda labels: torch.randint(2, labels.shape),
        lambda labels: (torch.rand(len(labels)) < 0.5).long(),
        lambda labels: torch.bernoulli(torch.full(labels.shape, 0.5)).long(),
        lambda labels: labels[torch.randperm(len(labels))],
        lambda labels: torch.from_numpy(np.random.default_rng(0).integers(2, size=len(labels))),
    ],
)
def test_coin_accepts(answer):
    result = checks.coin(answer)
    assert result.status == RIGHT, result


@pytest.mark.parametrize(
    ("answer", "status", "says"),
    [
        (lambda labels: labels, WRONG_VALUES, "100 % of your labels agree"),
        (lambda labels: 1 - labels, WRONG_VALUES, "0 % of your labels agree"),
        (
            lambda labels: torch.where(torch.rand(len(labels)) < 0.3, 1 - labels, labels),
            WRONG_VALUES,
            "still has something to say",
        ),
        (torch.zeros_like, WRONG_VALUES, "Every label is 0"),
        (lambda labels: torch.randint(3, labels.shape), WRONG_VALUES, "from 0 to 2"),
        (lambda labels: torch.randint(2, labels.shape).float(), WRONG_VALUES, "torch.long"),
        (lambda labels: (torch.rand(len(labels)) < 0.8).long(), WRONG_VALUES, "shows 50 %"),
        (lambda labels: torch.randint(2, (1,)), WRONG_SHAPE, "one coin for each sentence"),
        (lambda labels: 1, FAILED, "a torch tensor is needed"),
    ],
)
def test_coin_names_what_it_saw(answer, status, says):
    result = checks.coin(answer)
    assert (result.status, result.points) == (status, 0)
    assert says in str(result)


def trained():
    """A plain RNN that is right at every gap, as if training had found it."""
    model = networks.latch_classifier(word_classes())
    with torch.no_grad():
        model.embedding.weight.mul_(0.999)
    return model


def in_pytorchs_layer():
    """The same network around PyTorch's own RNN."""
    ours = trained()

    class Reader(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding, self.readout = ours.embedding, ours.readout
            self.rnn = torch.nn.RNN(4, 3, batch_first=True)
            self.rnn.load_state_dict(ours.layer.state_dict())

        def forward(self, tokens):
            return self.readout(self.rnn(self.embedding(tokens))[0][:, -1])

    return Reader()


@pytest.mark.parametrize(
    "answer", [trained, lambda: (trained().double(), "history"), in_pytorchs_layer]
)
def test_my_rnn_accepts(answer):
    result = checks.my_rnn(answer)
    assert result.status == RIGHT, result
    assert "At gap 300" in str(result)


@pytest.mark.parametrize(
    ("answer", "status", "says"),
    [
        (lambda: networks.rnn_classifier(V), WRONG_VALUES, "begin with those"),
        (lambda: networks.gru_classifier(V), WRONG_VALUES, "It has gates"),
        (lambda: networks.lstm_classifier(V), WRONG_VALUES, "It has gates"),
        (lambda: networks.rnn_classifier(V, hidden=64), WRONG_VALUES, "It has 64 units"),
        (lambda: networks.leaky_classifier(V), WRONG_VALUES, "Its step is not"),
        (lambda: networks.identity_classifier(V), WRONG_VALUES, "Its step is not"),
        (lambda: networks.latch_classifier(word_classes()), WRONG_VALUES, "set by hand"),
        (lambda: torch.nn.Linear(2, 2), WRONG_VALUES, "0 recurrent layers"),
        (lambda: 0.97, FAILED, "the trained network itself"),
        (lambda: networks.RNN(32, 32), FAILED, "cannot read a batch"),
    ],
)
def test_my_rnn_names_what_it_saw(answer, status, says):
    result = checks.my_rnn(answer)
    assert (result.status, result.points) == (status, 0)
    assert says in str(result)


def test_my_rnn_that_knows_gap_5_alone_is_told_so(monkeypatch):
    monkeypatch.setattr(
        "helpers.checks.notebook_08.accuracy_of", lambda model, task: 1.0 if task.gap == 5 else 0.5
    )
    said = str(checks.my_rnn(lambda: networks.rnn_classifier(V)))
    assert "Right on ≈ 50 %" in said
    assert "what lies between them and 20?" in said
