"""One GRU in three conventions: the conversions, and why one of them has none."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from helpers.networks.conventions import (
    Gate,
    TorchWeights,
    Weights,
    cho_step,
    logistic,
    ng_simplified_to_torch,
    ng_step,
    reset_counterexample,
    swap_ng_and_cho,
    torch_step,
)

INPUT, HIDDEN = 3, 5


def random_weights(seed: int, *, reset: bool) -> tuple[np.ndarray, np.ndarray, Weights]:
    """An input, a state and weights in Ng's or Cho's convention."""
    draw = np.random.default_rng(seed).standard_normal

    def gate() -> Gate:
        return Gate(draw((HIDDEN, INPUT)), draw((HIDDEN, HIDDEN)), draw(HIDDEN))

    return draw(INPUT), np.tanh(draw(HIDDEN)), Weights(gate(), gate(), gate() if reset else None)


@pytest.mark.parametrize("reset", [True, False])
@pytest.mark.parametrize("seed", range(5))
def test_ng_and_cho_by_negating_the_update_gate(seed, reset):
    x, h, weights = random_weights(seed, reset=reset)
    np.testing.assert_allclose(
        cho_step(x, h, swap_ng_and_cho(weights)), ng_step(x, h, weights), rtol=0, atol=1e-14
    )
    assert np.abs(cho_step(x, h, weights) - ng_step(x, h, weights)).max() > 0.01


@pytest.mark.parametrize("seed", range(5))
def test_ngs_simplified_form_in_pytorch(seed):
    x, h, weights = random_weights(seed, reset=False)
    ours = ng_simplified_to_torch(weights)
    np.testing.assert_allclose(torch_step(x, h, ours), ng_step(x, h, weights), rtol=0, atol=1e-14)
    cell = nn.GRUCell(INPUT, HIDDEN, dtype=torch.float64)
    cell.load_state_dict({name: torch.from_numpy(part) for name, part in ours._asdict().items()})
    got = cell(torch.from_numpy(x), torch.from_numpy(h)).detach()
    np.testing.assert_allclose(got, ng_step(x, h, weights), rtol=0, atol=1e-14)


def test_with_the_same_weights_reset_before_and_after_differ():
    x, h, weights = random_weights(0, reset=True)
    parts = zip(weights.reset, weights.update, weights.candidate, strict=True)
    stacked = [np.concatenate(part) for part in parts]
    after = torch_step(x, h, TorchWeights(*stacked, np.zeros(3 * HIDDEN)))
    assert np.abs(after - cho_step(x, h, weights)).max() > 0.01


def pre_activation(convention: str, x: float, states: np.ndarray, unit: int, weights) -> np.ndarray:
    """The candidate's pre-activation of one unit for each row of states."""
    x = np.array([x])
    if convention == "cho":
        return np.array([weights.candidate(x, logistic(weights.reset(x, h)) * h) for h in states])[
            :, unit
        ]
    reset = np.split(weights.weight_ih, 3)[0] @ x + np.split(weights.bias_ih, 3)[0]
    r = logistic(reset + states @ np.split(weights.weight_hh, 3)[0].T)
    s = states @ np.split(weights.weight_hh, 3)[2].T + np.split(weights.bias_hh, 3)[2]
    return (np.split(weights.weight_ih, 3)[2] @ x + r * s)[:, unit]


@pytest.mark.parametrize("seed", range(5))
def test_no_weights_reset_after_the_product_equal_the_counterexample(seed):
    """Where PyTorch's form cannot move with the state, at any input, Cho's always does."""
    draw = np.random.default_rng(seed).standard_normal
    weights = TorchWeights(draw((6, 1)), draw((6, 2)), draw(6), draw(6))
    u, c = weights.weight_hh[4], weights.bias_hh[4]
    along = np.linspace(-0.5, 0.5, 5)[:, None] * np.array([-u[1], u[0]]) / np.hypot(*u)
    line = -c * u / (u @ u) + along
    for x in (1.0, -1.0):
        assert np.ptp(pre_activation("torch", x, line, 0, weights)) < 1e-12
    # ours moves along a line of any direction, at one of the two inputs at least
    cho = reset_counterexample()
    for angle in np.linspace(0, np.pi, 181):
        line = np.linspace(-0.5, 0.5, 5)[:, None] * np.array([np.cos(angle), np.sin(angle)])
        moved = [np.ptp(pre_activation("cho", x, line, 0, cho)) for x in (1.0, -1.0)]
        assert max(moved) > 0.5


def test_a_reset_gate_is_refused_in_the_conversion():
    _, _, weights = random_weights(0, reset=True)
    with pytest.raises(ValueError, match=r"weights\.reset must be None"):
        ng_simplified_to_torch(weights)
