"""How fast the hand-written layers are beside torch's, and beside JAX's scan where it is installed.

    OMP_NUM_THREADS=1 pytest tests/benchmarks/bench_layers.py

float32, input and hidden size 32, batch first, one call = forward and backward to the
four parameters.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from helpers.networks.gru import GRU
from helpers.networks.rnn import RNN

SIZE = 32
LAST, ALL = "last-step loss", "all-steps loss"
TORCH = {RNN: nn.RNN, GRU: nn.GRU}
at_every_size = pytest.mark.parametrize(
    ("kind", "steps", "batch"), list(itertools.product([RNN, GRU], [100, 1000], [8, 32]))
)


def twins(kind: type[nn.Module]) -> tuple[nn.Module, nn.Module]:
    """Ours and torch's with the same parameters."""
    torch.manual_seed(0)
    ours, theirs = kind(SIZE, SIZE), TORCH[kind](SIZE, SIZE, batch_first=True)
    theirs.load_state_dict(ours.state_dict())
    return ours, theirs


def training_step(layer: nn.Module, x: Tensor, loss: str) -> Callable[[], None]:
    """Forward, then backward to the four parameters."""

    def call() -> None:
        layer.zero_grad()
        output, _ = layer(x)
        (output[:, -1] if loss == LAST else output).sum().backward()

    return call


@at_every_size
@pytest.mark.parametrize("loss", [LAST, ALL])
def test_against_torch(compare, kind, batch, steps, loss):
    ours, theirs = twins(kind)
    x = torch.randn(batch, steps, SIZE)
    compare(
        f"{kind.__name__}, nn.{kind.__name__}: {batch} x {steps}, {loss}",
        training_step(ours, x, loss),
        training_step(theirs, x, loss),
        calls=1000 // steps,
        wanted="at least 3",
    )


def scan_step(kind: type[nn.Module], layer: nn.Module, x: Tensor) -> Callable[[], Any]:
    """The same training step as a jitted scan in JAX, with the layer's weights."""
    jax = pytest.importorskip("jax")
    jnp, logistic = jax.numpy, jax.nn.sigmoid
    weights = [jnp.asarray(each.detach().numpy()) for each in layer.parameters()]
    inputs = jnp.asarray(x.transpose(0, 1).numpy())

    def rnn(h: Any, a: Any, W: Any, b: Any) -> Any:
        return jnp.tanh(a + h @ W.T + b)

    def gru(h: Any, a: Any, W: Any, b: Any) -> Any:
        (a_r, a_z, a_n), (s_r, s_z, s) = jnp.split(a, 3, 1), jnp.split(h @ W.T + b, 3, 1)
        z = logistic(a_z + s_z)
        return (1 - z) * jnp.tanh(a_n + logistic(a_r + s_r) * s) + z * h

    step = {RNN: rnn, GRU: gru}[kind]

    def loss(weights: Any, inputs: Any) -> Any:
        U, W, b, b_h = weights

        def advance(h: Any, a: Any) -> Any:
            h = step(h, a, W, b_h)
            return h, None

        h, _ = jax.lax.scan(advance, jnp.zeros(inputs.shape[1:]), inputs @ U.T + b)
        return h.sum()

    gradient = jax.jit(jax.grad(loss))
    expected = [each.grad.numpy() for each in layer.parameters()]
    for found, wanted in zip(gradient(weights, inputs), expected, strict=True):
        assert jnp.allclose(found, wanted, rtol=1e-3, atol=1e-3)
    return lambda: jax.block_until_ready(gradient(weights, inputs))


@at_every_size
def test_against_jax(compare, kind, batch, steps):
    if "intra_op_parallelism_threads=1" not in os.environ.get("XLA_FLAGS", ""):
        pytest.skip(
            'one thread: set XLA_FLAGS="--xla_cpu_multi_thread_eigen=false '
            'intra_op_parallelism_threads=1"'
        )
    ours, _ = twins(kind)
    x = torch.randn(batch, steps, SIZE)
    measured = training_step(ours, x, LAST)
    measured()
    compare(
        f"{kind.__name__}, JAX's jitted scan: {batch} x {steps}",
        measured,
        scan_step(kind, ours, x),
        calls=1000 // steps,
        wanted="1 is even",
    )
