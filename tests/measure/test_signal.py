"""helpers.measure.signal against autograd step by step, finite differences and the engine."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from helpers import measure
from helpers.measure.jacobians import log_factors, slopes, step_jacobians
from helpers.measure.signal import bptt_step, shares, signal, terms_by_step
from helpers.networks.classifiers import rnn_classifier
from helpers.networks.rnn import RNN, backward, forward
from helpers.task import AgreementTask, vocabulary


class CellLoop(nn.Module):
    """A classifier made of any of torch's cells, one step at a time; keeps its states."""

    def __init__(self, cell, words=7, size=5):
        super().__init__()
        self.state_size = size
        self.embedding = nn.Embedding(words, 4)
        self.cell = cell(4, size)
        self.readout = nn.Linear(size, 2)

    def forward(self, tokens, probe=None):
        h = torch.zeros(len(tokens), self.state_size, dtype=self.readout.weight.dtype)
        self.states = []
        for t, x in enumerate(self.embedding(tokens).unbind(1)):
            h = self.cell(x, h)
            if probe is not None:
                h = h + probe[:, t]
            self.states.append(h)
        return self.readout(h)


class Engine(nn.Module):
    """The same around the course's own layer."""

    def __init__(self, words=7, size=5):
        super().__init__()
        self.state_size = size
        self.embedding = nn.Embedding(words, 4)
        self.layer = RNN(4, size)
        self.readout = nn.Linear(size, 2)

    def forward(self, tokens, probe=None):
        output, _ = self.layer(self.embedding(tokens), probe=probe)
        return self.readout(output[:, -1])


def made(build, seed=0):
    torch.manual_seed(seed)
    return build().double()


MODELS = {
    "rnn": lambda: CellLoop(nn.RNNCell),
    "gru": lambda: CellLoop(nn.GRUCell),
    "engine": Engine,
}
TOKENS = torch.arange(24).reshape(3, 8) % 7


# The signal


@pytest.mark.parametrize("name", ["rnn", "gru"])
def test_signal_is_the_gradient_at_each_state(name):
    model = made(MODELS[name])
    logits = model(TOKENS)
    gradients = torch.autograd.grad((logits[:, 0] - logits[:, 1]).sum(), model.states)
    expected = torch.stack([gradient.norm(dim=1) for gradient in gradients], dim=1)
    found = signal(model, TOKENS)
    assert found.shape == (3, 8)
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    margin_weight = model.readout.weight[0] - model.readout.weight[1]
    np.testing.assert_allclose(found[:, -1], margin_weight.norm().item(), rtol=1e-12)


def test_signal_is_the_jacobian_product():
    model = made(Engine)
    with torch.no_grad():
        output, _ = model.layer(model.embedding(TOKENS))
        margin = (model.readout.weight[0] - model.readout.weight[1]).numpy()
        weight = model.layer.weight_hh_l0.numpy()
    for states, found in zip(output.numpy(), signal(model, TOKENS), strict=True):
        logs = log_factors(step_jacobians(weight, states)[1:], margin)
        back = np.linalg.norm(margin) * np.exp([0, *logs.cumsum()])
        np.testing.assert_allclose(found[::-1], back, rtol=1e-10)


@pytest.mark.parametrize("name", MODELS)
def test_signal_leaves_the_model_alone(name):
    model = made(MODELS[name])
    model.eval()
    model.readout.bias.requires_grad_(False)
    model.readout.weight.grad = torch.ones_like(model.readout.weight)
    trained = [parameter.requires_grad for parameter in model.parameters()]
    values = [parameter.detach().clone() for parameter in model.parameters()]
    with torch.no_grad():
        signal(model, TOKENS)
    assert not model.training
    assert [parameter.requires_grad for parameter in model.parameters()] == trained
    assert all(map(torch.equal, model.parameters(), values))
    assert torch.equal(model.readout.weight.grad, torch.ones_like(model.readout.weight))
    assert all(p.grad is None for p in model.parameters() if p is not model.readout.weight)


def far_model(factor):
    """A linear network of one unit: the signal is exactly 2 factor^lag."""
    torch.manual_seed(0)
    model = Engine(size=1)
    model.layer = RNN(4, 1, nonlinearity="linear")
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
        model.layer.weight_hh_l0.fill_(factor)
        model.readout.weight.copy_(torch.tensor([[1.0], [-1.0]]))
    return model


def test_signal_where_its_square_would_underflow():
    tokens = torch.zeros(1, 1000, dtype=torch.long)
    lags = np.arange(999.0, -1, -1)
    far = signal(far_model(0.5).double(), tokens)
    np.testing.assert_allclose(far[0], 2 * 0.5**lags, rtol=1e-14)
    near = signal(far_model(0.5), tokens)
    assert near.dtype == np.float64
    np.testing.assert_allclose(near[0, -120:], 2 * 0.5 ** lags[-120:], rtol=1e-14)
    assert near[0, 0] == 0


def test_signal_where_it_overflows():
    tokens = torch.zeros(1, 200, dtype=torch.long)
    found = signal(far_model(2.0), tokens)[0]
    finite = np.isfinite(found)
    assert finite.sum() == 127  # 2 * 2^lag is below 2^128 up to lag 126
    assert finite[-127:].all()
    np.testing.assert_allclose(found[-127:], 2.0 ** np.arange(127, 0, -1))


class Deaf(Engine):
    def forward(self, tokens, probe=None):
        return super().forward(tokens)


class DeafButTrained(Deaf):
    def forward(self, tokens, probe=None):
        return super().forward(tokens) * torch.ones(2, requires_grad=True)


class Single(Engine):
    def forward(self, tokens, probe=None):
        return super().forward(tokens, probe)[:, 0]


class Sizeless(nn.Module):
    def forward(self, tokens, probe=None):
        return probe.sum(1)[:, :2]


@pytest.mark.parametrize(
    ("model", "tokens", "message"),
    [
        (Engine(), [[1, 2]], "tokens must be a torch tensor; got list"),
        (Engine(), TOKENS[0], r"tokens must have shape \(n, steps\), not empty; got \(8,\)"),
        (Engine(), TOKENS[:0], r"not empty; got \(0, 8\)"),
        (Engine(), TOKENS[:, :0], r"not empty; got \(3, 0\)"),
        (Engine(), TOKENS.float(), r"tokens must be integers .* got torch.float32"),
        (Deaf(), TOKENS, "Deaf does not use its probe"),
        (DeafButTrained(), TOKENS, "DeafButTrained does not use its probe"),
        (Single(), TOKENS, r"logits of shape \(3, 2\); got \(3,\)"),
        (Sizeless(), TOKENS, "Sizeless has no state_size"),
    ],
)
def test_a_broken_protocol_is_named(model, tokens, message):
    trained = [parameter.requires_grad for parameter in model.parameters()]
    with pytest.raises(ValueError, match=message):
        signal(model, tokens)
    assert [parameter.requires_grad for parameter in model.parameters()] == trained


# Terms of the weights' gradients


def torch_pass(steps, batch, seed=0):
    """A tanh RNN with a loss at its last step: states, deltas and autograd's gradients."""
    generator = torch.Generator().manual_seed(seed)

    def draw(*shape):
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    weight_hh, weight_ih = draw(6, 6).mul(0.4).requires_grad_(), draw(6, 4).requires_grad_()
    inputs, states, currents = draw(steps, batch, 4), [draw(batch, 6)], []
    for x in inputs:
        currents.append(x @ weight_ih.T + states[-1] @ weight_hh.T)
        states.append(torch.tanh(currents[-1]))
    loss = nn.functional.cross_entropy(states[-1] @ draw(6, 2), torch.arange(batch) % 2)
    wanted = [*currents, weight_ih, weight_hh]
    *deltas, d_ih, d_hh = [g.numpy() for g in torch.autograd.grad(loss, wanted)]
    before = torch.stack(states[:-1]).detach().numpy()
    return np.array(deltas), inputs.numpy(), before, d_ih, d_hh


@pytest.mark.parametrize(("steps", "batch"), [(4, 1), (40, 8)])
def test_terms_add_up_to_autograds_gradient(steps, batch):
    deltas, inputs, before, d_ih, d_hh = torch_pass(steps, batch)
    for seen, total in ((inputs, d_ih), (before, d_hh)):
        terms = terms_by_step(deltas, seen)
        assert terms.shape == (steps, *total.shape)
        np.testing.assert_allclose(terms.sum(0), total, rtol=0, atol=1e-10 * np.abs(total).max())


def test_one_term_is_the_outer_product_of_its_step():
    deltas, inputs, *_ = torch_pass(4, 1)
    np.testing.assert_allclose(
        terms_by_step(deltas, inputs)[2], np.outer(deltas[2, 0], inputs[2, 0]), rtol=1e-15
    )


def test_terms_from_the_hand_written_backward_pass():
    rng = np.random.default_rng(0)
    weight_ih, weight_hh = rng.normal(size=(6, 4)), rng.normal(0, 0.3, (6, 6))
    inputs, grad = rng.normal(size=(9, 3, 4)), np.zeros((9, 3, 6))
    grad[-1] = rng.normal(size=(3, 6))
    states = forward(inputs, weight_ih, weight_hh, np.zeros(6), np.zeros(6))
    found = backward(grad, inputs, states, weight_ih, weight_hh)
    deltas = found.states * slopes(states[1:])
    for seen, total in ((inputs, found.weight_ih), (states[:-1], found.weight_hh)):
        np.testing.assert_allclose(terms_by_step(deltas, seen).sum(0), total, rtol=1e-10)


def test_shares_by_hand():
    terms = np.zeros((3, 2, 2))
    terms[1, 0, 1], terms[2] = 5, [[9, 0], [0, 12]]
    assert shares(terms).tolist() == [0, 0.25, 0.75]


@settings(max_examples=50)
@given(st.integers(0, 2**32 - 1), *[st.integers(1, 5)] * 4)
def test_shares_add_up_and_float32_is_accepted(seed, steps, batch, hidden, features):
    rng = np.random.default_rng(seed)
    deltas = rng.normal(size=(steps, batch, hidden)).astype(np.float32)
    seen = rng.normal(size=(steps, batch, features)).astype(np.float32)
    terms = terms_by_step(deltas, seen)
    assert terms.dtype == np.float64
    found = shares(terms)
    assert found.sum() == pytest.approx(1)
    norms = np.linalg.norm(terms, axis=(1, 2))
    np.testing.assert_allclose(found * norms.sum(), norms)


@pytest.mark.parametrize("seed", range(4))
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


def test_term_norms_are_those_of_terms_that_add_up_to_the_gradient():
    model = rnn_classifier(len(vocabulary()), seed=1).double()
    tokens, labels = AgreementTask(4, seed=1).batch(8)
    norms = measure.term_norms(model, tokens, labels)
    assert norms.shape == (tokens.shape[1],)
    # h_0 is 0, so the first step has no term; by a copy of W for the last step alone
    assert norms[0] == 0
    states, W = model.states(tokens).detach(), model.layer.weight_hh_l0
    bias = model.layer.bias_ih_l0 + model.layer.bias_hh_l0
    x = model.embedding(tokens)[:, -1] @ model.layer.weight_ih_l0.T
    h = torch.tanh(x + states[:, -2] @ W.T + bias)
    loss = torch.nn.functional.cross_entropy(model.readout(h), labels)
    (last,) = torch.autograd.grad(loss, W)
    assert norms[-1] == pytest.approx(float(last.norm()), rel=1e-10)
    np.testing.assert_allclose(measure.term_norms(model, tokens, labels, 1e6), 1e6 * norms)
