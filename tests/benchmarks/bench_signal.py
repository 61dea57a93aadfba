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
@pytest.mark.parametrize("what", ["RNN with probe, without", "signal, model's plain pass"])
def test_against_a_plain_pass(compare, what, steps):
    model = rnn_classifier(VOCABULARY)
    layer, x = model.layer, torch.randn(8, steps, SIZE)
    tokens = torch.randint(VOCABULARY, (8, steps))

    def probe_alone() -> None:
        probe = torch.zeros(8, steps, SIZE, requires_grad=True)
        output, _ = layer(x, probe=probe)
        torch.autograd.grad(output[:, -1].sum(), probe)

    def plain_layer() -> None:
        layer.zero_grad()
        layer(x)[0][:, -1].sum().backward()

    def plain_model() -> None:
        model.zero_grad()
        logits = model(tokens)
        (logits[:, 0] - logits[:, 1]).sum().backward()

    pair = probe_alone, plain_layer
    if what.startswith("signal"):
        pair = lambda: signal(model, tokens), plain_model
    calls = max(1, 2000 // steps)
    compare(f"{what}: 8 x {steps}", *pair, calls=calls, upside_down=True, wanted="at most 1.3")
