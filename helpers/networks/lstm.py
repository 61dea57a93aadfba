"""An LSTM that takes a probe: PyTorch's layer, its cell state counted as part of the state.

In PyTorch's convention, row form, logistic(a) = 1 / (1 + e^-a):

    i_t, f_t, o_t = logistic(x_t W^T + b + h_{t-1} U^T + b'), each with its own rows
    g_t = tanh(x_t W_g^T + b_g + h_{t-1} U_g^T + b'_g)
    c_t = f_t * c_{t-1} + i_t * g_t        the cell, kept by the forget gate
    h_t = o_t * tanh(c_t)                  what the readout sees

Both go on to the next step, so the state that a signal can travel in is the pair.

Source: Hochreiter & Schmidhuber 1997, "Long short-term memory"; the forget gate from Gers,
Schmidhuber & Cummins 2000, "Learning to forget".
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class LSTM(nn.LSTM):
    """One-layer LSTM, torch.nn.LSTM(input_size, hidden_size, batch_first=True) with a probe."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size, batch_first=True)

    @property
    def state_size(self) -> int:
        """Entries of one state (h_t, c_t)."""
        return 2 * self.hidden_size

    def forward(  # type: ignore[override]
        self, input: Tensor, *, probe: Tensor | None = None
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Return output (batch, steps, hidden) and (h_n, c_n), (1, batch, hidden) each.

        input: (batch, steps, input), from h_0 = c_0 = 0. probe: (batch, steps, 2 hidden), added
        to h_t (first half) and c_t (second half) before they go on; with zeros that require a
        gradient, its gradient is the total derivative with respect to both. The steps are
        then taken one by one, slower. Raises ValueError if the probe has another shape.
        """
        if probe is None:
            return super().forward(input)
        shape = (*input.shape[:2], self.state_size)
        if probe.shape != shape:
            raise ValueError(f"probe must have shape {shape}; got {tuple(probe.shape)}")
        h = c = input.new_zeros(len(input), self.hidden_size)
        W, U, b, b_h = self.parameters()
        output = []
        for x_t, probe_t in zip(input.unbind(1), probe.unbind(1), strict=True):
            h, c = torch.lstm_cell(x_t, (h, c), W, U, b, b_h)
            to_h, to_c = probe_t.chunk(2, dim=1)
            h, c = h + to_h, c + to_c
            output.append(h)
        return torch.stack(output, dim=1), (h[None], c[None])
