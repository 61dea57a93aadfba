"""What notebook 03 says in words and rounded numbers, for more seeds than it shows.

The functions under test are the notebook's own cells.
"""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from cells import cells, stage

from helpers import measure, networks

SEEDS = range(4)


def run(*ids, **more):
    """Names that cells of notebook 03 leave, with a step and a Jacobian in place."""
    given = stage(step=measure.bptt_step, jacobian=measure.step_jacobian)
    return cells("03", *ids, **{**given, **more})


def drawn_with(seed):
    """The networks, with another seed than the one that a cell asks for."""
    changed = {
        "seeded": lambda _, build: networks.seeded(seed, build),
        "rnn_classifier": lambda words, **_: networks.rnn_classifier(words, seed=seed),
    }
    return SimpleNamespace(**{**vars(networks), **changed})


@pytest.mark.parametrize("seed", range(10))
def test_03_deep_steps_fade_like_layers_and_with_inputs_faster(seed):
    powers = run("deep-run", "guess-deep-answer", networks=drawn_with(seed))["powers"]
    layers, steps, no_inputs = (10 ** (-lost / 99) for lost in powers.values())
    assert 0.54 < layers < 0.6
    assert 0.4 < steps < 0.53
    assert 0.52 < no_inputs < 0.7
    assert no_inputs > steps + 0.08
    if seed == 0:
        assert 24 < powers["100 layers"] < 27


@pytest.mark.parametrize("seed", SEEDS)
def test_03_four_words_by_hand_and_by_autograd(seed):
    space = run("bptt-loop", "four-words", networks=drawn_with(seed))
    terms_W, terms_U = space["four_words"](space["W"], space["U"])
    x, V, cell = torch.eye(4, dtype=torch.float64), torch.tensor(space["V"]), space["cell"]
    torch.nn.functional.cross_entropy(cell(x)[0][-1] @ V.T, torch.tensor(1)).backward()
    for terms, weights in ((terms_W, cell.weight_hh_l0), (terms_U, cell.weight_ih_l0)):
        np.testing.assert_allclose(terms.sum(axis=0), weights.grad, rtol=0, atol=1e-12)


@pytest.mark.parametrize("seed", range(10))
def test_03_shares_of_the_first_of_four_words(seed):
    percent = run("bptt-loop", "four-words", "guess-share-answer", networks=drawn_with(seed))[
        "percent"
    ]
    usual, small = percent.values()
    assert 4 < usual[0] < 13
    assert 0.005 < small[0] < 0.04


@pytest.mark.parametrize("seed", SEEDS)
def test_03_factor_forty_of_them_are_the_signal_forwards_and_backwards(seed):
    space = run("task-factor", networks=drawn_with(seed))
    assert space["by_hand"] == pytest.approx(space["by_autograd"], rel=1e-9)
    assert space["forward"] == pytest.approx(space["by_autograd"], rel=1e-9)
    assert -16 < np.log10(space["by_hand"]) < -11
    assert 0.4 < np.exp(space["logs"].mean()) < 0.52


@pytest.mark.parametrize("seed", SEEDS)
def test_03_inputs_the_larger_they_are_the_smaller_the_factor(seed):
    factor_at = run("guess-inputs-answer")["factor_at"]
    found = [factor_at(size, seed=seed, steps=200) for size in (0, 0.5, 1, 2, 4)]
    factors, slopes = np.transpose(found)
    assert (np.diff(factors) < -0.02).all()
    assert (np.diff(slopes) < -0.05).all()
    np.testing.assert_allclose(factors, [0.58, 0.53, 0.45, 0.345, 0.25], rtol=0.12)
    np.testing.assert_allclose(slopes, [0.97, 0.89, 0.74, 0.52, 0.31], rtol=0.08)
