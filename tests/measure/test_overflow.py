"""helpers.measure.overflow: predicted steps against counted ones."""

from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from helpers.measure.overflow import (
    measured_overflow_step,
    measured_underflow,
    number_range,
    overflow_step,
)

DTYPES = F16, BF16, F32, F64 = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
NUMPY = {F16: np.float16, F32: np.float32, F64: np.float64}


@pytest.mark.parametrize("dtype", NUMPY)
def test_ranges_are_numpys(dtype):
    info = np.finfo(NUMPY[dtype])
    assert number_range(dtype) == (info.smallest_subnormal, info.max)


def test_bfloat16_has_float32s_exponents_and_eight_digits():
    assert number_range(BF16) == (2.0**-133, (1 - 2**-8) * 2.0**128)


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
    assert overflow_step(growth, dtype) == step
    assert measured_overflow_step(growth, dtype) == step


def test_bfloat16_comes_late_where_each_product_is_rounded():
    assert (overflow_step(1.5, BF16), measured_overflow_step(1.5, BF16)) == (219, 220)
    assert (overflow_step(1.0625, BF16), measured_overflow_step(1.0625, BF16)) == (1464, 1472)


@given(st.floats(1.2, 50), st.sampled_from(DTYPES))
def test_predicted_is_the_first_step_above_the_range_in_exact_arithmetic(growth, dtype):
    g = Fraction(torch.tensor(growth, dtype=F64).to(dtype).item())
    step = overflow_step(growth, dtype)
    assert g ** (step - 1) <= number_range(dtype).largest < g**step


def test_what_would_take_too_long_is_not_counted(monkeypatch):
    monkeypatch.setattr("helpers.measure.overflow.LONGEST", 1000)
    for measured, factor in ((measured_overflow_step, 1.01), (measured_underflow, 0.999)):
        with pytest.raises(ValueError, match="more than 1,000 steps"):
            measured(factor, F64)


# Underflow


@pytest.mark.parametrize(("dtype", "zero"), [(F16, 25), (BF16, 134), (F32, 150), (F64, 1075)])
def test_halving_gets_to_zero(dtype, zero):
    assert measured_underflow(0.5, dtype) == (zero, 0.0)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("factor", [0.1, 0.4, 0.5, 0.6, 0.7, 0.9])
def test_zero_is_reached_by_factors_up_to_a_half_alone(dtype, factor):
    found = measured_underflow(factor, dtype)
    if factor <= 0.5:
        assert found.value == 0
    else:
        multiples = {0.6: [1], 0.7: [1], 0.9: [4, 5]}[factor]
        assert found.value / number_range(dtype).smallest in multiples
        held = torch.tensor(found.value, dtype=dtype)
        assert held * torch.tensor(factor, dtype=dtype) == held
