"""What notebook 04 says in words and rounded numbers, measured and held to a tolerance.

Each test names the cell whose text it holds; where a notebook shows one seed, more are run.
What PyTorch leaves of inf, NaN and 2e19 (cell broken-table) is held by test_clipping.
"""

from __future__ import annotations

import functools

import numpy as np
import pytest
import torch

from helpers import measure as gradients
from helpers import training
from helpers.measure import cliff, clipping
from helpers.networks import classifiers as models
from helpers.task.agreement import AgreementTask, flipped, vocabulary

cross_entropy = torch.nn.functional.cross_entropy
SEEDS = range(4)
RATES = (0.5, 10.0)


def network(kind: str, gain: float, seed: int = 0) -> models.Classifier:
    """As in the notebook: 32 units, W drawn anew from N(0, gain^2 / 32)."""
    model = models.rnn_classifier(len(vocabulary()), nonlinearity=kind, seed=seed)
    generator = torch.Generator().manual_seed(seed)
    model.layer.weight_hh_l0.data.normal_(0, gain / 32**0.5, generator=generator)
    return model


def trained(
    gap: int, rate: float, c: float | None, seed: int, steps: int = 600, optimizer: str = "sgd"
) -> tuple[models.Classifier, training.History]:
    model = models.rnn_classifier(len(vocabulary()), seed=seed)
    tasks = (AgreementTask(gap, seed=s) for s in (seed, 1000 + seed))
    budget = {"steps": steps, "learning_rate": rate, "check_every": 50}
    return model, training.train(model, *tasks, **budget, clip_norm=c, optimizer=optimizer)


# The rule and its relatives


def clip_by_hand(tensors: list[torch.Tensor], c: float) -> None:
    """Notebook 04's rule, in place."""
    norm = torch.sqrt(sum((g**2).sum() for g in tensors))
    factor = min(1.0, c / (norm + 1e-6))
    for g in tensors:
        g *= factor


@pytest.mark.parametrize("seed", SEEDS)
def test_rule_agree_a_fresh_gradient_ends_a_hair_below_the_threshold(seed):
    model = models.rnn_classifier(len(vocabulary()), seed=seed).double()
    tokens, labels = AgreementTask(5, seed=seed).batch(32)
    cross_entropy(model(tokens), labels).backward()
    fresh = [p.grad.clone() for p in model.parameters()]
    before = clipping.global_norm(model)
    for c in (10.0, 0.1):
        ours = [g.clone() for g in fresh]
        clip_by_hand(ours, c)
        for parameter, gradient in zip(model.parameters(), fresh, strict=True):
            parameter.grad = gradient.clone()
        returned = torch.nn.utils.clip_grad_norm_(model.parameters(), c)
        assert returned.item() == pytest.approx(before, rel=1e-12)
        for mine, parameter in zip(ours, model.parameters(), strict=True):
            torch.testing.assert_close(mine, parameter.grad, rtol=1e-12, atol=0)
    assert 1e-7 < 1 - clipping.global_norm(model) / 0.1 < 1 / 10_000


@pytest.mark.parametrize("seed", SEEDS)
def test_angle_measure_degrees_by_rule_and_threshold(seed):
    model = network("tanh", 1.5, seed).double()
    tokens, labels = AgreementTask(44, seed=seed).batch(32)
    cross_entropy(model(tokens), labels).backward()
    norm = clipping.global_norm(model)

    def turned(rule, fraction):
        return rule([p.grad.clone() for p in model.parameters()], fraction * norm).angle

    for fraction in (0.1, 0.01, 0.001):
        assert turned(clipping.clip_by_global_norm, fraction) < 1e-6
    assert turned(clipping.clip_by_value, 0.1) < 4
    assert 25 < turned(clipping.clip_by_value, 0.01) < 40
    assert 47 < turned(clipping.clip_by_value, 0.001) < 54
    assert 30 < turned(clipping.clip_per_tensor, 0.1) < 41
    assert 25 < turned(clipping.clip_per_tensor, 0.01) < 50
    if seed == 0:
        assert turned(clipping.clip_by_value, 0.1) == pytest.approx(1.51, abs=0.01)
        assert turned(clipping.clip_by_value, 0.01) == pytest.approx(30.97, abs=0.01)
        assert turned(clipping.clip_by_value, 0.001) == pytest.approx(50.97, abs=0.01)
        assert turned(clipping.clip_per_tensor, 0.1) == pytest.approx(36.09, abs=0.01)
        assert turned(clipping.clip_per_tensor, 0.01) == pytest.approx(42.83, abs=0.01)


# The cliff


@pytest.mark.parametrize("points", [101, 201, 301])
def test_cliff_size_the_largest_gradient_is_over_1000_times_the_median(points):
    w, b, errors, norms = cliff.surface(points)
    assert norms.max() > 3000 * np.median(norms)
    row, column = np.unravel_index(norms.argmax(), norms.shape)
    assert w[column] == pytest.approx(4, abs=0.5)
    assert b[row] == pytest.approx(-2, abs=0.3)
    assert errors.max() == pytest.approx(0.49, abs=0.001)
    if points == 201:
        assert (norms > 1).sum() == 10
        assert not ((norms > 0.96) & (norms < 1.01)).any()


@pytest.mark.parametrize("seed", range(6))
def test_cliff_paths_end_where_they_do_though_the_start_is_moved_a_little(seed):
    start = np.array([6.0, -2.0]) + np.random.default_rng(seed).normal(0, 1e-10, 2)
    free, bound, loose = (cliff.descend(start, 10.0, 60, c) for c in (None, 0.1, 0.6))
    longest = [np.linalg.norm(np.diff(p.points, axis=0), axis=1).max() for p in (free, bound)]
    assert longest[0] > 6
    assert free.errors[np.linalg.norm(np.diff(free.points, axis=0), axis=1).argmax()] < 0.005
    assert longest[1] < 1
    assert free.errors[-1] > 0.48
    assert free.norms[-1] < 0.01
    assert bound.errors[-1] < 0.03
    assert (bound.errors[3:] > 0.15).sum() > 3
    assert loose.errors[-1] > 0.48
    assert (loose.norms[:-1] > 0.6).sum() == 1


def test_cliff_seen_the_path_gets_away_from_the_plateau_after_some_hundred_steps():
    errors = cliff.descend((6.0, -2.0), 10.0, 500).errors
    assert (errors[7:101] > 0.48).all()
    assert errors[-1] < 1e-6


# The place of the call


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("where", ["before backward", "after backward", "after step"])
def test_loop_places_only_after_backward_survives(where, seed):
    model, task, log = network("linear", 1.5, seed), AgreementTask(44, seed=seed), []
    stepper = torch.optim.SGD(model.parameters(), lr=0.1)
    survived = 0
    with training.one_thread():
        for _ in range(20):
            tokens, labels = task.batch(32)
            stepper.zero_grad()
            if where == "before backward":
                log.append(torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0).item())
            cross_entropy(model(tokens), labels).backward()
            if where == "after backward":
                log.append(torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0).item())
            stepper.step()
            if where == "after step":
                log.append(torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0).item())
            if not all(p.isfinite().all() for p in model.parameters()):
                break
            survived += 1
    assert survived == (20 if where == "after backward" else 1)
    assert not any(log) if where == "before backward" else log[0] > 1e7


# The threshold


@pytest.mark.parametrize("seed", SEEDS)
def test_usual_train_the_norm_leaps_while_the_network_learns(seed):
    _, history = trained(5, 0.5, None, seed)
    norms = history.gradient_norm
    assert history.stopped == "learned"
    assert 0.3 < np.median(norms) < 0.8
    assert norms.max() > 4 * np.median(norms)
    assert norms[:20].max() < 2.5 * np.median(norms)
    assert 0.3 < norms[:20].mean() < 0.8


@pytest.mark.parametrize(
    ("rate", "c", "longest", "seeds", "at_least"),
    [
        (0.5, None, None, (3, 4), 2),
        (0.5, 1.0, 0.5, (3, 4), 2),
        (0.5, 0.1, 0.05, range(6), 4),
        (0.5, 0.01, 0.005, (3, 4), 0),
        (10.0, None, None, (3, 4), 0),
        (10.0, 1.0, 10, (3, 4), 0),
        (10.0, 0.1, 1, (3, 4), 2),
        (10.0, 0.01, 0.1, (3, 4), 2),
    ],
)
def test_sweep_which_thresholds_learn_gap_5(rate, c, longest, seeds, at_least):
    """longest: step. Where it is 0.05, 18 of 20 seeds learned gap 5. at_least 0 means none."""
    assert c is None or longest == pytest.approx(rate * c)
    runs = [trained(5, rate, c, seed, steps=600)[1] for seed in seeds]
    learned = sum(run.stopped == "learned" for run in runs)
    if at_least:
        assert learned >= at_least
    else:
        assert learned == 0
        assert max(run.accuracy for run in runs) < 0.7


def test_sweep_calm_a_tenth_learns_more_slowly():
    steps = {c: trained(5, 0.5, c, 3, steps=1000)[1].learned_at for c in (1.0, 0.1)}
    assert steps[1.0] < steps[0.1] <= 1000


def test_sweep_seen_far_below_the_usual_norm_nearly_every_step_is_clipped():
    _, history = trained(5, 0.5, 0.01, 0, steps=200)
    assert clipping.share_clipped(history.clip_coefficient) > 0.99


@pytest.mark.parametrize(("optimizer", "ratio"), [(torch.optim.SGD, 1e6), (torch.optim.Adam, 1)])
def test_adam_step_a_million_times_the_gradient_is_that_in_sgd_and_nothing_in_adam(
    optimizer, ratio
):
    lengths = []
    for scale in (1.0, 1e6):
        weights = torch.nn.Parameter(torch.zeros(100, dtype=torch.float64))
        generator = torch.Generator().manual_seed(0)
        weights.grad = scale * torch.randn(100, dtype=torch.float64, generator=generator)
        optimizer([weights], lr=0.01).step()
        lengths.append(weights.norm().item())
    assert lengths[1] / lengths[0] == pytest.approx(ratio, rel=1e-5)


@pytest.mark.parametrize("c", [None, 1.0, 0.1, 0.01])
def test_adam_sweep_every_threshold_learns(c):
    _, history = trained(5, 3e-3, c, 2, steps=400, optimizer="adam")
    assert history.stopped == "learned"
    assert history.learned_at <= 250


def test_adam_seen_one_monstrous_gradient_shortens_the_next_1000_steps_unless_clipped():
    walked = {}
    for c in (1e9, 1.0):
        weight = torch.nn.Parameter(torch.zeros(1, dtype=torch.float64))
        stepper = torch.optim.Adam([weight], lr=0.01)
        for step in range(1100):
            weight.grad = torch.full_like(weight, 1e6 if step == 20 else 1.0)
            torch.nn.utils.clip_grad_norm_([weight], c)
            before = weight.item()
            stepper.step()
        walked[c] = abs(weight.item() - before)
    assert walked[1.0] == pytest.approx(0.01, rel=1e-3)
    assert walked[1e9] < 1e-5


# inf and NaN


def test_broken_spreads_from_one_inf_to_every_parameter():
    torch.manual_seed(1)
    embedding, readout = torch.nn.Embedding(len(vocabulary()), 32), torch.nn.Linear(32, 2)
    layer, task = torch.nn.RNN(32, 32, batch_first=True), AgreementTask(5, seed=1)
    parts = torch.nn.ModuleList([embedding, layer, readout])
    stepper = torch.optim.SGD(parts.parameters(), lr=0.1)
    broken = []
    for step in range(2):
        tokens, labels = task.batch(32)
        stepper.zero_grad()
        cross_entropy(readout(layer(embedding(tokens))[0][:, -1]), labels).backward()
        if step == 0:
            layer.weight_hh_l0.grad[0, 0] = torch.inf
        torch.nn.utils.clip_grad_norm_(parts.parameters(), 1.0)
        stepper.step()
        broken.append(sum(int(p.isnan().sum()) for p in parts.parameters()))
    assert broken == [1, sum(p.numel() for p in parts.parameters())]


@pytest.mark.parametrize("seed", range(12))
def test_silent_step_finite_gradients_whose_norm_is_inf(seed):
    model = network("tanh", 5.0, seed)
    tokens, labels = AgreementTask(150, seed=seed).batch(8)
    assert 154 <= tokens.shape[1] <= 160
    cross_entropy(model(tokens), labels).backward()
    gradients_of = [p.grad for p in model.parameters()]
    assert all(g.isfinite().all() for g in gradients_of)
    assert clipping.global_norm(model) > 1e19
    assert torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0) == torch.inf
    assert not any(g.any() for g in gradients_of)


# What clipping cannot do


@pytest.mark.parametrize("c", [1.0, 0.1, 0.01])
def test_cannot_gap_80_stays_at_chance_with_more_steps(c):
    model, history = trained(80, 10.0, c, 2, steps=300)
    assert history.stopped == "budget"
    assert abs(training.accuracy(model, AgreementTask(80, seed=7), 1024) - 0.5) < 0.1


@functools.cache
def far_accuracies(rate: float) -> list[float]:
    """Share right at gap 80 after 150 steps at each threshold, two seeds not shown in 04."""
    runs = [trained(80, rate, c, seed, 150)[0] for c in (None, 1.0, 0.1, 0.01) for seed in (2, 3)]
    return [training.accuracy(model, AgreementTask(80, seed=7), 1024) for model in runs]


@pytest.mark.parametrize("rate", RATES)
def test_cannot_gap_80_stays_at_chance_at_every_threshold_and_the_ratio_stays(rate):
    assert far_accuracies(rate) == pytest.approx([0.5] * 8, abs=0.1)
    ratios = [far_to_near(0, factor) for factor in (1.0, 0.01, rate)]
    np.testing.assert_allclose(ratios, ratios[0], rtol=1e-12)


def test_cannot_one_call_mends_what_explodes_and_no_threshold_what_vanishes():
    tasks = [AgreementTask(44, seed=seed) for seed in (0, 1)]
    budget = {"steps": 20, "learning_rate": 0.1, "optimizer": "sgd", "check_every": 20}
    for c, stopped in ((None, "non-finite"), (1.0, "budget")):
        for seed in range(4):
            history = training.train(network("linear", 1.5, seed), *tasks, **budget, clip_norm=c)
            assert history.stopped == stopped
    for rate in RATES:
        assert far_accuracies(rate) == pytest.approx([0.5] * 8, abs=0.1)


def far_to_near(seed: int, factor: float) -> float:
    """Norm of the subject's term of d(factor * L)/dW over the last one's, gap 40."""
    model = models.rnn_classifier(len(vocabulary()), seed=seed).double()
    tokens, labels = AgreementTask(40, seed=seed).batch(32)
    h = model.states(tokens).detach()
    h_before = torch.nn.functional.pad(h, (0, 0, 1, 0))[:, :-1]
    probe = torch.zeros_like(h, requires_grad=True)
    loss = factor * cross_entropy(model(tokens, probe), labels)
    delta = (1 - h**2) * torch.autograd.grad(loss, probe)[0]
    by_step = (each.transpose(0, 1).numpy() for each in (delta, h_before))
    norms = np.linalg.norm(gradients.terms_by_step(*by_step), axis=(1, 2))
    return norms[-41] / norms[-1]


@pytest.mark.parametrize("seed", SEEDS)
def test_ratio_terms_no_factor_changes_the_ratio_of_far_to_near(seed):
    ratios = [far_to_near(seed, factor) for factor in (1.0, 0.01, 1e6)]
    np.testing.assert_allclose(ratios, ratios[0], rtol=1e-12)
    assert -16 < np.log10(ratios[0]) < -8
    if seed == 0:
        assert np.log10(ratios[0]) == pytest.approx(-13.916, abs=0.01)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("gap", "factor"), [(5, 1.0), (80, 1.0), (80, 1e6)])
def test_lost_flip_at_gap_80_the_gradient_does_not_know_the_subject(gap, factor, seed):
    model = models.rnn_classifier(len(vocabulary()), seed=seed)
    task = AgreementTask(gap, seed=seed)
    (tokens, labels), other = task.batch(32), task.batch(32)
    rows = [flipped(vocabulary().decode(row), -gap - 1) for row in tokens]
    swapped = torch.tensor(np.array([vocabulary().encode(row) for row in rows]))

    def gradient(tokens, labels):
        loss = factor * cross_entropy(model(tokens), labels)
        return torch.autograd.grad(loss, model.layer.weight_hh_l0)[0]

    dL_dW = gradient(tokens, labels)
    subject, batch = (
        float((gradient(*changed) - dL_dW).norm() / dL_dW.norm())
        for changed in ((swapped, labels), other)
    )
    assert subject > 0.08 if gap == 5 else subject < 1e-6
    assert batch > 0.5
