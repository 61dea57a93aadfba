"""Planted inf and NaN are found, and networks break where they are said to."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from helpers.measure import find_nonfinite, first_inf
from helpers.measure.nonfinite import NonFinite, nonfinite_tensors
from helpers.networks import gain_classifier, lstm_classifier


def test_tensors_are_named_in_order_and_an_answer_reads_as_a_sentence():
    named = {"a": torch.ones(2), "b": torch.tensor([[1.0, 2.0], [math.inf, math.nan]])}
    named |= {"empty": torch.ones(0), "c": torch.tensor(-math.inf)}
    found = nonfinite_tensors(named.items())
    assert found == [NonFinite("b", (1, 0), math.inf), NonFinite("c", (), -math.inf)]
    assert str(found[1]) == "c: -inf, entry ()"
    assert str(NonFinite("h", (1,), math.nan, 2)) == "h: nan at step 2, entry (1,)"


# The anatomy of a NaN


def linear_states(matrix):
    """h_0 ... h_600 of h_t = matrix h_{t-1}, every entry of h_0 being 1, in float32."""
    states = [np.ones(len(matrix), np.float32)]
    with np.errstate(all="ignore"):
        for _ in range(600):
            states.append(np.array(matrix, np.float32) @ states[-1])
    return np.array(states)


def first_nan(states):
    steps = np.flatnonzero(np.isnan(states).any(axis=1))
    return int(steps[0]) if len(steps) else None


@pytest.mark.parametrize(
    ("matrix", "inf_step", "nan_step"),
    [
        ([[1.5]], 219, None),  # a scalar map
        ([[1.5, 0.0], [0.0, 1.5]], 219, 220),  # 0 * inf
        ([[1.0, -1.0], [1.0, 1.0]], 255, 257),  # inf - inf
        ([[0.75, 0.75], [0.75, 0.75]], 219, None),  # all of one sign
    ],
)
def test_nan_comes_after_inf_and_needs_two_entries(matrix, inf_step, nan_step):
    states = linear_states(matrix)
    assert (first_inf(states), first_nan(states)) == (inf_step, nan_step)


# A whole model

TOKENS = torch.randint(0, 20, (8, 1000), generator=torch.Generator().manual_seed(0))
LABELS = torch.arange(8) % 2


def test_a_sound_model_gives_no_answer_and_no_gradient():
    for model in (gain_classifier(20, 1.0), lstm_classifier(20)):
        assert find_nonfinite(model, TOKENS[:, :50], LABELS) == []
        assert all(parameter.grad is None for parameter in model.parameters())


def test_a_linear_model_breaks_in_the_forward_pass_first():
    model = gain_classifier(20, 1.5, nonlinearity="linear")
    found = find_nonfinite(model, TOKENS, LABELS)
    assert [each.name for each in found[:3]] == ["states", "logits", "loss"]
    states = model.states(TOKENS).detach()
    assert found[0].step == next(t for t in range(1000) if not states[:, t].isfinite().all())
    value = states[:, found[0].step][found[0].index].item()
    assert value == pytest.approx(found[0].value, nan_ok=True)
    assert found[-1].name == "gradient of readout.bias"


@pytest.mark.parametrize("seed", range(2))
def test_a_tanh_model_breaks_in_the_backward_pass_first(seed):
    model = gain_classifier(20, 4.0, seed=seed)
    found = find_nonfinite(model, TOKENS, LABELS)
    assert found[0].name == "dL/dh"
    probe = torch.zeros(8, 1000, 32, requires_grad=True)
    nn.functional.cross_entropy(model(TOKENS, probe), LABELS).backward()
    broken = [t for t in range(1000) if not probe.grad[:, t].isfinite().all()]
    assert 100 < found[0].step == max(broken) < 950
    names = {each.name for each in found[1:]}
    assert "gradient of layer.weight_hh_l0" in names
    assert "gradient of readout.weight" not in names


def test_broken_parameters_are_named_before_anything_is_computed():
    model = gain_classifier(20, 1.0)
    with torch.no_grad():
        model.layer.weight_hh_l0[3, 4] = math.nan
    (found,) = find_nonfinite(model, TOKENS, LABELS)
    assert (found.name, found.index) == ("layer.weight_hh_l0", (3, 4))


@pytest.mark.parametrize(
    ("marks", "step"),
    [
        ({}, None),
        ({(2, 1): np.inf, (4, 0): np.inf}, 2),
        ({(0, 3): -np.inf}, 0),
        ({(1, 1): np.nan}, None),
    ],
)
def test_first_inf(marks, step):
    states = np.zeros((6, 4))
    for place, value in marks.items():
        states[place] = value
    assert first_inf(states) == step
