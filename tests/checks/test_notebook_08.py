"""Answers to notebook 08's exercises: right ones written differently, wrong ones named."""

from __future__ import annotations

import numpy as np
import torch
from planted import planted_tests

from helpers import checks, networks
from helpers.checks.results import FAILED, WRONG_SHAPE
from helpers.task.lexicon import vocabulary, word_classes

V = len(vocabulary())


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


RIGHT = {
    "coin": [
        lambda labels: torch.randint(2, labels.shape),
        lambda labels: torch.bernoulli(torch.full(labels.shape, 0.5)).long(),
        lambda labels: labels[torch.randperm(len(labels))],
        lambda labels: torch.from_numpy(np.random.default_rng(0).integers(2, size=len(labels))),
    ],
    "my_rnn": [
        trained,
        lambda: (trained().double(), "history"),
        in_pytorchs_layer,
        lambda: torch.nn.Sequential(trained()),
    ],
}
WRONG = {
    "coin": [
        (lambda labels: labels, "100 % of your labels agree"),
        (lambda labels: 1 - labels, "0 % of your labels agree"),
        (lambda labels: torch.where(torch.rand(len(labels)) < 0.3, 1 - labels, labels),
         "still has something to say"),
        (torch.zeros_like, "Every label is 0"),
        (lambda labels: torch.randint(3, labels.shape), "from 0 to 2"),
        (lambda labels: torch.randint(2, labels.shape).float(), "torch.long"),
        (lambda labels: (torch.rand(len(labels)) < 0.8).long(), "shows 50 %"),
        (lambda labels: torch.randint(2, (1,)), "one coin for each sentence", WRONG_SHAPE),
        (lambda labels: 1, "a torch tensor is needed", FAILED),
    ],
    "my_rnn": [
        (lambda: networks.rnn_classifier(V), "begin with those"),
        (lambda: networks.gru_classifier(V), "It has gates"),
        (lambda: networks.lstm_classifier(V), "It has gates"),
        (lambda: networks.rnn_classifier(V, hidden=64), "It has 64 units"),
        (lambda: networks.leaky_classifier(V), "Its step is not"),
        (lambda: networks.identity_classifier(V), "Its step is not"),
        (lambda: networks.latch_classifier(word_classes()), "set by hand"),
        (lambda: torch.nn.Linear(2, 2), "0 recurrent layers"),
        (lambda: 0.97, "the trained network itself", FAILED),
        (lambda: networks.RNN(32, 32), "cannot read a batch", FAILED),
    ],
}  # fmt: skip

test_right, test_wrong = planted_tests(RIGHT, WRONG)


def test_my_rnn_that_knows_gap_5_alone_is_told_so(monkeypatch):
    monkeypatch.setattr(
        "helpers.checks.notebook_08.accuracy_of", lambda model, task: 1.0 if task.gap == 5 else 0.5
    )
    said = str(checks.my_rnn(lambda: networks.rnn_classifier(V)))
    assert "Right on ≈ 50 %" in said
    assert "what lies between them and 20?" in said
