"""Answers to notebook 04's exercises: right ones written differently, wrong ones named."""

from __future__ import annotations

import math

import numpy as np
import torch
from planted import check_right, check_wrong, right, rows, value, wrong

from helpers.checks.results import FAILED, WRONG_SHAPE

RIGHT = {
    "growing_matrix": [
        lambda: [[0.999, 10], [0, 0.999]],
        lambda: torch.tensor([[0.998, 0.0], [9.9, 0.998]], requires_grad=True),
        lambda: np.array([[-0.9995, 10], [0, -0.9995]], dtype=np.float32),
        lambda: [[0.9999, 1.0], [0.0, 0.9999]],  # largest at A^9,999
        lambda: ((1 - 1e-7, 0.001), (0, 1 - 1e-7)),  # and at A^9,999,999
    ],
}
MATRIX = rows(
    "growing_matrix",
    ("large entry", value([[0, 2000], [0, 0]]), "larger than 10"),
    ("radius 1", value([[1, 10], [0, 1]]), "below 1"),
    ("radius 3", value([[3, 0], [0, 3]]), "Its spectral radius is 3"),
    ("lecture's", value([[0.9, 10], [0, 0.9]]), "A^9, has norm 38.7"),
    ("late and too low", value([[0.99999, 0.02], [0, 0.99999]]), "has norm 736: not above 1,000"),
    ("a hundred", value([[0.99, 0.8], [0, 0.99]]), "A^99, has norm 29.6"),
    ("normal", value([[0.9, 0], [0, 0.9]]), "It is normal"),
    ("3 x 3", value(np.eye(3)), "should have (2, 2)", WRONG_SHAPE),
    ("NaN", value([[math.nan, 0], [0, 0]]), "NaN"),
    ("complex", value([[0.9j, 10], [0, 0.9]]), "not real", FAILED),
)  # fmt: skip
WRONG = [*MATRIX]


@right(RIGHT)
def test_a_right_answer_passes(name, answer):
    check_right(name, answer)


@wrong(WRONG)
def test_a_wrong_answer_is_told_what_was_seen(planted):
    check_wrong(planted)
