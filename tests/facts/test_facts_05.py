"""What notebook 03 says in words and rounded numbers, measured and held to a tolerance.

Each test names the cell whose text it holds; where a notebook shows one seed, more are run.
"""

from __future__ import annotations

import functools

import numpy as np
import pytest
import torch

from helpers import measure as gradients
from helpers import training
from helpers.measure import mean_field, nonfinite, overflow, phase_map
from helpers.networks import classifiers as models
from helpers.task.agreement import AgreementTask, vocabulary

F16, BF16, F32, F64 = overflow.DTYPES
RECIPES = {"linear": 1.5, "relu": 2.0, "tanh": 4.0}


def network(kind: str, gain: float, seed: int = 0) -> models.Classifier:
    """As in the notebook: 32 units, W drawn anew from N(0, gain^2 / 32)."""
    model = models.rnn_classifier(len(vocabulary()), nonlinearity=kind, seed=seed)
    generator = torch.Generator().manual_seed(seed)
    model.layer.weight_hh_l0.data.normal_(0, gain / 32**0.5, generator=generator)
    return model


def trained(model: models.Classifier, gap: int, seed: int, **options: object) -> training.History:
    """Plain SGD at .1, without clipping unless an option says otherwise."""
    tasks = (AgreementTask(gap, seed=s) for s in (seed, 1000 + seed))
    settings = {"learning_rate": 0.1, "optimizer": "sgd", "clip_norm": None, **options}
    return training.train(model, *tasks, **settings)


def length(model: models.Classifier) -> float:
    return float(torch.cat([p.detach().flatten() for p in model.parameters()]).double().norm())


def saturated(model: models.Classifier, tokens: torch.Tensor) -> float:
    return (model.states(tokens).abs() > 0.99).double().mean().item()


# The map


def test_map_measure_650_networks_are_within_10_percent_of_the_theory():
    gains, stds = np.linspace(0.2, 3.4, 25), np.linspace(0, 2.5, 26)
    measured = phase_map.measured_map(gains, stds)
    theory = phase_map.theory_map(gains, stds)
    assert measured.size == 650
    np.testing.assert_allclose(measured, theory, rtol=0.08)
    clear = np.abs(theory - 1) > 0.05
    assert clear.sum() > 500
    assert ((measured > 1) == (theory > 1))[clear].all()


@pytest.mark.parametrize(
    ("input_std", "gain"), [(0, 1), (0.1, 1.193), (0.5, 1.550), (1, 1.856), (2, 2.325)]
)
def test_map_picture_critical_gains(input_std, gain):
    assert mean_field.critical_gain(input_std) == pytest.approx(gain, abs=5e-4)


def test_length_seen_what_float32_holds():
    gains, stds = np.arange(1, 17) / 4, np.arange(11) / 4
    logs = np.log10(phase_map.theory_map(gains, stds))
    hundred, thousand = 100 * logs, 1000 * logs
    assert hundred.max() < 25
    assert (gains[(hundred < -38).any(axis=0)] < 1).all()
    assert (np.abs(thousand) < 38).mean() < 0.2
    assert ((np.abs(thousand) < 38).sum(axis=1) <= 4).all()


# Overflow


def test_overflow_measure_seven_of_eight_are_equal():
    late = []
    for dtype in overflow.DTYPES:
        for growth in (1.5, 2.0):
            largest = torch.finfo(dtype).max
            predicted = int(np.ceil(np.log2(largest) / np.log2(growth)))
            assert predicted == overflow.overflow_step(growth, dtype).step
            if overflow.measured_overflow_step(growth, dtype) != predicted:
                late.append((dtype, growth))
    assert late == [(BF16, 1.5)]
    assert overflow.overflow_step(1.5, BF16) == (219, 217, 221)
    assert overflow.measured_overflow_step(1.5, BF16) == 220


def test_overflow_late_23_roundings_repeat():
    assert overflow.overflow_step(1.0625, BF16) == (1464, 1376, 1565)
    assert overflow.measured_overflow_step(1.0625, BF16) == 1472
    value, growth = torch.tensor(1.0, dtype=BF16), torch.tensor(1.0625, dtype=BF16)
    roundings = []
    for _ in range(23 * 20):
        exact = value.double() * 1.0625
        value = value * growth
        roundings.append(float(value.double() / exact))
    rounds = np.array(roundings).reshape(20, 23)[1:]
    assert (rounds == rounds[0]).all()
    assert [(rounds[0] < 1).sum(), (rounds[0] > 1).sum(), (rounds[0] == 1).sum()] == [11, 8, 4]
    assert 1.0625 * rounds[0].prod() ** (1 / 23) == pytest.approx(1.06213, abs=1e-5)


@pytest.mark.parametrize(
    ("dtype", "entry", "norm"), [(F16, 23, 21), (BF16, 135, 69), (F32, 135, 69), (F64, 1031, 517)]
)
def test_vector_measure_entry_and_norm(dtype, entry, norm):
    assert overflow.overflow_step(2, dtype, 0.01).step == entry
    assert overflow.norm_overflow_step(2, dtype, 32, 0.01).step == norm
    below, at = (torch.full((32,), 0.01, dtype=dtype) * 2.0**k for k in (norm - 1, norm))
    assert below.norm().isfinite()
    assert at.norm().isinf()
    if dtype == F32:
        assert at.max() < 1e19
    last = torch.tensor(0.01, dtype=dtype)
    for _ in range(entry - 1):
        last = 2 * last
    assert last.isfinite()
    assert (2 * last).isinf()


def test_underflow_measure():
    ends = [overflow.measured_underflow(0.5, dtype) for dtype in overflow.DTYPES]
    assert [end.last for end in ends] == [25, 134, 150, 1075]
    assert {end.value for end in ends} == {0.0}
    smallest = overflow.number_range(F32).smallest
    multiples = [overflow.measured_underflow(f, F32).value / smallest for f in (0.7, 0.9)]
    assert multiples == [1, 4]


# NaN


def test_nan_two_inf_at_255_and_nan_at_257():
    A, h = torch.tensor([[1.0, -1.0], [1.0, 1.0]]), torch.ones(2)
    states = [h]
    for _ in range(260):
        states.append(A @ states[-1])
    found = nonfinite.first_nonfinite("h", torch.stack(states))
    assert (found.inf_step, found.nan_step) == (255, 257)
    assert states[256].isinf().all()


@pytest.mark.parametrize("seed", range(4))
def test_nan_hundred_nan_follows_inf_but_never_with_one_unit(seed):
    generator, later = torch.Generator().manual_seed(seed), []
    for _ in range(100):
        A = 1.5 / 32**0.5 * torch.randn(32, 32, generator=generator)
        states = [torch.randn(32, generator=generator)]
        for _ in range(400):
            states.append(A @ states[-1])
        found = nonfinite.first_nonfinite("h", torch.stack(states))
        later.append(found.nan_step - found.inf_step)
    assert sum(1 <= steps <= 2 for steps in later) > 90
    states = 1.5 ** torch.arange(401, dtype=F32)
    states = torch.stack([states, *(states * 1.5**k for k in range(3))])
    one_unit = nonfinite.first_nonfinite("h", states.T)
    assert one_unit.inf_step is not None
    assert one_unit.nan_step is None


@pytest.mark.parametrize("seed", range(6))
def test_nan_model_find_the_states_break_first(seed):
    tokens, labels = AgreementTask(1000, seed=seed).batch(8)
    found = nonfinite.find_nonfinite(network("linear", 1.5, seed), tokens, labels)
    assert found[0].nan_step > found[0].inf_step
    names = [each.name for each in found]
    assert names[:5] == ["states", "logits", "loss", "dL/dh", "gradient of embedding.weight"]
    assert len(names) == 11


# Training


@functools.cache
def outcomes(kind: str, clip_norm: float | None) -> list[training.History]:
    tasks = [AgreementTask(44, seed=seed) for seed in (0, 1)]
    budget = {"steps": 20, "learning_rate": 0.1, "optimizer": "sgd", "check_every": 20}
    models_ = [network(kind, RECIPES[kind], seed) for seed in range(12)]
    return [training.train(model, *tasks, **budget, clip_norm=clip_norm) for model in models_]


def test_three_train_linear_and_relu_end_at_step_2_and_tanh_never():
    for kind in ("linear", "relu"):
        for run in outcomes(kind, None):
            assert (run.stopped, len(run.loss)) == ("non-finite", 2)
            assert np.isfinite(run.loss[0])
            assert np.isnan(run.loss[1])
    assert min(run.loss[0] for run in outcomes("linear", None)) > 1e7
    for run in outcomes("tanh", None):
        assert (run.stopped, len(run.loss)) == ("budget", 20)
        assert np.isfinite(run.loss).all()
        assert run.gradient_norm[0] > 1e5


@pytest.mark.parametrize("kind", RECIPES)
def test_three_clipped_all_stay_finite(kind):
    assert {run.stopped for run in outcomes(kind, 1.0)} == {"budget"}


@pytest.mark.parametrize("seed", range(12))
def test_three_anatomy_parameters_jump_and_then_the_states_break(seed):
    model = network("linear", 1.5, seed)
    before = length(model)
    run = trained(model, 44, seed, steps=60)
    assert run.message == (
        "Stopped: the gradient's norm turned non-finite at step 2, which was not kept."
    )
    assert 1e8 < run.gradient_norm[0] < np.inf
    assert np.isnan(run.loss[1])
    assert 1e4 * before < length(model) < np.inf
    tokens, labels = AgreementTask(44, seed=seed).batch(32)
    assert nonfinite.find_nonfinite(model, tokens, labels)[0].name == "states"
    assert np.isnan(outcomes("relu", None)[seed].loss[1])
    assert np.isfinite(outcomes("tanh", None)[seed].loss).all()


@pytest.mark.parametrize("seed", range(6))
def test_silent_one_step_takes_the_signal_to_0_and_nothing_tells(seed):
    model = network("tanh", 4.0, seed).double()
    sentence = AgreementTask(24, seed=3).sentence()
    words = torch.tensor(vocabulary().encode(sentence.words))[None]
    tokens, _ = AgreementTask(44, seed=7).batch(32)
    before = gradients.signal(model, words)[0]
    assert before[sentence.subject] > (500 if seed == 0 else 10)
    assert saturated(model, tokens) < 0.63
    trained(model, 44, seed, steps=1)
    after = gradients.signal(model, words)[0]
    assert (after[:-4] == 0).all()
    assert saturated(model, tokens) > 0.95
    run = trained(model, 44, seed, steps=200, check_every=200)
    assert run.stopped == "budget"
    assert abs(run.loss.mean() - np.log(2)) < 0.12
    assert np.isfinite(run.loss).all()
    assert abs(training.accuracy(model, AgreementTask(44, seed=8), 1024) - 0.5) < 0.08
    assert saturated(model, tokens) > 0.95


# The bounded state


@pytest.mark.parametrize("seed", range(12))
def test_bounded_tanh_overflows_backward_at_1000_steps(seed):
    back = overflow.overflow_step(mean_field.mean_field_factor(4.0, 0.6), F32, 0.01).step
    assert back == 220
    model = network("tanh", 4.0, seed)
    weights, words = model.layer.weight_ih_l0, model.embedding.weight
    currents = words @ weights.T + model.layer.bias_ih_l0 + model.layer.bias_hh_l0
    assert currents.std().item() == pytest.approx(0.6, abs=0.05)
    tokens, labels = AgreementTask(1000, seed=seed).batch(8)
    assert model.states(tokens).abs().max() <= 1
    loss = torch.nn.functional.cross_entropy(model(tokens), labels)
    assert loss.isfinite()
    (first, *_) = nonfinite.find_nonfinite(model, tokens, labels)
    assert first.name == "dL/dh"
    assert 0.9 * back < tokens.shape[1] - 1 - first.step < 2.6 * back
    for clip_norm in (None, 1.0):
        run = trained(network("tanh", 4.0, seed), 1000, seed, steps=5, clip_norm=clip_norm,
                      batch_size=8)  # fmt: skip
        assert (run.stopped, len(run.loss)) == ("non-finite", 1)


# Diagnostics


@pytest.mark.parametrize("seed", range(6))
def test_log_the_loss_does_not_tell_the_silent_explosion(seed):
    tokens, _ = AgreementTask(44, seed=99).batch(32)
    runs, sizes, shares = {}, {}, {}
    for gain in (3**-0.5, 4.0):
        model = network("tanh", gain, seed)
        runs[gain] = trained(model, 44, seed, steps=20)
        sizes[gain], shares[gain] = length(model), saturated(model, tokens)
    healthy, silent = runs.values()
    assert np.abs(silent.loss - healthy.loss).max() < 0.5
    assert silent.gradient_norm[0] > 1e5 * healthy.gradient_norm[0]
    assert silent.gradient_norm[1:].max() < 20
    assert sizes[4.0] > 1e3 * sizes[3**-0.5]
    assert shares[4.0] > 0.97 > 0.05 > shares[3**-0.5]


@functools.cache
def memory(gap: int | tuple[int, int], seed: int, steps: int) -> training.History:
    """Notebook 02's recipe, clipped at 1, whether the task is learned or not."""
    model = models.rnn_classifier(len(vocabulary()), seed=seed)
    adam = {"optimizer": "adam", "clip_norm": 1.0, "learning_rate": 2e-3, "target": 1.01}
    return trained(model, gap, seed, steps=steps, check_every=100, **adam)


@pytest.mark.parametrize("seed", range(2))
def test_memory_norms_burst_while_a_network_learns_to_remember(seed):
    run = memory((3, 15), seed, 1000)
    first = np.median(run.gradient_norm[:50])
    assert run.gradient_norm[:150].max() < 4 * first
    assert run.accuracy > 0.95
    learned = next(step for step, right in run.checks if right > 0.9)
    assert run.gradient_norm[:learned].max() > 10 * first


@pytest.mark.parametrize("seed", range(2))
def test_memory_norms_burst_on_mixed_gaps_and_stay_on_gap_80_alone(seed):
    runs = {gap: memory(gap, seed, steps) for gap, steps in (((3, 15), 1000), (80, 600))}
    rise = {
        gap: run.gradient_norm.max() / np.median(run.gradient_norm[:50])
        for gap, run in runs.items()
    }
    assert rise[3, 15] > 15
    assert rise[80] < 4
    assert runs[80].accuracy < 0.65
