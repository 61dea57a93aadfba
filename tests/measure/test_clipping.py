"""helpers.measure.clipping against torch.nn.utils, and where PyTorch is silent."""

import copy
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from helpers.measure import clipping
from helpers.measure.clipping import (
    NonFiniteGradientError,
    clip_by_global_norm,
    clip_by_value,
    clip_per_tensor,
    global_norm,
)

RULES = [clip_by_global_norm, clip_per_tensor, clip_by_value]
ROUNDING = {  # of PyTorch's norm, coefficient and product together, relative
    torch.float64: 1e-14,
    torch.float32: 1e-6,
    torch.bfloat16: 0.03,
    torch.float16: 0.004,
}


def parameters_with(*gradients):
    """Parameters whose .grad are these tensors."""
    made = [nn.Parameter(torch.zeros_like(gradient)) for gradient in gradients]
    for parameter, gradient in zip(made, gradients, strict=True):
        parameter.grad = gradient.clone()
    return made


def flat(tensors):
    return torch.cat([tensor.detach().double().flatten() for tensor in tensors])


@st.composite
def gradient_lists(draw, dtype=None, exponents=(-6, 6)):
    """One to four random tensors of one dtype, of widely different sizes."""
    dtype = draw(st.sampled_from([torch.float32, torch.float64])) if dtype is None else dtype
    shapes = draw(st.lists(st.lists(st.integers(0, 4), max_size=3), min_size=1, max_size=4))
    generator = torch.Generator().manual_seed(draw(st.integers(0, 10**6)))
    return [
        (torch.randn(shape, generator=generator) * 10 ** draw(st.floats(*exponents))).to(dtype)
        for shape in shapes
    ]


thresholds = st.floats(-4, 4).map(lambda exponent: 10**exponent)


# Against PyTorch


@given(gradient_lists(), thresholds)
def test_global_norm_does_what_pytorch_does(gradients, threshold):
    ours, theirs = parameters_with(*gradients), parameters_with(*gradients)
    report = clip_by_global_norm(ours, threshold)
    norm = nn.utils.clip_grad_norm_(theirs, threshold).item()
    rounding = ROUNDING[gradients[0].dtype]
    assert report.norm == pytest.approx(norm, rel=rounding)
    assert report.coefficient == pytest.approx(min(1, threshold / (norm + 1e-6)), rel=rounding)
    for mine, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine.grad, other.grad, rtol=rounding, atol=0)


@given(gradient_lists(), thresholds)
def test_by_value_does_what_pytorch_does_to_the_bit(gradients, threshold):
    ours, theirs = parameters_with(*gradients), parameters_with(*gradients)
    report = clip_by_value(ours, threshold)
    nn.utils.clip_grad_value_(theirs, threshold)
    assert all(mine.grad.equal(other.grad) for mine, other in zip(ours, theirs, strict=True))
    changed = any(not a.equal(b.grad) for a, b in zip(gradients, theirs, strict=True))
    assert report.clipped is changed


@given(gradient_lists(), thresholds)
def test_per_tensor_is_pytorchs_rule_on_each_tensor_alone(gradients, threshold):
    ours, theirs = parameters_with(*gradients), parameters_with(*gradients)
    report = clip_per_tensor(ours, threshold)
    rounding = ROUNDING[gradients[0].dtype]
    for (mine, other), factor in zip(
        zip(ours, theirs, strict=True), report.by_tensor.values(), strict=True
    ):
        norm = nn.utils.clip_grad_norm_([other], threshold).item()
        torch.testing.assert_close(mine.grad, other.grad, rtol=rounding, atol=0)
        assert factor == pytest.approx(min(1, threshold / (norm + 1e-6)), rel=rounding)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("threshold", [0.1, 1.0, 30.0])
def test_half_precision_agrees_to_its_rounding(dtype, threshold):
    torch.manual_seed(0)
    gradients = [torch.randn(8, 8).to(dtype), 3 * torch.randn(5).to(dtype)]
    ours, theirs = parameters_with(*gradients), parameters_with(*gradients)
    clip_by_global_norm(ours, threshold)
    nn.utils.clip_grad_norm_(theirs, threshold)
    for mine, other in zip(ours, theirs, strict=True):
        assert mine.grad.dtype == dtype
        torch.testing.assert_close(mine.grad, other.grad, rtol=ROUNDING[dtype], atol=0)
    ours, theirs = parameters_with(*gradients), parameters_with(*gradients)
    clip_by_value(ours, threshold)
    nn.utils.clip_grad_value_(theirs, threshold)
    assert all(mine.grad.equal(other.grad) for mine, other in zip(ours, theirs, strict=True))


# What each rule promises


@given(gradient_lists(), thresholds)
def test_global_norm_keeps_direction_and_bounds_length(gradients, threshold):
    report = clip_by_global_norm(gradients_after := [g.clone() for g in gradients], threshold)
    before, after = flat(gradients), flat(gradients_after)
    rounding = ROUNDING[gradients[0].dtype]
    assert report.angle <= math.degrees(rounding)
    for factor, gradient in zip(report.by_tensor.values(), gradients, strict=True):
        assert factor == pytest.approx(report.coefficient if gradient.any() else 1, rel=rounding)
    assert after.norm() <= threshold * (1 + rounding)
    torch.testing.assert_close(after, before * report.coefficient, rtol=rounding, atol=0)
    if not report.clipped:
        assert report.coefficient == 1
        assert after.equal(before)


@given(gradient_lists(dtype=torch.float64), thresholds, st.sampled_from(RULES))
def test_report_is_true(gradients, threshold, rule):
    after = [g.clone() for g in gradients]
    report = rule(after, threshold)
    old, new = flat(gradients), flat(after)
    assert report.norm == pytest.approx(old.norm().item(), rel=1e-12)
    assert global_norm(gradients) == report.norm
    assert report.clipped == (not new.equal(old))
    if report.norm == 0:
        assert (report.coefficient, report.angle) == (1, 0)
        return
    assert report.coefficient == pytest.approx(new.norm().item() / old.norm().item(), rel=1e-12)
    cosine = (old @ new / old.norm() / new.norm()).item()
    assert math.cos(math.radians(report.angle)) == pytest.approx(cosine, abs=1e-12)
    for name, g, a in zip(report.by_tensor, gradients, after, strict=True):
        assert g.norm().item() * report.by_tensor[name] == pytest.approx(a.norm().item())


def test_small_angles_are_not_lost():
    report = clip_by_value([torch.tensor([1.0, 1e-9], dtype=torch.float64)], 0.5)
    assert report.angle == pytest.approx(math.degrees(1e-9), rel=1e-6)


@pytest.mark.parametrize(
    ("rule", "after", "angle"),
    [
        (clip_by_global_norm, [0.6, 0.8], 0.0),
        (clip_per_tensor, [1.0, 1.0], 45 - math.degrees(math.atan(3 / 4))),
        (clip_by_value, [1.0, 1.0], 45 - math.degrees(math.atan(3 / 4))),
    ],
)
def test_three_rules_by_hand(rule, after, angle):
    gradients = [torch.tensor([3.0]), torch.tensor([4.0])]
    report = rule(gradients, 1.0)
    assert report.norm == 5.0
    torch.testing.assert_close(torch.cat(gradients), torch.tensor(after), rtol=2e-6, atol=0)
    assert report.angle == pytest.approx(angle, abs=1e-4)


def test_the_angle_is_measured_not_promised(monkeypatch):
    """With a rule that turns the gradient, the report says by how much."""
    monkeypatch.setattr(clipping, "_shrunk", lambda parts, _: [parts[0], 0 * parts[1]])
    report = clip_by_global_norm([torch.tensor([1.0]), torch.tensor([math.sqrt(3)])], 1.0)
    assert report.angle == pytest.approx(60, abs=1e-4)
    assert report.coefficient == pytest.approx(0.5)
    assert list(report.by_tensor.values()) == [1, 0]


# What is silent in PyTorch


@pytest.mark.parametrize("rule", [*RULES, lambda gradients, _: global_norm(gradients)])
@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan])
def test_a_broken_gradient_is_refused_by_name_and_left_alone(rule, value):
    model = nn.RNN(3, 2)
    for parameter in model.parameters():
        parameter.grad = torch.full_like(parameter, 5.0)
    model.weight_hh_l0.grad[1, 0] = value
    model.bias_hh_l0.grad[0] = math.nan
    before = copy.deepcopy([parameter.grad for parameter in model.parameters()])
    with pytest.raises(NonFiniteGradientError, match=r"weight_hh_l0 is (inf|-inf|nan)") as caught:
        rule(model, 1.0)
    error = caught.value
    assert (error.name, error.index) == ("weight_hh_l0", (1, 0))
    assert error.value == pytest.approx(value, nan_ok=True)
    assert "1 more" in str(error)
    assert isinstance(error, ValueError)
    for parameter, old in zip(model.parameters(), before, strict=True):
        torch.testing.assert_close(parameter.grad, old, equal_nan=True, rtol=0, atol=0)


@pytest.mark.parametrize(
    ("dtype", "large"),
    [
        (torch.float32, 3e38),
        (torch.float32, 1e20),
        (torch.float64, 1e300),
        (torch.bfloat16, 1e38),
    ],
)
@pytest.mark.parametrize("threshold", [1.0, 1e-5])
def test_entries_whose_squares_overflow_are_clipped_all_the_same(dtype, large, threshold):
    gradients = [torch.full((3, 3), large, dtype=dtype), torch.full((7,), -large, dtype=dtype)]
    theirs = parameters_with(*gradients)
    assert nn.utils.clip_grad_norm_(theirs, threshold).isinf()
    assert not flat(parameter.grad for parameter in theirs).any()
    report = clip_by_global_norm(gradients, threshold)
    rounding = ROUNDING[dtype]
    assert report.norm == pytest.approx(4 * float(torch.tensor(large, dtype=dtype)), rel=1e-12)
    expected = torch.cat([torch.full((9,), 0.25), torch.full((7,), -0.25)]).double() * threshold
    torch.testing.assert_close(flat(gradients), expected, rtol=rounding, atol=0)


def test_tiny_gradients_keep_their_norm():
    gradient = torch.tensor([3e-170, 4e-170], dtype=torch.float64)
    report = clip_by_global_norm([gradient], 1.0)
    assert report.norm == pytest.approx(5e-170)
    assert not report.clipped
    smallest = torch.tensor([5e-324], dtype=torch.float64)
    assert global_norm(smallest) == 5e-324


# What may be given


def test_a_model_parameters_and_gradients_give_the_same():
    torch.manual_seed(0)
    model = nn.Linear(3, 2)
    model.unused = nn.Parameter(torch.ones(4))
    model(torch.randn(5, 3)).square().sum().backward()
    plain = [p.grad.clone() for p in model.parameters() if p.grad is not None]
    copies = [copy.deepcopy(model) for _ in range(4)]
    for made, parameter in zip(copies, [model] * 4, strict=True):
        for mine, other in zip(made.parameters(), parameter.parameters(), strict=True):
            mine.grad = None if other.grad is None else other.grad.clone()
    reports = [
        clip_by_global_norm(given, 0.1)
        for given in (
            copies[0],
            list(copies[1].parameters()),
            copies[2].parameters(),
            tuple(plain),
        )
    ]
    assert len({report.norm for report in reports}) == 1
    assert set(reports[0].by_tensor) == {"weight", "bias"}
    assert copies[0].unused.grad is None
    assert copies[0].weight.equal(model.weight)
    for made in copies[:3]:
        given = [p.grad for p in made.parameters() if p.grad is not None]
        assert flat(given).equal(flat(plain))
        assert flat(given).norm() == pytest.approx(0.1, rel=1e-4)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("nothing", [[], [None], [nn.Parameter(torch.ones(2))], nn.Linear(2, 2)])
def test_without_gradients_nothing_happens(rule, nothing):
    report = rule(nothing, 1.0)
    assert (report.norm, report.coefficient, report.angle) == (0.0, 1.0, 0.0)
    assert (report.by_tensor, report.clipped) == ({}, False)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("threshold", [0, -1, math.inf, math.nan, None, "1"])
def test_thresholds_that_are_none(rule, threshold):
    gradient = torch.tensor([5.0])
    with pytest.raises(ValueError, match=r"max_(norm|value) must be a finite number above 0"):
        rule(gradient, threshold)
    assert gradient.item() == 5


@pytest.mark.parametrize("rule", RULES)
def test_a_threshold_above_all_the_dtype_can_hold_changes_nothing(rule):
    gradient = torch.tensor([5.0], dtype=torch.float16)
    assert not rule([gradient], 1e6).clipped
    assert gradient.item() == 5


@pytest.mark.parametrize(
    ("dtype", "threshold"),
    [(torch.float16, 1e-7), (torch.bfloat16, 1e-39), (torch.float32, 2e-45)],
)
@pytest.mark.parametrize("clip", [clip_by_global_norm, clip_per_tensor])
def test_a_step_of_zeros_is_refused(clip, dtype, threshold):
    """Each entry is shrunk below the smallest number: a zero step that nothing would tell of."""
    gradient = torch.ones(1000, dtype=dtype)
    with pytest.raises(ValueError, match=f"nothing but zeros would be left in {dtype}"):
        clip([gradient], threshold)
    assert gradient.eq(1).all()
