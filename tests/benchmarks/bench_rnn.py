"""How fast the hand-written RNN and the gradient probe are.

    OMP_NUM_THREADS=1 pytest tests/benchmarks/bench_rnn.py

float32, input and hidden size 32, batch first, one call = forward and backward.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from helpers.measure.signal import signal
from helpers.networks.classifiers import Classifier
from helpers.networks.rnn import RNN

SIZE = 32
VOCABULARY = 100
LAST, ALL = "last-step loss", "all-steps loss"


def layers() -> tuple[RNN, nn.RNN]:
    """Ours and torch's with the same parameters."""
    torch.manual_seed(0)
    ours, theirs = RNN(SIZE, SIZE), nn.RNN(SIZE, SIZE, batch_first=True)
    theirs.load_state_dict(ours.state_dict())
    return ours, theirs


def training_step(layer: nn.Module, x: Tensor, loss: str) -> Callable[[], None]:
    """Forward, then backward to the four parameters and, if x requires it, to x."""

    def call() -> None:
        layer.zero_grad()
        x.grad = None
        output, _ = layer(x)
        (output[:, -1] if loss == LAST else output).sum().backward()

    return call


@pytest.mark.parametrize("leaves", ["parameters", "parameters, input"])
@pytest.mark.parametrize("loss", [LAST, ALL])
@pytest.mark.parametrize("steps", [100, 1000])
@pytest.mark.parametrize("batch", [8, 32])
def test_rnn_against_torch(compare, batch, steps, loss, leaves):
    ours, theirs = layers()
    x = torch.randn(batch, steps, SIZE, requires_grad="input" in leaves)
    compare(
        f"RNN, nn.RNN: {batch} x {steps}, {loss}" + (", dx" if "input" in leaves else ""),
        training_step(ours, x, loss),
        training_step(theirs, x, loss),
        calls=2000 // steps,
        wanted="at least 3",
    )


@pytest.mark.parametrize("steps", [100, 1000, 10_000])
def test_probe_against_plain_pass_of_the_layer(compare, steps):
    ours, _ = layers()
    x = torch.randn(8, steps, SIZE)

    def probe_alone() -> None:
        probe = torch.zeros(8, steps, SIZE, requires_grad=True)
        output, _ = ours(x, probe=probe)
        torch.autograd.grad(output[:, -1].sum(), probe)

    compare(
        f"RNN with probe, without: 8 x {steps}",
        probe_alone,
        training_step(ours, x, LAST),
        calls=max(1, 2000 // steps),
        upside_down=True,
        wanted="at most 1.3",
    )


@pytest.mark.parametrize("steps", [100, 1000, 10_000])
def test_signal_against_plain_pass_of_the_model(compare, steps):
    model = Classifier(VOCABULARY, layers()[0])
    tokens = torch.randint(VOCABULARY, (8, steps))

    def plain() -> None:
        model.zero_grad()
        logits = model(tokens)
        (logits[:, 0] - logits[:, 1]).sum().backward()

    compare(
        f"signal, model's plain pass: 8 x {steps}",
        lambda: signal(model, tokens),
        plain,
        calls=max(1, 2000 // steps),
        upside_down=True,
        wanted="at most 1.3",
    )


def signal_step_by_step(model: Classifier, tokens: Tensor) -> list[Tensor]:
    """The same signal, by one backward pass for each step."""
    cell = nn.RNNCell(SIZE, SIZE)
    cell.load_state_dict(
        {name.removesuffix("_l0"): value for name, value in model.layer.state_dict().items()}
    )
    states: list[Tensor] = []
    for x_t in model.embedding(tokens).unbind(1):
        states.append(cell(x_t, states[-1] if states else None))
    logits = model.readout(states[-1])
    margin = (logits[:, 0] - logits[:, 1]).sum()
    return [torch.autograd.grad(margin, h, retain_graph=True)[0].norm(dim=1) for h in states]


def test_probe_against_a_backward_for_each_step(compare):
    model = Classifier(VOCABULARY, layers()[0])
    tokens = torch.randint(VOCABULARY, (8, 100))
    compare(
        "signal, a backward for each step: 8 x 100",
        lambda: signal(model, tokens),
        lambda: signal_step_by_step(model, tokens),
        rounds=5,
    )
