"""helpers.overflow: steps said beforehand against steps counted, and planted inf and NaN."""

import copy
import math
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from helpers.models import rnn_classifier
from helpers.overflow import (
    DTYPES,
    NonFinite,
    Prediction,
    find_nonfinite,
    first_nonfinite,
    first_nonfinite_backward,
    measured_overflow_step,
    measured_underflow,
    nonfinite_tensors,
    norm_overflow_step,
    number_range,
    overflow_step,
    underflow_step,
)
from helpers.rnn import backward, forward

F16, BF16, F32, F64 = DTYPES
NUMPY = {F16: np.float16, F32: np.float32, F64: np.float64}


# Ranges


@pytest.mark.parametrize("dtype", NUMPY)
def test_ranges_are_numpys(dtype):
    info = np.finfo(NUMPY[dtype])
    found = number_range(dtype)
    assert found[:3] == (info.max, info.smallest_normal, info.smallest_subnormal)
    assert found[3:] == (info.nmant + 1, info.maxexp)


def test_bfloat16_has_float32s_exponents_and_eight_digits():
    found = number_range(BF16)
    assert found[3:] == (8, 128)
    assert found.largest == (1 - 2**-8) * 2.0**128
    assert found.smallest == 2.0**-133


@pytest.mark.parametrize("dtype", [F16, BF16, F32])
def test_halfway_past_the_largest_number_is_where_inf_begins(dtype):
    p, exponent = number_range(dtype)[3:]
    threshold = (1 - 2.0 ** -(p + 1)) * 2.0**exponent
    assert number_range(dtype).log2_overflow == pytest.approx(math.log2(threshold), rel=1e-15)
    wider = torch.tensor(threshold, dtype=F64 if dtype == F32 else F32)
    below, at = torch.stack([torch.nextafter(wider, torch.zeros_like(wider)), wider]).to(dtype)
    assert below == number_range(dtype).largest
    assert at.isinf()


# Overflow


@pytest.mark.parametrize(
    ("growth", "dtype", "step"),
    [
        (1.5, F16, 28),
        (1.5, F32, 219),
        (1.5, F64, 1751),
        (2, F16, 16),
        (2, BF16, 128),
        (2, F32, 128),
        (2, F64, 1024),
    ],
)
def test_predicted_is_measured_where_rounding_cannot_move_it(growth, dtype, step):
    assert overflow_step(growth, dtype) == Prediction(step, step, step)
    assert measured_overflow_step(growth, dtype) == step
    largest = torch.finfo(dtype).max
    assert step == math.ceil(math.log(largest) / math.log(growth))


def test_bfloat16_comes_a_step_late_at_1_5_and_the_prediction_says_it_may():
    assert overflow_step(1.5, BF16) == Prediction(219, 217, 221)
    assert measured_overflow_step(1.5, BF16) == 220
    assert overflow_step(1.0625, BF16).step == 1464
    assert measured_overflow_step(1.0625, BF16) == 1472


@given(
    st.floats(1.05, 100),
    st.sampled_from(DTYPES),
    st.floats(-3, 3).map(lambda exponent: 10**exponent),
)
def test_measured_lies_within_what_was_predicted(growth, dtype, start):
    predicted = overflow_step(growth, dtype, start)
    assert predicted.earliest <= predicted.step <= predicted.latest
    if predicted.latest < 3000:
        measured = measured_overflow_step(growth, dtype, start)
        assert predicted.earliest <= measured <= predicted.latest


@given(st.integers(1, 6), st.integers(-10, 10), st.sampled_from(DTYPES))
def test_powers_of_two_are_predicted_exactly(bits, start, dtype):
    predicted = overflow_step(2**bits, dtype, 2.0**start)
    exact = -((start - number_range(dtype).exponent) // bits)
    assert predicted == Prediction(exact, exact, exact)
    assert measured_overflow_step(2**bits, dtype, 2.0**start) == exact


@given(st.floats(1.2, 50), st.floats(0.01, 100), st.sampled_from(DTYPES))
def test_predicted_is_the_first_step_above_the_range_in_exact_arithmetic(growth, start, dtype):
    g, s = (Fraction(torch.tensor(x, dtype=F64).to(dtype).item()) for x in (growth, start))
    p, exponent = number_range(dtype)[3:]
    threshold = (1 - Fraction(1, 2 ** (p + 1))) * 2**exponent
    step = overflow_step(growth, dtype, start).step
    assert s * g ** (step - 1) < threshold <= s * g**step


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("entries", [2, 8, 32, 1000])
@pytest.mark.parametrize("growth", [1.5, 2])
def test_a_norm_overflows_at_half_the_exponent_but_for_float16(dtype, entries, growth):
    value = torch.ones(entries, dtype=dtype)
    steps = 0
    while torch.linalg.vector_norm(value).isfinite():
        value = value * growth
        steps += 1
    predicted = norm_overflow_step(growth, dtype, entries)
    assert predicted.earliest <= steps <= predicted.latest
    if dtype != BF16:
        assert predicted.step == steps
    assert value.isfinite().all() or dtype == F16
    parts = 1 if dtype == F16 else 2
    whole = overflow_step(growth, dtype, math.sqrt(entries) ** parts).step / parts
    assert predicted.step == pytest.approx(whole, abs=1)


def test_the_norm_of_one_entry_is_its_magnitude():
    assert torch.linalg.vector_norm(torch.tensor([1e30])) == 1e30
    with pytest.raises(ValueError, match="entries must be at least 2; got 1"):
        norm_overflow_step(2, F32, 1)


# Underflow


@pytest.mark.parametrize(
    ("dtype", "subnormal", "zero"),
    [(F16, 15, 25), (BF16, 127, 134), (F32, 127, 150), (F64, 1023, 1075)],
)
def test_halving_gets_to_zero(dtype, subnormal, zero):
    assert underflow_step(0.5, dtype) == Prediction(subnormal, subnormal, subnormal)
    assert measured_underflow(0.5, dtype) == (subnormal, zero, 0.0)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("factor", [0.1, 0.4, 0.5, 0.6, 0.7, 0.9])
def test_zero_is_reached_by_factors_up_to_a_half_alone(dtype, factor):
    found = measured_underflow(factor, dtype)
    predicted = underflow_step(factor, dtype)
    assert predicted.earliest <= found.subnormal <= predicted.latest
    if factor <= 0.5:
        assert found.value == 0
    else:
        multiples = {0.6: [1], 0.7: [1], 0.9: [4, 5]}[factor]
        assert found.value / number_range(dtype).smallest in multiples
        held = torch.tensor(found.value, dtype=dtype)
        assert held * torch.tensor(factor, dtype=dtype) == held


@given(st.floats(0.01, 0.95), st.sampled_from(DTYPES), st.floats(0.01, 100))
def test_digits_go_where_it_was_predicted(factor, dtype, start):
    predicted = underflow_step(factor, dtype, start)
    found = measured_underflow(factor, dtype, start)
    assert predicted.earliest <= found.subnormal <= predicted.latest
    assert found.last >= found.subnormal


# Bad arguments


@pytest.mark.parametrize("of", [overflow_step, measured_overflow_step])
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((1, F32), "growth must be above 1"),
        ((0.5, F32), "growth must be above 1"),
        ((1.001, BF16), r"growth must be above 1 in torch\.bfloat16; 1\.001 is 1\.0 there"),
        ((1e6, F16), r"growth must lie within the range of torch\.float16"),
        ((math.inf, F32), "growth must be a finite number above 0"),
        ((math.nan, F32), "growth must be a finite number above 0"),
        (("2", F32), "growth must be a finite number above 0"),
        ((2, F32, 0), "start must be a finite number above 0"),
        ((2, F32, -1), "start must be a finite number above 0"),
        ((2, F32, 1e-50), "start must lie within the range"),
        ((2, F32, 1e39), "start must lie within the range"),
        ((2, torch.int64), "dtype must be one of"),
        ((2, "float32"), "dtype must be one of"),
        ((2, torch.complex64), "dtype must be one of"),
    ],
)
def test_growths_that_are_none(of, arguments, message):
    with pytest.raises(ValueError, match=message):
        of(*arguments)


@pytest.mark.parametrize("of", [underflow_step, measured_underflow])
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((1, F32), "factor must be below 1"),
        ((0.9999, BF16), r"factor must be below 1 .* they are 1\.0"),
        ((0, F32), "factor must be a finite number above 0"),
        ((0.5, F32, 1e-40), "start at least"),
        ((0.5, F16, 1e-9), "start must lie within the range"),
        ((1 - 2**-53, F64), "too close to 1"),
    ],
)
def test_factors_that_are_none(of, arguments, message):
    with pytest.raises(ValueError, match=message):
        of(*arguments)


def test_what_would_take_too_long_is_predicted_only():
    assert overflow_step(1.0001, F64).step > 1e6
    with pytest.raises(ValueError, match="too far to count to"):
        measured_overflow_step(1.0001, F64)
    with pytest.raises(ValueError, match="too far to count to"):
        measured_underflow(0.9999, F64)


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


@pytest.mark.parametrize("dtype", [*DTYPES, torch.int64])
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


@pytest.mark.parametrize(
    "values", [np.array(1.0), [], np.ones(2, dtype=complex), [["a"]], None, np.ones((0, 3))]
)
def test_values_without_steps_or_numbers(values):
    with pytest.raises(ValueError, match="h must"):
        first_nonfinite("h", values)


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
    assert found.step == found.inf_step == overflow_step(1.5, F32).step == 219
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


def test_where_growth_is_fast_nan_may_come_within_the_product_that_overflows():
    # the two terms of the first entry are inf and -inf
    found = first_nonfinite("h", linear_states([[4, -4], [0, 4]], steps=1, start=3e38))
    assert (found.step, found.inf_step, found.nan_step) == (1, 1, 1)


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


def test_frozen_parameters_are_passed_over():
    model = classifier("tanh", 4.0).requires_grad_(False)
    with torch.no_grad():
        assert [each.name for each in find_nonfinite(model, TOKENS, LABELS)] == ["dL/dh"]


def test_a_model_without_states_is_refused():
    with pytest.raises(ValueError, match="Linear has no states"):
        find_nonfinite(nn.Linear(2, 2), TOKENS, LABELS)


def test_a_model_that_ignores_its_probe_is_refused():
    model = classifier("tanh", 1.0)
    model.forward = lambda tokens, probe: model.readout(model.states(tokens)[:, -1])
    with pytest.raises(ValueError, match="does not use its probe"):
        find_nonfinite(model, TOKENS, LABELS)


def test_parameters_that_the_loss_does_not_reach_are_passed_over():
    model = classifier("tanh", 1.0)
    model.spare = nn.Parameter(torch.ones(2))
    assert find_nonfinite(model, TOKENS, LABELS) == ()
