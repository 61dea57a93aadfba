"""helpers.measure.signal against autograd step by step, closed forms and the engine."""

import numpy as np
import pytest
import torch
from torch import nn

from helpers.measure import (
    agreement,
    bptt_step,
    forward_signal,
    log_signal,
    signal,
    term_norms,
)
from helpers.networks import RNN, Classifier, gru_classifier, rnn_classifier
from helpers.task import AgreementTask, flip, vocabulary, word_classes

TOKENS = torch.arange(24).reshape(3, 8) % 7


class CellLoop(nn.Module):
    """A classifier made of any of torch's cells, one step at a time; keeps its states."""

    def __init__(self, cell):
        super().__init__()
        self.state_size = 5
        self.embedding, self.cell, self.readout = nn.Embedding(7, 4), cell(4, 5), nn.Linear(5, 2)

    def forward(self, tokens, probe):
        h = probe.new_zeros(len(tokens), 5)
        self.states = []
        for t, x in enumerate(self.embedding(tokens).unbind(1)):
            h = self.cell(x, h) + probe[:, t]
            self.states.append(h)
        return self.readout(h)


# The signal


@pytest.mark.parametrize("cell", [nn.RNNCell, nn.GRUCell])
def test_signal_is_the_gradient_at_each_state(cell):
    torch.manual_seed(0)
    model = CellLoop(cell).double()
    logits = model(TOKENS, torch.zeros(3, 8, 5, dtype=torch.float64))
    gradients = torch.autograd.grad((logits[:, 0] - logits[:, 1]).sum(), model.states)
    expected = torch.stack([gradient.norm(dim=1) for gradient in gradients], dim=1)
    found = signal(model, TOKENS)
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    margin_weight = model.readout.weight[0] - model.readout.weight[1]
    np.testing.assert_allclose(found[:, -1], margin_weight.norm().item(), rtol=1e-12)


def test_signal_leaves_the_model_alone_and_works_without_gradients():
    model = rnn_classifier(7)
    model.eval()
    model.readout.bias.requires_grad_(False)
    model.readout.weight.grad = torch.ones_like(model.readout.weight)
    trained = [parameter.requires_grad for parameter in model.parameters()]
    with torch.no_grad():
        signal(model, TOKENS)
    assert not model.training
    assert [parameter.requires_grad for parameter in model.parameters()] == trained
    assert (model.readout.weight.grad == 1).all()
    assert all(p.grad is None for p in model.parameters() if p is not model.readout.weight)


def far_model(factor):
    """A linear network of one unit: the signal is exactly 2 factor^lag."""
    model = rnn_classifier(7, hidden=1, nonlinearity="linear")
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
        model.layer.weight_hh_l0.fill_(factor)
        model.readout.weight.copy_(torch.tensor([[1.0], [-1.0]]))
    return model


def test_signal_where_its_square_would_underflow():
    tokens = torch.zeros(1, 1000, dtype=torch.long)
    expected = 2 * 0.5 ** np.arange(999.0, -1, -1)
    near = signal(far_model(0.5), tokens)[0]
    np.testing.assert_allclose(near[-120:], expected[-120:], rtol=1e-14)
    assert near[0] == 0
    far = signal(far_model(0.5).double(), tokens)[0]
    np.testing.assert_allclose(far, expected, rtol=1e-14)


def test_signal_where_it_overflows():
    found = signal(far_model(2.0), torch.zeros(1, 200, dtype=torch.long))[0]
    assert np.isfinite(found).sum() == 127  # 2 * 2^lag is below 2^128 up to lag 126
    np.testing.assert_allclose(found[-127:], 2.0 ** np.arange(127, 0, -1))


class Deaf(Classifier):
    def forward(self, tokens, probe=None):
        return super().forward(tokens)


class DeafButTrained(Deaf):
    def forward(self, tokens, probe=None):
        return super().forward(tokens) * torch.ones(2, requires_grad=True)


class Single(Classifier):
    def forward(self, tokens, probe=None):
        return super().forward(tokens, probe)[:, 0]


@pytest.mark.parametrize(
    ("model", "tokens", "message"),
    [
        (Classifier, [[1, 2]], "tokens must be a torch tensor; got list"),
        (Classifier, TOKENS[0], r"tokens must have shape \(n, steps\), not empty; got \(8,\)"),
        (Classifier, TOKENS[:0], r"not empty; got \(0, 8\)"),
        (Classifier, TOKENS.float(), r"tokens must be integers .* got torch.float32"),
        (Deaf, TOKENS, "Deaf does not use its probe"),
        (DeafButTrained, TOKENS, "DeafButTrained does not use its probe"),
        (Single, TOKENS, r"logits of shape \(3, 2\); got \(3,\)"),
        (nn.Linear, TOKENS, "Linear has no state_size"),
    ],
)
def test_a_broken_protocol_is_named(model, tokens, message):
    made = model(2, 2) if model is nn.Linear else model(7, RNN(4, 5))
    with pytest.raises(ValueError, match=message):
        signal(made, tokens)


# Terms of a weight's gradient


@pytest.mark.parametrize("seed", range(2))
def test_bptt_step_is_what_autograd_does_in_one_step(seed):
    rng = np.random.default_rng(seed)
    W, U = rng.normal(size=(5, 5)), rng.normal(size=(5, 3))
    h_before, x_t, dL_dh = rng.uniform(-1, 1, 5), rng.normal(size=3), rng.normal(size=5)
    leaves = [torch.tensor(a, requires_grad=True) for a in (h_before, W, U)]
    h_t = torch.tanh(leaves[1] @ leaves[0] + leaves[2] @ torch.tensor(x_t))
    h_t.backward(torch.tensor(dL_dh))
    found = bptt_step(h_t.detach().numpy(), h_before, x_t, W, dL_dh)
    for mine, leaf in zip(found, leaves, strict=True):
        np.testing.assert_allclose(mine, leaf.grad.numpy(), rtol=0, atol=1e-12)


def test_term_norms_are_those_of_a_copy_of_W_for_each_step():
    model, labels = rnn_classifier(7, seed=1).double(), torch.tensor([0, 1, 1])
    copies = [model.layer.weight_hh_l0.detach().clone().requires_grad_() for _ in range(8)]
    x = model.embedding(TOKENS) @ model.layer.weight_ih_l0.T
    h = torch.zeros(3, 32).double()
    for x_t, W in zip(x.unbind(1), copies, strict=True):
        h = torch.tanh(x_t + h @ W.T + model.layer.bias_ih_l0 + model.layer.bias_hh_l0)
    loss = nn.functional.cross_entropy(model.readout(h), labels)
    expected = [float(term.norm()) for term in torch.autograd.grad(loss, copies)]
    for factor in (1.0, 1e200):
        found = term_norms(model, TOKENS, labels, factor)
        np.testing.assert_allclose(found, factor * np.array(expected), rtol=1e-10)


# Beyond the range of float64, and by forward mode

LONG = torch.randint(0, 20, (3, 100), generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(
    "model",
    [rnn_classifier(20, seed=1), gru_classifier(20, seed=1), gru_classifier(20, update_bias=3.0)],
    ids=["rnn", "gru", "biased gru"],
)
def test_within_float64_it_is_the_logarithm_of_the_signal(model):
    expected = np.log10(signal(model.double(), LONG))
    np.testing.assert_allclose(log_signal(model, LONG), expected, rtol=0, atol=1e-8)


@pytest.mark.parametrize("gain", [0.001, 1000.0])
def test_of_a_linear_network_it_is_a_straight_line_at_any_length(gain):
    found = log_signal(far_model(gain), torch.zeros(1, 1000, dtype=torch.long))[0, ::-1]
    np.testing.assert_allclose(found, np.log10(2) + np.log10(gain) * np.arange(1000), atol=1e-3)


def test_a_signal_that_is_exactly_zero_has_no_logarithm():
    model = rnn_classifier(20, nonlinearity="relu")
    with torch.no_grad():
        model.layer.bias_ih_l0.fill_(-100.0)
    logs = log_signal(model, LONG)
    assert np.isfinite(logs[:, -1]).all()
    assert np.isneginf(logs[:, :-1]).all()


@pytest.mark.parametrize("nonlinearity", ["tanh", "relu", "linear"])
def test_forward_mode_gives_the_same_signal(nonlinearity):
    model = rnn_classifier(20, nonlinearity=nonlinearity, seed=2).double()
    backward = signal(model, LONG)
    for word in (0, 50, 98, 99):
        np.testing.assert_allclose(forward_signal(model, LONG, word), backward[:, word], 1e-10)


# Agreement where it is known: a sum of numbers, a network that hears two ways, and the latch

SIZE = len(vocabulary())


def sums_numbers():
    """One unit, h_t = h_{t-1} + (1 at a plural noun, -1 at a singular one)."""
    model = rnn_classifier(SIZE, hidden=1, nonlinearity="linear")
    values = {"singular": -1.0, "plural": 1.0}
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
        column = [[values.get(each, 0.0)] for each in word_classes()]
        model.embedding.weight.copy_(torch.tensor(column))
        for weight in (model.layer.weight_ih_l0, model.layer.weight_hh_l0):
            weight.fill_(1)
        model.readout.weight.copy_(torch.tensor([[-1.0], [1.0]]))
    return model


def test_where_each_sentence_says_the_same_it_is_1():
    """U's gradient is the sum of the numbers: the subject adds the same to it everywhere."""
    tokens, _ = AgreementTask(20, attractors="none", seed=0).batch(16)
    assert agreement(sums_numbers(), tokens, -21) == pytest.approx(1, abs=1e-3)


def by_hand(model, tokens, subject):
    """Sentence by sentence, with the two versions sorted by number."""
    other, plural = flip(tokens, subject)
    effects = []
    for given, changed, is_plural in zip(tokens, other, plural, strict=True):
        versions = (changed, given) if is_plural else (given, changed)
        margins = [
            model(version[None])[0] @ torch.tensor([1.0, -1]).double() for version in versions
        ]
        parts = [torch.autograd.grad(margin, list(model.layer.parameters())) for margin in margins]
        singular, many = (torch.cat([each.flatten() for each in part]).numpy() for part in parts)
        effects.append(singular - many)
    one, two = (np.mean(half, axis=0) for half in np.split(np.array(effects), 2))
    return one @ two / np.linalg.norm(one) / np.linalg.norm(two)


@pytest.mark.parametrize("build", [rnn_classifier, gru_classifier])
def test_equal_to_a_loop_over_sentences(build):
    model, (tokens, _) = build(SIZE).double(), AgreementTask(8, seed=3).batch(12)
    assert agreement(model, tokens, -9) == pytest.approx(by_hand(model, tokens, -9), rel=1e-6)


def test_large_weights_turn_each_sentence_another_way():
    tokens, _ = AgreementTask(20, attractors="none", seed=9).batch(128)
    found = {}
    for gain in (0.5, 3):
        model = gru_classifier(SIZE, update_bias=3.0) if gain < 1 else rnn_classifier(SIZE)
        model.layer.weight_hh_l0.data *= gain
        found[gain] = agreement(model, tokens, -21)
    assert found[0.5] > 0.7 > 0.4 > abs(found[3])


def test_a_word_that_is_no_noun_is_refused():
    tokens, _ = AgreementTask(5).batch(2)
    with pytest.raises(ValueError, match="sentence 0 has no noun at -7: 'the'"):
        agreement(rnn_classifier(SIZE), tokens, -7)
