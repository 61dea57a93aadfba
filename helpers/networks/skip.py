"""A tanh step with a skip from state to state: leaky, or residual.

    h_t = keep * h_{t-1} + write * tanh(x_t W^T + b + h_{t-1} U^T + b')

with two fixed numbers. The plain RNN has keep 0 and write 1. A leaky step has keep 1 - a and
write a, so its state is a running mean of its candidates; a residual step has keep 1 and
write a, so its state is their sum and can grow without bound.

Source: Jaeger et al. 2007, "Optimization and applications of echo state networks with
leaky-integrator neurons", for the leaky step; He et al. 2016, "Deep residual learning for
image recognition", for the residual one.
"""

from __future__ import annotations

import torch
from torch import Tensor

from helpers.networks.layer import RecurrentLayer


class SkipRNN(RecurrentLayer):
    """One-layer tanh RNN with a skip, differentiated by PyTorch.

    input_size, hidden_size: features of one input x_t and of one state h_t.
    keep: share of the old state that goes on untouched; write: factor of what is added.
    Parameters are named and drawn as torch.nn.RNN's.
    """

    def __init__(self, input_size: int, hidden_size: int, *, keep: float, write: float) -> None:
        super().__init__(input_size, hidden_size)
        self.keep, self.write = keep, write

    def forward(
        self, input: Tensor, hx: Tensor | None = None, *, probe: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return output and h_n; the call of `RecurrentLayer.forward`, with its errors."""
        inputs, h, probe = self.steps_first(input, hx, probe)
        a = inputs @ self.weight_ih_l0.T + self.bias_ih_l0 + self.bias_hh_l0
        if h is None:
            h = a.new_zeros(a.shape[1:])
        states = []
        for t, a_t in enumerate(a):
            h = self.keep * h + self.write * torch.tanh(a_t + h @ self.weight_hh_l0.T)
            if probe is not None:
                h = h + probe[t]
            states.append(h)
        return torch.stack(states, dim=1), h[None]
