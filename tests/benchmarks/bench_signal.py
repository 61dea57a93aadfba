"""What the probe and the signal cost beside a plain pass of the same layer or model.

OMP_NUM_THREADS=1 pytest tests/benchmarks/bench_signal.py
"""

from __future__ import annotations

import pytest
import torch

from helpers.measure.signal import signal
from helpers.networks.classifiers import rnn_classifier

SIZE, VOCABULARY = 32, 100


@pytest.mark.parametrize("steps", [100, 1000, 10_000])
def test_probe_against_plain_pass_of_the_layer(compare, steps):
    layer = rnn_classifier(VOCABULARY).layer
    x = torch.randn(8, steps, SIZE)

    def plain() -> None:
        layer.zero_grad()
        layer(x)[0][:, -1].sum().backward()

    def probe_alone() -> None:
        probe = torch.zeros(8, steps, SIZE, requires_grad=True)
        output, _ = layer(x, probe=probe)
        torch.autograd.grad(output[:, -1].sum(), probe)

    compare(
        f"RNN with probe, without: 8 x {steps}",
        probe_alone,
        plain,
        calls=max(1, 2000 // steps),
        upside_down=True,
        wanted="at most 1.3",
    )


@pytest.mark.parametrize("steps", [100, 1000, 10_000])
def test_signal_against_plain_pass_of_the_model(compare, steps):
    model = rnn_classifier(VOCABULARY)
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
