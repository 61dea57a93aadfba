"""One GRU in three conventions: the conversions, and why one of them has none."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from helpers.networks.conventions import (
    Gate,
    Weights,
    cho_step,
    logistic,
    ng_simplified_to_torch,
    ng_step,
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
    parts = zip(cell.state_dict(), map(torch.from_numpy, ours), strict=True)
    cell.load_state_dict(dict(parts))
    got = cell(torch.from_numpy(x), torch.from_numpy(h)).detach()
    np.testing.assert_allclose(got, ng_step(x, h, weights), rtol=0, atol=1e-14)


def test_with_the_same_weights_reset_before_and_after_differ():
    x, h, weights = random_weights(0, reset=True)
    parts = zip(weights.reset, weights.update, weights.candidate, strict=True)
    stacked = [np.concatenate(part) for part in parts]
    after = torch_step(x, h, (*stacked, np.zeros(3 * HIDDEN)))
    assert np.abs(after - cho_step(x, h, weights)).max() > 0.01


def moves(candidate, direction) -> float:
    """How far a candidate's pre-activation moves along a line of states through 0."""
    return np.ptp([candidate(t * direction) for t in np.linspace(-0.5, 0.5, 5)])


@pytest.mark.parametrize("seed", range(3))
def test_no_weights_that_reset_after_the_product_equal_one_that_resets_before(seed):
    """PyTorch's pre-activation is w x + b + r (u . h + c), with one u for all inputs: where
    u . h + c = 0 it does not move with the state, whatever r is. Cho's, of two units that are
    reset by logistic(2 x) and logistic(-2 x) and added up, moves along every line, at one input
    at least. Equal on a region, however small, would mean equal everywhere: both are analytic.
    """
    draw = np.random.default_rng(seed).standard_normal
    u, c, U_r = draw(2), draw(), draw((2, 2))
    along, start = np.array([-u[1], u[0]]), -c * u / (u @ u)
    assert moves(lambda h: logistic(U_r @ (start + h))[0] * (u @ (start + h) + c), along) < 1e-12
    for angle in np.linspace(0, np.pi, 181):
        line = np.array([np.cos(angle), np.sin(angle)])
        resets = (logistic(np.array([2 * x, -2 * x])) for x in (1.0, -1.0))
        assert max(moves(lambda h, r=r: r @ h, line) for r in resets) > 0.5


def test_a_reset_gate_is_refused_in_the_conversion():
    _, _, weights = random_weights(0, reset=True)
    with pytest.raises(ValueError, match=r"weights\.reset must be None"):
        ng_simplified_to_torch(weights)
