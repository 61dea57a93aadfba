"""What notebook 02 says in words and rounded numbers, measured and held to a tolerance.

Each test names the notebook and cell whose text it holds. Stored outputs are compared by
nbval; here the numbers behind them are asserted, for more seeds than the notebook shows.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest
import torch
from runs import MIXED, subject_flipped, trained

from helpers import measure as gradients
from helpers import training
from helpers.measure import jacobians, mean_field
from helpers.networks import classifiers as models
from helpers.networks import rnn
from helpers.task.agreement import AgreementTask, vocabulary
from helpers.validation import Array

SEEDS = range(4)


def random_run(seed: int, steps: int = 400) -> tuple[Array, Array]:
    """W and the states (steps, hidden) of a default RNN, 32 units, on inputs N(0, 1)."""
    layer = models.seeded(seed, lambda: rnn.RNN(32, 32)).double()
    x = torch.tensor(np.random.default_rng(seed).normal(size=(1, steps, 32)))
    return layer.weight_hh_l0.detach().numpy(), layer(x)[0][0].detach().numpy()


@pytest.mark.parametrize("seed", range(10))
def test_02_deep_one_hundred_steps_fade_faster_than_one_hundred_layers(seed):
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(1, 100, 32, dtype=torch.float64, generator=generator)
    probe = torch.zeros(1, 100, 32, dtype=torch.float64, requires_grad=True)
    network = models.seeded(seed, lambda: models.DeepTanh(layers=100, width=32)).double()
    layer = models.seeded(seed, lambda: rnn.RNN(32, 32)).double()
    outputs = (
        network(x[:, 0], probe)[0, 0],
        layer(x, probe=probe)[0][0, -1, 0],
        layer(0 * x, probe=probe)[0][0, -1, 0],
    )
    norms = [torch.autograd.grad(output, probe)[0][0].norm(dim=1) for output in outputs]
    layers, steps, steps_without_input = (float((n[0] / n[-1]) ** (1 / 99)) for n in norms)
    assert 0.54 < layers < 0.6
    assert 0.4 < steps < 0.53
    assert 0.52 < steps_without_input < 0.7
    assert steps_without_input > steps + 0.08
    five, hundred = (float(norms[1][-1] / norms[1][step]) for step in (-6, 0))
    assert five < 1000
    assert hundred > 1e25
    if seed == 0:
        assert 20 < five < 90
        assert hundred > 1e32
    slope, slope_without_input = (float((1 - layer(i)[0].detach() ** 2).mean()) for i in (x, 0 * x))
    assert 0.7 < slope < 0.78
    assert 0.93 < slope_without_input < 0.99


class FourWords(NamedTuple):
    """One pass over four one-hot words and back: a row for each step."""

    x: Array
    states: Array
    deltas: Array


class Weights(NamedTuple):
    """Of a tanh RNN, 4 inputs and 32 units, and its readout V (2, 32) without bias."""

    W: Array
    U: Array
    b: Array
    V: Array

    def states(self, x: Array) -> Array:
        return rnn.forward(x, self.U, self.W, self.b, 0 * self.b)

    def loss(self) -> float:
        """Cross-entropy of "were" after the four words."""
        logits = self.V @ self.states(np.eye(4)[:, None])[-1, 0]
        return float(np.log(np.exp(logits).sum()) - logits[1])


def four_word_weights(seed: int, std: float | None = None) -> Weights:
    """PyTorch's default weights, or W and U normal with this standard deviation."""
    rng = np.random.default_rng(seed)
    layer = models.seeded(seed, lambda: rnn.RNN(4, 32)).double()
    W, U = layer.weight_hh_l0.detach().numpy(), layer.weight_ih_l0.detach().numpy()
    if std is not None:
        W, U = rng.normal(0, std, W.shape), rng.normal(0, std, U.shape)
    V = rng.uniform(-1, 1, (2, 32)) / np.sqrt(32)
    return Weights(W, U, (layer.bias_ih_l0 + layer.bias_hh_l0).detach().numpy(), V)


def four_words(weights: Weights, *, drop_first: bool = False) -> FourWords:
    """With drop_first x_1 = 0, and dL/dh_4 is kept as it was."""
    x = np.eye(4)[:, None]
    states, V = weights.states(x), weights.V
    p = np.exp(V @ states[-1, 0]) / np.exp(V @ states[-1, 0]).sum()
    last = np.zeros((4, 1, 32))
    last[-1, 0] = V.T @ (p - [0, 1])
    if drop_first:
        x[0] = 0
        states = weights.states(x)
    back = rnn.backward(last, x, states, weights.U, weights.W)
    return FourWords(x, states, back.states * (1 - states[1:] ** 2))


@pytest.mark.parametrize("seed", SEEDS)
def test_02_four_agree_terms_by_hand_autograd_and_differences(seed):
    weights = four_word_weights(seed)
    run = four_words(weights)
    by_hand = {
        "W": gradients.terms_by_step(run.deltas, run.states[:-1]).sum(axis=0),
        "U": gradients.terms_by_step(run.deltas, run.x).sum(axis=0),
    }
    reference = models.seeded(seed, lambda: torch.nn.RNN(4, 32)).double()
    output, _ = reference(torch.eye(4, dtype=torch.float64))
    logits = output[-1] @ torch.tensor(weights.V).T
    torch.nn.functional.cross_entropy(logits, torch.tensor(1)).backward()
    for name, parameter in (("W", reference.weight_hh_l0), ("U", reference.weight_ih_l0)):
        value = getattr(weights, name)
        np.testing.assert_array_equal(parameter.detach(), value)
        np.testing.assert_allclose(by_hand[name], parameter.grad, rtol=0, atol=1e-12)
        differences = np.zeros_like(value)
        for index in np.ndindex(value.shape):
            nudge = np.zeros_like(value)
            nudge[index] = 1e-6
            up, down = (weights._replace(**{name: value + s * nudge}).loss() for s in (1, -1))
            differences[index] = (up - down) / 2e-6
        np.testing.assert_allclose(by_hand[name], differences, rtol=0, atol=1e-8)


@pytest.mark.parametrize("seed", SEEDS)
def test_02_sums_losses_the_gradient_of_the_sum_is_the_sum_of_the_gradients(seed):
    model = models.rnn_classifier(len(vocabulary()), seed=seed).double()
    tokens, labels = AgreementTask(5, seed=seed).batch(8)
    states, W = model.states(tokens).unbind(1), model.layer.weight_hh_l0
    losses = [torch.nn.functional.cross_entropy(model.readout(h), labels) for h in states]
    each = [torch.autograd.grad(loss, W, retain_graph=True)[0] for loss in losses]
    (together,) = torch.autograd.grad(sum(losses), W)
    torch.testing.assert_close(sum(each), together, rtol=0, atol=1e-12)


@pytest.mark.parametrize(("std", "low", "high"), [(0.01, 0.005, 0.04), (0.1, 3, 13), (None, 5, 12)])
def test_02_shares_of_the_first_of_four_words(std, low, high):
    """Percent of the sum of the terms' norms; 32 units, one-hot words, 10 draws."""
    for seed in range(10):
        run = four_words(four_word_weights(seed, std))
        share = gradients.shares(gradients.terms_by_step(run.deltas, run.x))
        assert low < 100 * share[0] < high
        a_step = (share[3] / share[0]) ** (1 / 3)
        assert 12 < a_step < 27 if std == 0.01 else 1.5 < a_step < 2.5


def test_02_only_way_word_1_is_in_every_later_term_of_W():
    moved = []
    for seed in range(30):
        weights = four_word_weights(seed)
        runs = four_words(weights), four_words(weights, drop_first=True)
        terms, others = (gradients.terms_by_step(run.deltas, run.states[:-1]) for run in runs)
        assert not terms[0].any()
        moved.append(
            np.linalg.norm((others - terms)[1:], axis=(1, 2))
            / np.linalg.norm(terms[1:], axis=(1, 2))
        )
    assert (np.diff(moved) < 0).all()
    second, third, fourth = np.transpose(moved)
    assert second.min() > 0.3
    assert third.min() > 0.1
    assert fourth.min() > 0.05


@pytest.mark.parametrize("seed", SEEDS)
def test_02_rate_the_default_vanishes_with_a_singular_value_above_1(seed):
    W, h = random_run(seed)
    assert 1.0 < jacobians.spectral_norms(W[None])[0] < 1.2
    assert 0.5 < jacobians.spectral_radius(W) < 0.75
    factor = jacobians.growth_rate(jacobians.step_jacobians(W, h))
    assert 0.38 < factor < 0.52
    assert factor < jacobians.spectral_radius(W)
    in_theory = mean_field.mean_field_factor(3**-0.5, np.sqrt(1 / 3 + 1 / 48))
    assert in_theory == pytest.approx(0.4535, abs=0.001)
    assert factor == pytest.approx(in_theory, rel=0.15)


def test_02_rate_theory_meets_measurement():
    rng, factors = np.random.default_rng(1), []
    for s in (0.1, 1.0):
        for g in (0.5, 1.0, 1.5, 2.0, 3.0):
            w, current = rng.normal(0, g / 16, (256, 256)), rng.normal(0, s, (100, 1, 256))
            h = rnn.forward(current, np.eye(256), w, np.zeros(256), np.zeros(256))[1:, 0]
            J = jacobians.step_jacobians(w, h)
            logs = jacobians.log_backward_norms(J, rng.normal(size=256))
            factors.append(np.exp((logs[10] - logs[-10]) / 80))
            assert factors[-1] == pytest.approx(mean_field.mean_field_factor(g, s), rel=0.05)
    assert min(factors) < 0.6
    assert max(factors) > 1.1


def test_02_nonnormal_powers_peak_near_39_and_end_below_1_at_63():
    norms = jacobians.power_norms(jacobians.NON_NORMAL, 100)
    assert norms.max() == pytest.approx(38.746, abs=0.001)
    assert norms.argmax() + 1 == 9
    assert np.flatnonzero(norms < 1)[0] + 1 == 63


def lag_terms(seed: int, gap: int) -> tuple[Array, float]:
    """Norms of a fresh network's terms of dL/dW by lag, and the norm of their sum."""
    model = models.rnn_classifier(len(vocabulary()), seed=seed).double()
    tokens, labels = AgreementTask(gap, seed=seed).batch(32)
    probe = torch.zeros(*tokens.shape, 32, dtype=torch.float64, requires_grad=True)
    loss = torch.nn.functional.cross_entropy(model(tokens, probe), labels)
    (dL_dh,) = torch.autograd.grad(loss, probe)
    h = model.states(tokens).detach()
    before = torch.nn.functional.pad(h, (0, 0, 1, 0))[:, :-1]
    delta, before = (a.transpose(0, 1).numpy() for a in ((1 - h**2) * dL_dh, before))
    total = np.linalg.norm(gradients.terms_by_step(delta, before).sum(axis=0))
    return gradients.terms_by_lag(delta, before), float(total)


@pytest.mark.parametrize("seed", range(10))
def test_02_lags_at_gap_40_the_subjects_term_is_below_1e_minus_10_of_the_nearest(seed):
    terms, _ = lag_terms(seed, 40)
    assert 0 < terms[40] < 1e-10 * terms[0]


def test_02_lags_far_terms_vanish_and_the_sum_stays():
    for gap in (5, 50, 500):
        terms, total = lag_terms(0, gap)
        assert 0.9 < total / terms[0] < 1.5
        assert terms[gap] < terms[0] * 0.6**gap
    assert 0 < terms[gap] < terms[0] * 1e-150


def test_02_long_the_gradient_of_10000_steps_by_its_logarithm():
    for seed in SEEDS:
        W, h = random_run(seed, steps=10_000)
        J = jacobians.step_jacobians(W, h)
        logs = jacobians.log_backward_norms(J, np.eye(32)[0]) / np.log(10)
        assert -4200 < logs[0] < -2900
        assert -420 < logs[-1000] < -290


def test_02_lags_near_terms_change_the_early_computation():
    for seed in SEEDS:
        model = models.rnn_classifier(len(vocabulary()), seed=seed).double()
        tokens, labels = AgreementTask(500, seed=seed).batch(32)
        early = model.states(tokens)[:, 1].detach()
        torch.nn.functional.cross_entropy(model(tokens), labels).backward()
        torch.optim.SGD([model.layer.weight_hh_l0], lr=0.1).step()
        moved = (model.states(tokens)[:, 1] - early).norm() / early.norm()
        assert moved > 5e-4


def test_02_truncated_ten_steps_hold_nearly_all_of_a_fresh_gradient():
    for seed in SEEDS:
        model = models.rnn_classifier(len(vocabulary()), seed=seed).double()
        tokens, labels = AgreementTask(40, seed=seed).batch(32)
        x, W = model.embedding(tokens).detach().requires_grad_(), model.layer.weight_hh_l0
        with torch.no_grad():
            _, h_before = model.layer(x[:, :-10])
        output, _ = model.layer(x[:, -10:], h_before)
        loss = torch.nn.functional.cross_entropy
        cut, of_words = torch.autograd.grad(loss(model.readout(output[:, -1]), labels), (W, x))
        (full,) = torch.autograd.grad(loss(model(tokens), labels), W)
        assert (cut - full).norm() < 0.005 * full.norm()
        assert not of_words[:, -41].any()
        assert of_words[:, -10:].any()


def test_02_twist_gap_80_alone_stays_at_chance_with_the_same_budget():
    model, _ = trained(80, 0, **{**MIXED, "check_every": 1000})
    assert abs(training.accuracy(model, AgreementTask(80, seed=7), 1024) - 0.5) < 0.1


@pytest.mark.parametrize("seed", SEEDS)
def test_02_twist_mixed_gaps_teach_a_latch_with_no_gradient(seed):
    model, _ = trained((3, 15), seed, **MIXED)
    model = model.double()
    for gap in (160, 1000):
        tokens, labels = AgreementTask(gap, seed=2).batch(64)
        verbs = model(tokens).argmax(1)
        other_verbs = model(subject_flipped(tokens, gap)).argmax(1)
        assert (verbs == labels).float().mean() > 0.93
        assert (verbs != other_verbs).float().mean() > 0.93
        signal = gradients.signal(model, tokens[:8])[:, -gap - 1]
        assert (signal < 1e-40).all()
    assert (signal == 0).all()


@pytest.mark.parametrize("seed", SEEDS)
def test_02_twist_norms_training_makes_gradients_large(seed):
    model, history = trained((3, 15), seed, **MIXED)
    norms = history.gradient_norm
    start = np.median(norms[:100])
    assert norms.max() > 10 * start
    assert 0.002 < np.mean(norms > 10 * start) < 0.04
    assert np.median(norms[-500:]) < start / 50
    fresh = models.rnn_classifier(len(vocabulary()), seed=seed)
    before, after = (m.layer.weight_hh_l0.detach().numpy() for m in (fresh, model))
    assert 1.0 < jacobians.spectral_norms(before[None])[0] < 1.2
    assert 0.5 < jacobians.spectral_radius(before) < 0.75
    gain = before.std() * 32**0.5
    assert gain == pytest.approx(0.58, abs=0.03)
    assert all(gain < 0.7 * mean_field.critical_gain(std) for std in np.linspace(0, 3, 7))
    assert 2.5 < jacobians.spectral_norms(after[None])[0] < 4
    assert 2 < jacobians.spectral_radius(after) < 3.5


@pytest.mark.parametrize("seed", SEEDS)
def test_02_twist_picture_the_trained_network_has_flat_units_and_less_signal(seed):
    fresh = models.rnn_classifier(len(vocabulary()), seed=seed)
    tokens, _ = AgreementTask(24, seed=3).batch(32)
    signals, slopes = [], []
    for model in (fresh, trained((3, 15), seed, **MIXED)[0]):
        model = model.double()
        signals.append(np.median(gradients.signal(model, tokens)[:, -25]))
        slopes.append(float((1 - model.states(tokens).detach() ** 2).mean()))
    assert signals[1] < signals[0] / 100
    assert slopes[0] > 0.65
    assert slopes[1] < 0.35
