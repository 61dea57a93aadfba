"""Answers to notebook 04's exercises: right ones written differently, wrong ones named."""

from __future__ import annotations

import math

import numpy as np
import torch
from planted import planted_tests, value

from helpers.checks.results import FAILED, WRONG_SHAPE

RIGHT = {
    "growing_matrix": [
        lambda: [[0.999, 10], [0, 0.999]],
        lambda: torch.tensor([[0.998, 0.0], [9.9, 0.998]], requires_grad=True),
        lambda: np.array([[-0.9995, 10], [0, -0.9995]], dtype=np.float32),
        lambda: [[0.9999, 1.0], [0.0, 0.9999]],  # largest at A^9,999
        lambda: ((1 - 1e-7, 0.001), (0, 1 - 1e-7)),  # and at A^9,999,999
    ],
    "growing_step": [
        lambda: ([[5, -5], [5, -5]], [1, 0.1]),
        lambda: (np.array([[-3.0, 3.0], [-3.0, 3.0]]), np.array([0.2, 1.0])),
        lambda: [torch.tensor([[4.0, 8.0], [-2.0, -4.0]], requires_grad=True), (1.0, 0.5)],
        lambda: ([[2, -3], [1.5, -2]], [1.0, 0.3]),
    ],
}
WRONG = {
    "growing_matrix": [
        (value([[0, 2000], [0, 0]]), "larger than 10"),
        (value([[1, 10], [0, 1]]), "below 1"),
        (value([[3, 0], [0, 3]]), "Its spectral radius is 3"),
        (value([[0.9, 10], [0, 0.9]]), "A^9, has norm 38.7"),
        (value([[0.99999, 0.02], [0, 0.99999]]), "has norm 736: not above 1,000"),
        (value([[0.99, 0.8], [0, 0.99]]), "A^99, has norm 29.6"),
        (value([[0.9, 0], [0, 0.9]]), "It is normal"),
        (value(np.eye(3)), "should have (2, 2)", WRONG_SHAPE),
        (value([[math.nan, 0], [0, 0]]), "NaN"),
        (value([[0.9j, 10], [0, 0.9]]), "not real", FAILED),
    ],
    "growing_step": [
        (value(([[5, -5], [5, -5]], [1, 1])), "Equal slopes multiply W by one number"),
        (value(([[0.9, 10], [0, 0.9]], [1, 0.5])), "With entries of one sign"),
        (value(([[0.9, -10], [0, 0.9]], [1, 0.5])), "W is triangular"),
        (value(([[0.5, -0.5], [0.5, -0.5]], [1, 0.5])), "What keeps the eigenvalues"),
        (value(([[5, -5], [5, -5]], [2, 1])), "slopes above 0 and up to 1"),
        (value(([[2, 0], [0, 2]], [1, 0.1])), "W's spectral radius is 2"),
        (value(([[50, -50], [50, -50]], [1, 0.1])), "larger than 10"),
        (value(([[5, -5], [5, -5]], [1, 0.1, 0.1])), "should have (2,)", WRONG_SHAPE),
        (value([[[5, -5], [5, -5]]]), "return (W, slopes)", WRONG_SHAPE),
    ],
}  # fmt: skip

test_right, test_wrong = planted_tests(RIGHT, WRONG)


def test_the_steps_that_are_accepted_do_grow():
    for answer in RIGHT["growing_step"]:
        W, slopes = (torch.as_tensor(each).detach().double().numpy() for each in answer())
        power = np.linalg.matrix_power(np.diag(slopes) @ W, 200)
        assert np.linalg.norm(power) > 1e9
        assert np.linalg.norm(np.linalg.matrix_power(W, 1000)) < 1e-6
