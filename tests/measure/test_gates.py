"""A GRU's gates and the four terms of its Jacobian, against its equations and autograd."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from helpers.measure.gates import JacobianTerms, gate_values, jacobian_terms, way_sizes, written
from helpers.networks import Classifier, hold_gates
from helpers.networks.gru import GRU
from helpers.task import AgreementTask, vocabulary

INPUT, HIDDEN = 3, 5


def twins() -> tuple[nn.GRU, GRU]:
    """torch.nn.GRU and ours with the same parameters, in float64."""
    torch.manual_seed(0)
    theirs, ours = nn.GRU(INPUT, HIDDEN, batch_first=True).double(), GRU(INPUT, HIDDEN).double()
    ours.load_state_dict(theirs.state_dict())
    return theirs, ours


def test_gate_values_rebuild_the_states():
    _, layer = twins()
    x = torch.randn(4, 4, INPUT).double()
    output, _ = layer(x)
    r, z, n = gate_values(layer, x)
    before = torch.cat([0 * output[:, :1], output[:, :3]], dim=1)
    assert not z.requires_grad
    torch.testing.assert_close((1 - z) * n + z * before, output)
    w_ih, w_hh, b_ih, b_hh = layer.parameters()
    want = torch.sigmoid((x @ w_ih.T + b_ih + before @ w_hh.T + b_hh)[..., : 2 * HIDDEN])
    torch.testing.assert_close(torch.cat([r, z], dim=-1), want)


@pytest.mark.parametrize("scale", [1, 8])
def test_each_term_is_its_own_way(scale):
    """Holding the other ways fixed, autograd gives each term alone."""
    theirs, _ = twins()
    with torch.no_grad():
        theirs.weight_hh_l0.mul_(scale)
    w_ih, w_hh, b_ih, b_hh = (p.detach() for p in theirs.parameters())
    words = torch.randn(2, INPUT).double()
    x, h = words[1], theirs(words[:1])[1][0].detach()

    def step(by_keep, by_z, by_n, by_r):
        a = w_ih @ x + b_ih
        u_r, u_z, u_n = w_hh.split(HIDDEN)
        c_r, c_z, c_n = b_hh.split(HIDDEN)
        a_r, a_z, a_n = a.split(HIDDEN)
        r = torch.sigmoid(a_r + u_r @ by_r + c_r)
        z = torch.sigmoid(a_z + u_z @ by_z + c_z)
        n = torch.tanh(a_n + r * (u_n @ by_n + c_n))
        return (1 - z) * n + z * by_keep

    torch.testing.assert_close(step(h, h, h, h), theirs(words)[0][1])
    want = torch.autograd.functional.jacobian(step, (h, h, h, h))
    weights = (each.numpy() for each in (w_ih, w_hh, b_ih, b_hh))
    terms = jacobian_terms(words.numpy(), *weights)
    for name, got, ours in zip(terms._fields, terms, want, strict=True):
        np.testing.assert_allclose(got[1], ours.numpy(), rtol=0, atol=1e-12, err_msg=name)


def test_way_sizes_are_the_mean_lengths_of_random_unit_vectors():
    rng = np.random.default_rng(3)
    terms = JacobianTerms(*rng.normal(size=(4, 2, HIDDEN, HIDDEN)))
    vectors = rng.normal(size=(100_000, HIDDEN))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    for way, sizes in way_sizes(terms).items():
        passed = np.einsum("tij,nj->tni", getattr(terms, way), vectors)
        np.testing.assert_allclose(sizes**2, (passed**2).sum(-1).mean(1), rtol=0.02)


@pytest.mark.parametrize("span", [None, 100])
def test_held_gates_do_not_learn_and_the_candidate_does(span):
    torch.manual_seed(0)
    layer, x = GRU(INPUT, HIDDEN), torch.randn(2, 4, INPUT)
    drawn = [parameter.clone() for parameter in layer.parameters()]
    hold_gates(layer, span)
    before = [parameter.clone() for parameter in layer.parameters()]
    layer(x)[0].square().sum().backward()
    torch.optim.Adam(layer.parameters(), lr=0.1).step()
    for old, new in zip(before, layer.parameters(), strict=True):
        assert torch.equal(old[: 2 * HIDDEN], new[: 2 * HIDDEN])
        assert (old[2 * HIDDEN :] != new[2 * HIDDEN :]).all()
    gates = gate_values(layer, x)
    if span is None:
        assert all(map(torch.equal, drawn, before))
    else:
        torch.testing.assert_close(gates.update, torch.full_like(gates.update, 0.99))
        assert (gates.reset == 1).all()


def test_written_is_what_the_units_that_move_the_verb_do_not_keep():
    """Units 1 and 3 alone see a noun; the gate of unit 1 writes a half, that of 3 a tenth."""
    words = vocabulary()
    model = Classifier(len(words), GRU(HIDDEN, HIDDEN))
    sentence = AgreementTask(6, seed=0).sentence()
    tokens = torch.tensor(words.encode(sentence.words))[None]
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
        model.embedding.weight[words.encode([sentence.words[sentence.subject]])] = 1
        model.layer.weight_ih_l0[2 * HIDDEN + torch.tensor([1, 3])] = 1
        model.layer.bias_hh_l0[HIDDEN : 2 * HIDDEN] = torch.tensor([9.0, 0, 9, np.log(9), 9])
        model.readout.weight[0] = 1
    gate = written(model, tokens, sentence.subject, units=2)
    np.testing.assert_allclose(gate, 0.3, atol=1e-6)
