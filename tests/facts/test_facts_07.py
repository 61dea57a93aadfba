"""What notebook 07 says, measured over several seeds by its own cells."""

import copy

import numpy as np
import pytest
import torch
from cells import functions

from helpers import measure, networks, task, training

V = len(task.vocabulary())


def own(*ids):
    """The functions that these cells define."""
    return functions("07", "imports", *ids, V=V, bias_for_span=networks.bias_for_span)


def test_partial_table():
    """Factors over 200 words: four fall, two keep or grow, whose state is large."""
    tokens, _ = task.AgreementTask(200, seed=1).batch(4)
    expected = {
        "tanh": (networks.rnn_classifier(V, seed=1), 0.38, 0.55),
        "ReLU": (networks.rnn_classifier(V, nonlinearity="relu", seed=1), 0.3, 0.46),
        "orthogonal": (networks.orthogonal_classifier(V, seed=1), 0.68, 0.8),
        "leaky": (networks.leaky_classifier(V, seed=1), 0.92, 0.96),
        "identity": (networks.identity_classifier(V, seed=1), 0.98, 1.0001),
        "residual": (networks.residual_classifier(V, seed=1), 1.0, 1.05),
    }
    sizes = {}
    for name, (model, low, high) in expected.items():
        signal = measure.signal(model.double(), tokens)
        factor = np.median(signal[:, -201] / signal[:, -1]) ** (1 / 200)
        assert low < factor < high, name
        sizes[name] = model.states(tokens)[:, -1].norm(dim=1).median().item()
    assert max(sizes[name] for name in ("tanh", "ReLU", "orthogonal", "leaky")) < 6
    assert min(sizes[name] for name in ("identity", "residual")) > 30


@pytest.mark.parametrize("seed", range(3))
def test_fresh_factors(seed):
    left = own("partial-table")["left"]
    tokens, _ = task.AgreementTask(100, seed=0).batch(8)

    def factor(model):
        return left(model, tokens, 100) ** (1 / 100)

    assert 0.57 < factor(networks.gru_classifier(V, seed=seed)) < 0.67
    assert 0.38 < factor(networks.rnn_classifier(V, seed=seed)) < 0.53
    assert 0.55 < factor(networks.lstm_classifier(V, seed=seed)) < 0.66
    for bias, wanted in ((1, 0.79), (2, 0.9), (4, 0.98)):
        model = networks.gru_classifier(V, update_bias=bias, seed=seed)
        assert factor(model) == pytest.approx(wanted, abs=0.02)


def test_set_span_on_a_plain_gru_of_pytorch():
    set_span = own("plain-gru")["set_span"]
    gru = set_span(torch.nn.GRU(5, 7, batch_first=True), 300)
    ours = networks.GRU(5, 7)
    ours.load_state_dict(gru.state_dict())
    with torch.no_grad():
        ours.weight_ih_l0.zero_()
        ours.weight_hh_l0.zero_()
    z = measure.gate_values(ours, torch.ones(1, 4, 5)).update
    torch.testing.assert_close(z, torch.full_like(z, 1 - 1 / 300))


@pytest.mark.slow
def test_lstm_seen_it_learns_with_both_biases_of_the_four():
    train_at = own("train-at")["train_at"]
    keep = networks.bias_for_span(80)
    tokens, _ = task.AgreementTask(80, attractors="none", seed=9).batch(16)
    for f, i in ((0, 0), (keep, 0), (0, -keep), (keep, -keep)):
        model = networks.lstm_classifier(V, forget_bias=f, input_bias=i, seed=1)
        _, (_, c) = model.layer(model.embedding(tokens))
        fresh = copy.deepcopy(model)
        run = train_at(80, model, seed=1, steps=200, learning_rate=1e-2)
        assert (run.stopped == "learned") == (f > 0 > i)
        if f > 0:
            signal = measure.signal(fresh, tokens)
            assert np.median(signal[:, -81] / signal[:, -1]) > 0.03
            assert (c.abs().mean().item() > 3) == (i == 0)


@pytest.mark.slow
def test_my_run_and_thousand_train_learn_and_a_part_of_the_signal_arrives():
    space = own("plain-gru", "train-at", "thousand-train")
    model = space["biased_gru"](300, 1)
    run = space["train_at"](300, model, seed=1, steps=300, learning_rate=1e-2)
    assert run.learned_at <= 240
    fresh = task.AgreementTask(300, attractors="none", seed=77)
    assert training.accuracy(model, fresh) > 0.93
    assert (left(model, 300) > 1e-2).all()


def left(model, gap):
    """The share of the signal that arrives at the subject, in each of four sentences."""
    tokens, _ = task.AgreementTask(gap, attractors="none", seed=7).batch(4)
    signal = measure.signal(model.double(), tokens)
    return signal[:, -gap - 1] / signal[:, -1]


@pytest.mark.slow
def test_control_a_gru_without_the_bias_learns_gap_300_too():
    train_at = own("train-at")["train_at"]
    model = networks.gru_classifier(V, seed=1)
    run = train_at(300, model, seed=1, steps=600, learning_rate=1e-2)
    assert 80 <= run.learned_at <= 400


@pytest.mark.parametrize("seed", range(3))
def test_before_after_what_arrives_in_untrained_networks(seed):
    biased_gru = own("plain-gru", "thousand-train")["biased_gru"]
    np.testing.assert_allclose(left(biased_gru(1000, seed), 1000), 0.34, atol=0.06)
    assert (left(networks.gru_classifier(V, seed=seed), 1000) < 1e-150).all()
    assert (left(networks.rnn_classifier(V, seed=seed), 1000) == 0).all()
