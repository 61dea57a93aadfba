"""Planted inf and NaN are found, and networks break where they are said to."""

import copy
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from helpers import measure
from helpers.measure.nonfinite import (
    NonFinite,
    find_nonfinite,
    first_nonfinite,
    first_nonfinite_backward,
    nonfinite_tensors,
)
from helpers.measure.overflow import overflow_step
from helpers.networks.classifiers import lstm_classifier, rnn_classifier
from helpers.networks.rnn import backward, forward

# Where inf and NaN begin


@given(st.data())
def test_planted_entries_are_found_from_either_end(data):
    shape = data.draw(st.tuples(st.integers(1, 6), st.integers(1, 3), st.integers(1, 3)))
    values = np.zeros(shape, data.draw(st.sampled_from([np.float16, np.float32, np.float64])))
    entry = st.tuples(*(st.integers(0, size - 1) for size in shape))
    bad = st.sampled_from([math.inf, -math.inf, math.nan])
    for index, value in data.draw(st.dictionaries(entry, bad, min_size=1, max_size=4)).items():
        values[index] = value
    steps = np.argwhere(~np.isfinite(values))[:, 0]
    nan = np.argwhere(np.isnan(values))[:, 0]
    for find, end in ((first_nonfinite, min), (first_nonfinite_backward, max)):
        found = find("h", values)
        assert found.step == end(steps)
        assert not math.isfinite(found.value)
        np.testing.assert_equal(values[(found.step, *found.index)], found.value)
        assert found.nan_step == (end(nan) if len(nan) else None)
        assert found == find("h", torch.from_numpy(values)) or math.isnan(found.value)


@pytest.mark.parametrize(
    "dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.int64]
)
def test_finite_values_give_no_answer(dtype):
    values = torch.ones(3, 2, dtype=dtype)
    assert first_nonfinite("h", values) is None
    assert first_nonfinite_backward("h", values) is None
    assert nonfinite_tensors([("h", values), ("none", None), ("empty", torch.ones(0))]) == ()


def test_an_answer_reads_as_a_sentence():
    values = np.array([[0.0, 1.0], [0.0, -np.inf], [np.nan, np.inf]])
    assert str(first_nonfinite("h", values)) == "h: -inf at step 1, entry (1,); NaN from step 2"
    assert str(first_nonfinite_backward("h", values)) == "h: nan at step 2, entry (0,)"
    assert str(NonFinite("loss", None, (), math.nan)) == "loss: nan, entry ()"


def test_tensors_are_named_in_order():
    named = {"a": torch.ones(2), "b": torch.tensor([[1.0, 2.0], [math.inf, math.nan]])}
    named["c"] = torch.tensor(-math.inf)
    found = nonfinite_tensors(named.items())
    assert found == (NonFinite("b", None, (1, 0), math.inf), NonFinite("c", None, (), -math.inf))


# The anatomy of a NaN


def linear_states(matrix, steps=600, start=1.0):
    """h_0 ... h_T of h_t = matrix h_{t-1}, every entry of h_0 the same, in float32."""
    hidden = len(matrix)
    nothing = np.zeros((max(steps, hidden), 1, 1), np.float32)
    return forward(
        nothing[:steps],
        nothing[:hidden, 0],
        np.asarray(matrix, np.float32),
        nothing[:hidden, 0, 0],
        nothing[:hidden, 0, 0],
        np.full((1, hidden), start, np.float32),
        nonlinearity="linear",
    )


def test_a_scalar_map_overflows_as_predicted_and_never_reaches_nan():
    states = linear_states([[1.5]])
    found = first_nonfinite("h", states)
    assert found.step == found.inf_step == overflow_step(1.5, torch.float32).step == 219
    assert found.nan_step is None
    assert np.isposinf(states[219:]).all()


@pytest.mark.parametrize(
    ("matrix", "inf_step", "nan_step"),
    [
        ([[1.5, 0.0], [0.0, 1.5]], 219, 220),  # 0 * inf
        ([[1.0, -1.0], [1.0, 1.0]], 255, 257),  # inf - inf
        ([[0.75, 0.75], [0.75, 0.75]], 219, None),  # all of one sign
    ],
)
def test_nan_comes_after_inf_and_needs_two_entries(matrix, inf_step, nan_step):
    found = first_nonfinite("h", linear_states(matrix))
    assert (found.step, found.inf_step, found.nan_step) == (inf_step, inf_step, nan_step)


@pytest.mark.parametrize("seed", range(6))
def test_a_random_linear_network_is_inf_first_and_nan_within_two_steps(seed):
    matrix = np.random.default_rng(seed).normal(size=(32, 32)) * 1.5 / math.sqrt(32)
    found = first_nonfinite("h", linear_states(matrix))
    assert math.isinf(found.value)
    assert 1 <= found.nan_step - found.inf_step <= 2


def test_where_growth_is_fast_nan_comes_within_the_product_that_overflows_or_the_next():
    # The first entry's terms are inf and -inf: NaN, or inf where they are added unrounded.
    found = first_nonfinite("h", linear_states([[4, -4], [0, 4]], steps=3, start=3e38))
    assert found.step == found.inf_step == 1
    assert found.nan_step in (1, 2)


def test_a_tanh_networks_state_is_bounded_and_its_gradient_is_not():
    rng = np.random.default_rng(0)
    hidden, steps = 32, 1000
    w_ih, w_hh = (rng.normal(size=(2, hidden, hidden)) / np.sqrt(hidden)).astype(np.float32)
    x = rng.normal(size=(steps, 1, hidden)).astype(np.float32)
    bias = np.zeros(hidden, np.float32)
    states = forward(x, w_ih, 3 * w_hh, bias, bias)
    assert first_nonfinite("h", states) is None
    last = np.ones((1, hidden), np.float32)
    got = backward(np.zeros_like(states[1:]), x, states, w_ih, 3 * w_hh, grad_last=last)
    found = first_nonfinite_backward("dL/dh", got.states)
    assert 0 < found.step < steps - 1
    assert found.nan_step <= found.inf_step


# A whole model

TOKENS = torch.randint(0, 20, (8, 1000), generator=torch.Generator().manual_seed(0))
LABELS = torch.arange(8) % 2


def classifier(nonlinearity, gain, seed=0):
    model = rnn_classifier(20, hidden=32, nonlinearity=nonlinearity, seed=seed)
    with torch.no_grad():
        draw = torch.randn(32, 32, generator=torch.Generator().manual_seed(seed))
        model.layer.weight_hh_l0.copy_(gain / math.sqrt(32) * draw)
    return model


def test_a_sound_model_gives_no_answer_and_stays_as_it_was():
    model = classifier("tanh", 1.0)
    before = copy.deepcopy(model.state_dict())
    assert find_nonfinite(model, TOKENS, LABELS) == ()
    assert all(parameter.grad is None for parameter in model.parameters())
    assert all(before[name].equal(value) for name, value in model.state_dict().items())


def test_a_linear_model_breaks_in_the_forward_pass_first():
    model = classifier("linear", 1.5)
    found = find_nonfinite(model, TOKENS, LABELS)
    assert [each.name for each in found[:3]] == ["states", "logits", "loss"]
    states = model.states(TOKENS).detach()
    step = next(t for t in range(1000) if not states[:, t].isfinite().all())
    assert found[0].step == step == found[0].inf_step <= found[0].nan_step
    assert found[-1].name == "gradient of readout.bias"


@pytest.mark.parametrize("seed", range(4))
def test_a_tanh_model_breaks_in_the_backward_pass_first(seed):
    found = find_nonfinite(classifier("tanh", 4.0, seed), TOKENS, LABELS)
    assert found[0].name == "dL/dh"
    assert 100 < found[0].step < 950
    assert found[0].nan_step in range(found[0].inf_step - 2, found[0].inf_step + 1)
    names = {each.name for each in found[1:]}
    assert "gradient of layer.weight_hh_l0" in names
    assert "gradient of readout.weight" not in names


def test_broken_parameters_are_named_before_anything_is_computed():
    model = classifier("tanh", 1.0)
    with torch.no_grad():
        model.layer.weight_hh_l0[3, 4] = math.nan
    (found,) = find_nonfinite(model, TOKENS, LABELS)
    assert (found.name, found.index) == ("layer.weight_hh_l0", (3, 4))


def test_a_model_without_states_is_refused():
    with pytest.raises(ValueError, match="Linear has no states"):
        find_nonfinite(nn.Linear(2, 2), TOKENS, LABELS)


def test_a_model_that_ignores_its_probe_is_refused():
    model = classifier("tanh", 1.0)
    model.forward = lambda tokens, probe: model.readout(model.states(tokens)[:, -1])
    with pytest.raises(ValueError, match="does not use its probe"):
        find_nonfinite(model, TOKENS, LABELS)


def test_an_lstm_is_searched_by_its_whole_state():
    model = lstm_classifier(5, hidden=4)
    assert find_nonfinite(model, TOKENS % 5, LABELS) == ()
    with torch.no_grad():
        model.readout.weight[0, 0] = math.inf
    assert find_nonfinite(model, TOKENS % 5, LABELS)[0].name == "readout.weight"


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
    assert measure.first_inf(states) == step
