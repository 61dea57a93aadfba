"""What notebook 05 says in words and rounded numbers, for more seeds than it shows.

The functions under test are the notebook's own cells.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from cells import cells

from helpers import measure, networks, task, training


def run(*ids, **names):
    return cells("05", "imports", *ids, **names)


@pytest.fixture(scope="module")
def recipes():
    return run("recipes-run", size=len(task.vocabulary()))["outcomes"]


@pytest.mark.parametrize("seed", range(2))
def test_05_map_the_border_is_where_theory_puts_it(seed):
    gains, stds = np.linspace(0.2, 3.4, 25), np.array([0.5, 1.0, 2.0])
    measured = measure.measured_map(gains, stds, seed=100 * (seed + 1))
    for row, s in zip(measured, stds, strict=True):
        assert np.interp(1, row, gains) == pytest.approx(measure.critical_gain(s), rel=0.12)
    assert np.abs(measured / measure.theory_map(gains, stds) - 1).max() < 0.2


@pytest.mark.parametrize("growth", [1.5, 4.0, 10.0])
@pytest.mark.parametrize("seed", [1, 2])
def test_05_nan_follows_the_first_inf_within_a_few_steps(growth, seed):
    generator = torch.Generator().manual_seed(seed)
    A = growth / 32**0.5 * torch.randn(50, 32, 32, generator=generator)
    states = [torch.randn(50, 32, generator=generator)]
    for _ in range(600):
        states.append(torch.einsum("nij,nj->ni", A, states[-1]))
    states = torch.stack(states).numpy()
    starts = np.array([measure.first_inf(states[:, n]) for n in range(50)])
    delays = np.isnan(states).any(axis=2).argmax(axis=0) - starts
    assert (delays >= 0).all()
    assert 0 <= delays.mean() <= 2


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "gain", "rate"), [("linear", 1.5, 0.001), ("relu", 2.0, 0.1)])
def test_05_recipes_well_past_the_border_all_are_gone_in_a_few_updates(recipes, kind, gain, rate):
    steps, _ = recipes(kind, gain, rate)
    assert all(step is not None and step <= 6 for step in steps)
    assert np.median(steps) <= 3


@pytest.mark.slow
def test_05_recipes_tanh_never_breaks_and_saturates_at_gain_4(recipes):
    for gain, at_least in ((2.0, 0.05), (4.0, 0.9)):
        steps, stuck = recipes("tanh", gain, 0.001)
        assert steps == [None] * 5
        assert stuck >= at_least


@pytest.mark.parametrize("seed", range(3))
def test_05_silent_one_step_takes_the_signal_to_0(seed):
    model = networks.gain_classifier(len(task.vocabulary()), 4.0, seed=seed).double()
    tokens, _ = task.AgreementTask(24, seed=50 + seed).batch(8)
    before = measure.signal(model, tokens)[:, -25]
    pair = [task.AgreementTask(44, seed=s) for s in (seed, 100 + seed)]
    sgd = {"optimizer": "sgd", "learning_rate": 0.1, "clip_norm": None, "target": 2}
    training.train(model, *pair, steps=1, **sgd)
    assert np.median(before) > 10
    assert np.median(measure.signal(model, tokens)[:, -25]) == 0
    assert (model.states(tokens).abs() == 1).all(dim=2).double().mean() > 0.9
    run = training.train(model, *pair, steps=40, check_every=40, **sgd)
    assert run.stopped == "budget"
    assert np.median(run.loss) == pytest.approx(np.log(2), abs=0.25)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("hidden", "seed", "least", "most"), [(32, 20, 0.7, 4), (32, 21, 0.7, 4), (128, 20, 0.8, 1.3)]
)
def test_05_bounded_the_backward_pass_overflows_and_no_state_does(hidden, seed, least, most):
    factor = measure.mean_field_factor(4.0, 0.6)
    predicted = math.ceil(math.log(torch.finfo(torch.float32).max / 0.01) / math.log(factor))
    assert predicted == 220
    batch, labels = task.AgreementTask(1000, seed=seed).batch(8)
    model = networks.gain_classifier(len(task.vocabulary()), 4.0, hidden=hidden, seed=seed)
    first = measure.find_nonfinite(model, batch, labels)[0]
    assert first.name == "dL/dh"
    assert least * predicted < batch.shape[1] - 1 - first.step < most * predicted
    assert model.states(batch).abs().max() <= 1


@pytest.mark.slow
def test_05_memory_the_run_that_learns_bursts_and_the_other_does_not():
    rise = {}
    for gaps, steps in (((3, 15), 1000), ((20, 30), 500)):
        pair = [task.AgreementTask(gaps, seed=s) for s in (1, 101)]
        model = networks.rnn_classifier(len(task.vocabulary()), seed=1)
        budget = {"steps": steps, "learning_rate": 2e-3, "check_every": steps, "target": 2}
        norm = training.train(model, *pair, **budget).gradient_norm
        rise[gaps] = np.quantile(norm, 0.99) / np.median(norm[:50])
    assert rise[3, 15] > 6
    assert rise[20, 30] < 5
