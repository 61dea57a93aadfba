"""How fast the hand-written GRU is, and how near to what its matrix products alone cost.

    OMP_NUM_THREADS=1 pytest tests/benchmarks/bench_gru.py

float32, input and hidden size 32, batch first, one call = forward and backward to the
four parameters.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from helpers.networks.gru import GRU
from helpers.networks.layer import chunk_length

SIZE = 32
ROWS = 3 * SIZE
LAST, ALL = "last-step loss", "all-steps loss"


def layers() -> tuple[GRU, nn.GRU]:
    """Ours and torch's with the same parameters."""
    torch.manual_seed(0)
    ours, theirs = GRU(SIZE, SIZE), nn.GRU(SIZE, SIZE, batch_first=True)
    theirs.load_state_dict(ours.state_dict())
    return ours, theirs


def training_step(layer: nn.Module, x: Tensor, loss: str) -> Callable[[], None]:
    """Forward, then backward to the four parameters."""

    def call() -> None:
        layer.zero_grad()
        output, _ = layer(x)
        (output[:, -1] if loss == LAST else output).sum().backward()

    return call


def matrix_products(batch: int, steps: int) -> Callable[[], None]:
    """The products of one training step and nothing else, in the engine's shapes.

    Each step needs two that wait for the step before: the states' and the signal's. The
    others are one call for a chunk of steps: the inputs', and the two weights' gradients.
    """
    draw = np.random.default_rng(0)
    chunk = chunk_length(batch, ROWS)

    def array(*shape: int) -> np.ndarray:
        return draw.standard_normal(shape, np.float32)

    from_x, from_h, to_h = array(ROWS, SIZE), array(ROWS, SIZE), array(SIZE, ROWS)
    x, state, delta = array(chunk, SIZE, batch), array(SIZE, batch), array(ROWS, batch)
    pre, a, signal = (
        np.empty((chunk, ROWS, batch), np.float32),
        array(ROWS, batch),
        array(*state.shape),
    )
    columns, rows = array(ROWS, chunk * batch), array(chunk * batch, SIZE)
    gradient = array(ROWS, SIZE)

    def call() -> None:
        for start in range(0, steps, chunk):
            length = min(chunk, steps - start)
            np.matmul(from_x, x[:length], out=pre[:length])
            for _ in range(length):
                from_h.dot(state, a)
                to_h.dot(delta, signal)
            for _ in ("weight_ih", "weight_hh"):
                columns[:, : length * batch].dot(rows[: length * batch], gradient)

    return call


@pytest.mark.parametrize("loss", [LAST, ALL])
@pytest.mark.parametrize("steps", [100, 1000])
@pytest.mark.parametrize("batch", [8, 32])
def test_gru_against_torch(compare, batch, steps, loss):
    ours, theirs = layers()
    x = torch.randn(batch, steps, SIZE)
    compare(
        f"GRU, nn.GRU: {batch} x {steps}, {loss}",
        training_step(ours, x, loss),
        training_step(theirs, x, loss),
        calls=1000 // steps,
        wanted="at least 3",
    )


@pytest.mark.parametrize("steps", [100, 1000])
@pytest.mark.parametrize("batch", [8, 32])
def test_gru_against_its_matrix_products(compare, batch, steps):
    ours, _ = layers()
    x = torch.randn(batch, steps, SIZE)
    compare(
        f"GRU, the floor (products alone): {batch} x {steps}",
        training_step(ours, x, ALL),
        matrix_products(batch, steps),
        calls=1000 // steps,
        upside_down=True,
        wanted="1 is the floor",
    )
