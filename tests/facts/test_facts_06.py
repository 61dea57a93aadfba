"""What notebook 06 says in words and rounded numbers, for more seeds than it shows.

The functions under test are the notebook's own cells.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from cells import functions

from helpers import measure, networks, task, training

SIZE = len(task.vocabulary())


@pytest.mark.parametrize("seed", range(1, 4))
def test_06_angle_by_norm_turns_nothing_and_the_others_tens_of_degrees(seed):
    model = networks.gain_classifier(SIZE, 1.5, seed=seed).double()
    tokens, labels = task.AgreementTask(44, seed=seed).batch(32)
    torch.nn.functional.cross_entropy(model(tokens), labels).backward()
    gradients = [p.grad for p in model.parameters()]
    norm = measure.global_norm(gradients)
    turned = {
        rule.__name__: rule([g.clone() for g in gradients], norm / 100).angle
        for rule in (measure.clip_by_global_norm, measure.clip_by_value, measure.clip_per_tensor)
    }
    assert turned["clip_by_global_norm"] < 1e-4
    assert 15 < turned["clip_by_value"] < 60
    assert 20 < turned["clip_per_tensor"] < 60


@pytest.mark.slow
@pytest.mark.parametrize(
    ("rate", "c", "rule", "learns"),
    [
        (10, 0.03, "by norm", True),
        (10, 0.003, "by value", True),
        (10, 0.01, "per tensor", True),
        (100, 0.01, "by norm", True),
        (10, 0.1, "by norm", True),
        (0.5, 1.0, "by norm", True),
        (10, 1.0, "by norm", False),
        (10, 0.001, "by norm", False),
    ],
)
def test_06_rules_and_product_which_thresholds_learn(rate, c, rule, learns):
    run = functions("06", "imports", "rules-train", size=SIZE)["run"]
    assert (run(4, rate, c, rule).stopped == "learned") is learns


@pytest.mark.parametrize("points", [101, 201])
def test_06_cliff_the_largest_gradient_is_thousands_of_times_the_median(points):
    *_, norms = measure.surface(points=points)
    assert norms.max() / np.median(norms) > 1000


def test_06_cliff_one_descent_stays_and_the_others_are_thrown():
    start = (6, -2)
    free = measure.descend(start, rate=10, steps=60)
    clipped = measure.descend(start, rate=10, steps=60, max_norm=0.1)
    loose = measure.descend(start, rate=10, steps=60, max_norm=0.6)
    assert clipped.errors[-1] < 0.05
    assert min(free.errors[-1], loose.errors[-1]) > 0.4
    assert np.linalg.norm(np.diff(clipped.points, axis=0), axis=1).max() <= 1 + 1e-9
    assert (loose.norms[:-1] > 0.6).sum() >= 1


def test_06_broken_one_inf_ends_in_nan_everywhere_at_the_next_step():
    torch.manual_seed(0)
    embedding, readout = torch.nn.Embedding(SIZE, 32), torch.nn.Linear(32, 2)
    layer, sentences = torch.nn.RNN(32, 32, batch_first=True), task.AgreementTask(5, seed=0)
    parts = torch.nn.ModuleList([embedding, layer, readout])
    sgd, broken = torch.optim.SGD(parts.parameters(), lr=0.1), []
    for step in (1, 2):
        tokens, labels = sentences.batch(32)
        sgd.zero_grad()
        logits = readout(layer(embedding(tokens))[0][:, -1])
        torch.nn.functional.cross_entropy(logits, labels).backward()
        if step == 1:
            layer.weight_hh_l0.grad[0, 0] = torch.inf
        torch.nn.utils.clip_grad_norm_(parts.parameters(), 1.0)
        sgd.step()
        broken.append(sum(int(p.isnan().sum()) for p in parts.parameters()))
    assert broken == [1, sum(p.numel() for p in parts.parameters())]


@pytest.mark.parametrize("seed", range(1, 4))
def test_06_ratio_no_factor_changes_it(seed):
    model, batch = (
        networks.rnn_classifier(SIZE, seed=seed).double(),
        task.AgreementTask(40, seed=seed).batch(16),
    )
    ratios = []
    for factor in (1.0, 0.01, 1e6):
        subject, near = measure.term_norms(model, *batch, factor)[[-41, -1]]
        ratios.append(subject / near)
    np.testing.assert_allclose(ratios, ratios[0], rtol=1e-9)
    assert 1e-20 < ratios[0] < 1e-9


def test_06_product_adam_hides_the_threshold():
    steps = []
    for c in (0.001, 10.0):
        pair = [task.AgreementTask(5, seed=seed) for seed in (7, 1007)]
        model = networks.rnn_classifier(SIZE, seed=7)
        run = training.train(model, *pair, steps=300, learning_rate=3e-3, clip_norm=c)
        steps.append(run.learned_at)
    assert None not in steps
    assert max(steps) <= 2 * min(steps)


@pytest.mark.parametrize("seed", [8])
def test_06_product_a_linear_network_past_its_border_needs_the_clip(seed):
    ended = []
    for c in (None, 1.0):
        pair = [task.AgreementTask(5, seed=s) for s in (seed, 1000 + seed)]
        model = networks.gain_classifier(SIZE, 1.5, nonlinearity="linear", seed=seed)
        sgd = {"optimizer": "sgd", "learning_rate": 0.1, "clip_norm": c}
        run = training.train(model, *pair, steps=400, **sgd)
        ended.append((run.stopped, len(run.loss)))
    assert ended[0][0] == "non-finite"
    assert ended[0][1] <= 6
    assert ended[1][0] == "learned"
