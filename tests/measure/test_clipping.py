"""helpers.measure.clipping against torch.nn.utils, and angles known by hand."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from helpers import measure
from helpers.measure import clipping

ROUNDING = {torch.float64: 1e-14, torch.float32: 1e-6, torch.bfloat16: 0.03, torch.float16: 0.004}
RULES = [measure.clip_by_global_norm, measure.clip_per_tensor, measure.clip_by_value]


@st.composite
def gradient_lists(draw):
    """One to four random tensors of one dtype, of widely different sizes."""
    dtype, exponents = draw(st.sampled_from([*ROUNDING])), st.floats(-2, 2)
    shapes = draw(st.lists(st.lists(st.integers(1, 4), max_size=3), min_size=1, max_size=4))
    generator = torch.Generator().manual_seed(draw(st.integers(0, 10**6)))
    return [
        (torch.randn(shape, generator=generator) * 10 ** draw(exponents)).to(dtype)
        for shape in shapes
    ]


def in_place(clip, gradients, *threshold):
    """What one of torch's functions leaves in the .grad of parameters with these gradients."""
    parameters = [nn.Parameter(torch.zeros_like(each)) for each in gradients]
    for parameter, gradient in zip(parameters, gradients, strict=True):
        parameter.grad = gradient.clone()
    clip(parameters, *threshold)
    return [parameter.grad for parameter in parameters]


def per_tensor(parameters, c):
    for parameter in parameters:
        nn.utils.clip_grad_norm_([parameter], c)


TORCHS = [nn.utils.clip_grad_norm_, per_tensor, nn.utils.clip_grad_value_]


@pytest.mark.parametrize(("rule", "torchs"), [*zip(RULES, TORCHS, strict=True)])
@settings(max_examples=50)
@given(gradients=gradient_lists(), threshold=st.floats(-2, 2).map(lambda exponent: 10**exponent))
def test_each_rule_does_what_pytorch_does_and_its_angle_is_true(rule, torchs, gradients, threshold):
    before = [each.clone() for each in gradients]
    clipped = rule(gradients, threshold)
    assert all(map(torch.equal, gradients, before))
    dtype = gradients[0].dtype
    rounding = ROUNDING[dtype]
    wanted = in_place(torchs, gradients, threshold)
    for found, want in zip(clipped.gradients, wanted, strict=True):
        torch.testing.assert_close(found, want, rtol=rounding, atol=torch.finfo(dtype).tiny)
    old, new = (
        torch.cat([each.double().flatten() for each in parts])
        for parts in (gradients, clipped.gradients)
    )
    cosine = (old @ new / old.norm() / new.norm()).item()
    assert math.cos(math.radians(clipped.angle)) == pytest.approx(cosine, abs=1e-12)
    assert measure.global_norm(gradients) == pytest.approx(old.norm().item(), rel=1e-12)
    if rule is measure.clip_by_global_norm:
        assert clipped.angle <= math.degrees(rounding)


def test_small_angles_are_not_lost():
    clipped = measure.clip_by_value([torch.tensor([1.0, 1e-9], dtype=torch.float64)], 0.5)
    assert clipped.angle == pytest.approx(math.degrees(1e-9), rel=1e-6)


def test_the_angle_is_measured_not_promised(monkeypatch):
    """With a rule that turns the gradient, the report says by how much."""
    monkeypatch.setattr(clipping, "clip_by_norm", lambda parts, _: [parts[0], 0 * parts[1]])
    clipped = measure.clip_by_global_norm([torch.tensor([1.0]), torch.tensor([math.sqrt(3)])], 1.0)
    assert clipped.angle == pytest.approx(60, abs=1e-4)


def test_the_threshold_is_twice_the_median_of_what_is_finite():
    assert measure.choose_threshold(np.array([1.0, np.inf, 2, 9, np.nan])) == 4
