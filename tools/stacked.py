"""Many classifiers of one kind trained side by side, each as `helpers.training.train` would.

A small network's step is mostly overhead: a product of 16 x 32 by 32 x 32 is over before
Python has asked for the next. Here the networks are the leading axis of every array, so one
call moves all of them. Each has its own parameters, sentences, rate, Adam moments and
clipping; nothing passes between them.

Arrays: M networks, N sentences, T steps, G gates, H units. States are (T + 1, M, N, H), the
gates' activations (G, T, M, N, H): what a step works on is one block of memory. A word enters
only through x W^T + b, so that is taken once for each word of the vocabulary, then looked up.

Sentences of different length share an array: they end together, and a network whose sentence
begins later has its state held at 0 until `starts`.

The equations are those of `helpers.networks`: rnn, skip, gru and lstm.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import nn

from helpers.networks import GRU, LSTM, RNN, Classifier, SkipRNN
from helpers.validation import Array

BETAS, EPSILON = (0.9, 0.999), 1e-8  # torch.optim.Adam's defaults


Held = Sequence[Array]  # for each of the first steps: which networks' sentences begin later


class Buffers:
    """Arrays that are used again, since making large ones anew costs more than filling them."""

    def __init__(self) -> None:
        self._memory: dict[str, Array] = {}

    def __call__(self, name: str, *shape: int) -> Array:
        size = int(np.prod(shape))
        if name not in self._memory or self._memory[name].size < size:
            self._memory[name] = np.empty(size, np.float32)
        return self._memory[name][:size].reshape(shape)


class SkipCell:
    """h = keep h + write phi(a): the plain RNN, the ReLU one, the leaky and the residual."""

    def __init__(self, keep: float, write: float, relu: bool) -> None:
        self.keep, self.write, self.relu = np.float32(keep), np.float32(write), relu

    def forward(self, x: Array, U: Array, bias: Array, held: Held, new: Buffers) -> Array:
        h, product, transposed = _begin(x, U, new)
        for t in range(x.shape[1]):
            a, new_h = x[0, t], h[t + 1]
            np.matmul(h[t], transposed[0], out=product[0])
            a += product[0]
            a += bias[0]
            np.maximum(a, 0, out=a) if self.relu else np.tanh(a, out=a)
            np.multiply(a, self.write, out=new_h)
            if self.keep:
                new_h += np.multiply(h[t], self.keep, out=product[0])
            _hold(new_h, t, held)
        return h

    def backward(self, e: Array, x: Array, h: Array, U: Array, held: Held, new: Buffers) -> Any:
        slope = x[0]
        if self.relu:
            np.greater(slope, 0, out=slope, casting="unsafe")
        else:
            np.subtract(1, np.multiply(slope, slope, out=slope), out=slope)
        slope *= self.write
        product = np.empty_like(e)
        for t in reversed(range(x.shape[1])):
            _hold(e, t, held)
            delta = slope[t]
            delta *= e
            np.matmul(delta, U[0], out=product)
            e *= self.keep
            e += product
        return x, x


class GRUCell:
    """`helpers.networks.gru`: gates r, z, n; h_{t-1} enters n by way of s alone."""

    def forward(self, x: Array, U: Array, bias: Array, held: Held, new: Buffers) -> Array:
        h, product, transposed = _begin(x, U, new)
        s = new("s", *x.shape[1:])
        for t in range(x.shape[1]):
            (r, z, n), s_t, new_h = x[:, t], s[t], h[t + 1]
            np.matmul(h[t], transposed, out=product)
            product += bias
            product[:2] += x[:2, t]
            x[:2, t] = _logistic(product[:2])
            s_t[:] = product[2]
            n += np.multiply(r, s_t, out=product[0])
            np.tanh(n, out=n)
            np.subtract(h[t], n, out=new_h)
            new_h *= z
            new_h += n
            _hold(new_h, t, held)
        return h

    def backward(self, e: Array, x: Array, h: Array, U: Array, held: Held, new: Buffers) -> Any:
        s = new("s", *x.shape[1:])
        deltas = new("deltas", 4, *x.shape[1:])  # of s, r, z, n
        product, closed, total = np.empty((3, *e.shape), "f4"), *np.empty((2, *e.shape), "f4")
        recurrent = np.ascontiguousarray(np.roll(U, 1, axis=0))  # for s, r, z
        for t in reversed(range(x.shape[1])):
            _hold(e, t, held)
            (r, z, n), (ds, dr, dz, dn) = x[:, t], deltas[:, t]
            np.subtract(1, z, out=closed)
            np.subtract(h[t], n, out=dz)
            dz *= z
            dz *= closed
            dz *= e
            closed *= e
            np.subtract(1, np.multiply(n, n, out=dn), out=dn)
            dn *= closed
            np.multiply(dn, r, out=ds)
            np.subtract(1, r, out=dr)
            dr *= s[t]
            dr *= ds
            np.matmul(deltas[:3, t], recurrent, out=product)
            e *= z
            e += np.add.reduce(product, axis=0, out=total)
        return deltas[1:], deltas[:3]


class LSTMCell:
    """`helpers.networks.lstm`: gates i, f, g, o."""

    def forward(self, x: Array, U: Array, bias: Array, held: Held, new: Buffers) -> Array:
        h, product, transposed = _begin(x, U, new)
        c, tanhs = new("c", *h.shape), new("tanhs", *x.shape[1:])
        c[0] = 0
        for t in range(x.shape[1]):
            (i, f, g, o), new_c, tanh = x[:, t], c[t + 1], tanhs[t]
            np.matmul(h[t], transposed, out=product)
            product += bias
            product += x[:, t]
            x[:2, t] = _logistic(product[:2])
            np.tanh(product[2], out=g)
            o[:] = _logistic(product[3])
            np.multiply(f, c[t], out=new_c)
            new_c += np.multiply(i, g, out=product[0])
            _hold(new_c, t, held)
            np.multiply(o, np.tanh(new_c, out=tanh), out=h[t + 1])
        return h

    def backward(self, e: Array, x: Array, h: Array, U: Array, held: Held, new: Buffers) -> Any:
        c, tanhs = new("c", *h.shape), new("tanhs", *x.shape[1:])
        deltas = new("deltas", *x.shape)
        product, to_cell, slope = (
            np.empty(U.shape[:1] + e.shape, "f4"),
            *np.zeros((2, *e.shape), "f4"),
        )
        for t in reversed(range(x.shape[1])):
            _hold(e, t, held)
            (i, f, g, o), (di, df, dg, do), tanh = x[:, t], deltas[:, t], tanhs[t]
            np.subtract(1, np.multiply(tanh, tanh, out=slope), out=slope)
            slope *= o
            slope *= e
            to_cell += slope
            _hold(to_cell, t, held)
            np.subtract(1, x[:, t], out=deltas[:, t])
            di *= i
            di *= g
            df *= f
            df *= c[t]
            dg *= np.add(1, g, out=slope)
            dg *= i
            deltas[:3, t] *= to_cell
            do *= o
            do *= tanh
            do *= e
            to_cell *= f
            np.matmul(deltas[:, t], U, out=product)
            np.add.reduce(product, axis=0, out=e)
        return deltas, deltas


def _begin(x: Array, U: Array, new: Buffers) -> tuple[Array, Array, Array]:
    """States to fill, h_0 = 0; one step's products; U transposed, in memory as well."""
    gates, steps, *rest = x.shape
    h = new("h", steps + 1, *rest)
    h[0] = 0
    return h, np.empty((gates, *rest), np.float32), np.ascontiguousarray(U.swapaxes(-1, -2))


def _hold(state: Array, t: int, held: Held) -> None:
    """Put 0 where the sentence has not begun at step t."""
    if t < len(held):
        state[held[t]] = 0


def _logistic(a: Array) -> Array:
    """1 / (1 + e^-a), over a."""
    a *= 0.5
    np.tanh(a, out=a)
    a *= 0.5
    a += 0.5
    return a


def _cell(layer: nn.Module) -> SkipCell | GRUCell | LSTMCell:
    if isinstance(layer, GRU):
        return GRUCell()
    if isinstance(layer, LSTM):
        return LSTMCell()
    if isinstance(layer, SkipRNN):
        return SkipCell(layer.keep, layer.write, relu=False)
    assert isinstance(layer, RNN)
    return SkipCell(0, 1, relu=layer.nonlinearity == "relu")


def together(batches: Sequence[tuple[Array, Array]]) -> tuple[Array, Array, Array]:
    """Tokens (M, T, N), labels (M, N) and first steps (M,) of one batch for each network."""
    steps = max(tokens.shape[1] for tokens, _ in batches)
    starts = np.array([steps - tokens.shape[1] for tokens, _ in batches])
    padded = np.zeros((len(batches), steps, len(batches[0][0])), np.int64)
    for row, start, (tokens, _) in zip(padded, starts, batches, strict=True):
        row[start:] = tokens.T
    return padded, np.stack([labels for _, labels in batches]), starts


class Stack:
    """Classifiers of one kind and size, each to be trained by Adam at its own rate.

    models: of one architecture; rates: one for each; clip_norm: of each one's gradient.
    values: (M, parameters), every network's parameters in one row, in its own order.
    """

    def __init__(
        self, models: Sequence[Classifier], rates: Sequence[float], clip_norm: float
    ) -> None:
        self.cell = _cell(models[0].layer)
        self.shapes = {name: tuple(p.shape) for name, p in models[0].named_parameters()}
        rows = [nn.utils.parameters_to_vector(model.parameters()) for model in models]
        self.values = torch.stack(rows).detach().numpy().astype(np.float32)
        self.gradients = np.zeros_like(self.values)
        self.moments = np.zeros((2, *self.values.shape), np.float32)
        self.rates = np.array(rates, np.float32)[:, None]
        self.clip_norm, self.steps = clip_norm, 0
        self.buffers = Buffers()

    def __len__(self) -> int:
        return len(self.values)

    def keep(self, which: Array) -> None:
        """Go on with these networks alone; which (M,), booleans."""
        self.values, self.rates = self.values[which], self.rates[which]
        self.gradients, self.moments = self.gradients[which], self.moments[:, which].copy()

    def named(self, rows: Array) -> dict[str, Array]:
        """Views (M, *shape) of rows (M, parameters) by parameter."""
        views, start = {}, 0
        for name, shape in self.shapes.items():
            stop = start + int(np.prod(shape))
            views[name] = rows[:, start:stop].reshape(len(rows), *shape)
            start = stop
        return views

    def logits(self, tokens: Array, starts: Array) -> Array:
        """Logits (M, N, 2) of tokens (M, T, N); starts (M,): the steps where they begin."""
        p = self.named(self.values)
        hidden = p["layer.weight_hh_l0"].shape[-1]
        self.W, self.U = (_gates(p[f"layer.weight_{each}_l0"], hidden) for each in ("ih", "hh"))
        b, bias = (_gates(p[f"layer.bias_{each}_l0"], hidden) for each in ("ih", "hh"))
        table = np.matmul(p["embedding.weight"], self.W.swapaxes(-1, -2)) + b[..., None, :]
        gates, networks, words, _ = self.table_shape = table.shape
        first = np.arange(gates * networks).reshape(gates, 1, networks, 1) * words
        rows = first + tokens.swapaxes(0, 1)
        self.rows = rows.ravel()
        self.x = self.buffers("x", *rows.shape, hidden)
        torch.index_select(
            torch.from_numpy(table.reshape(-1, hidden)),
            0,
            torch.from_numpy(self.rows),
            out=torch.from_numpy(self.x.reshape(-1, hidden)),
        )
        bias = np.repeat(bias[..., None, :], tokens.shape[-1], axis=2)
        self.held = [starts > t for t in range(starts.max())]
        self.h = self.cell.forward(self.x, self.U, bias, self.held, self.buffers)
        return (
            np.matmul(self.h[-1], p["readout.weight"].swapaxes(1, 2)) + (p["readout.bias"][:, None])
        )

    def step(self, tokens: Array, labels: Array, starts: Array) -> tuple[Array, Array]:
        """Train once. tokens, starts: as for `logits`; labels (M, N).

        Returns how many answers were right (M,), and whether the gradient was finite (M,).
        """
        logits = self.logits(tokens, starts)
        odds = np.exp(logits - logits.max(-1, keepdims=True))
        d_logits = odds / odds.sum(-1, keepdims=True)
        np.put_along_axis(
            d_logits, labels[..., None],
            np.take_along_axis(d_logits, labels[..., None], -1) - 1, -1,
        )  # fmt: skip
        d_logits /= labels.shape[1]
        self.backpropagate(d_logits)
        norms = np.sqrt(np.einsum("mp,mp->m", self.gradients, self.gradients))
        self.gradients *= np.minimum(1, self.clip_norm / (norms + 1e-6))[:, None]
        self._adam()
        return (logits.argmax(-1) == labels).sum(1), np.isfinite(norms)

    def backpropagate(self, d_logits: Array) -> None:
        """Put the gradient of each network's loss into `gradients`, from d_logits (M, N, 2)."""
        p, d = self.named(self.values), self.named(self.gradients)
        x, h, hidden = self.x, self.h, self.h.shape[-1]
        d["readout.weight"][:] = np.matmul(d_logits.swapaxes(1, 2), h[-1])
        d["readout.bias"][:] = d_logits.sum(1)
        e = np.matmul(d_logits, p["readout.weight"])
        from_words, from_states = self.cell.backward(e, x, h, self.U, self.held, self.buffers)

        rows = self._by_network("rows", from_states)
        before = self._by_network("before", h[:-1])
        d_U, d_bias = np.matmul(rows.swapaxes(-1, -2), before), _sum(rows)
        if isinstance(self.cell, GRUCell):
            d_U, d_bias = np.roll(d_U, -1, axis=0), np.roll(d_bias, -1, axis=0)
        _gates(d["layer.weight_hh_l0"], hidden)[:] = d_U
        _gates(d["layer.bias_hh_l0"], hidden)[:] = d_bias

        d_table = np.zeros(self.table_shape, np.float32)
        torch.from_numpy(d_table.reshape(-1, hidden)).index_add_(
            0, torch.from_numpy(self.rows), torch.from_numpy(from_words.reshape(-1, hidden))
        )
        embedding = p["embedding.weight"]
        _gates(d["layer.weight_ih_l0"], hidden)[:] = np.matmul(d_table.swapaxes(-1, -2), embedding)
        _gates(d["layer.bias_ih_l0"], hidden)[:] = _sum(d_table)
        d["embedding.weight"][:] = np.matmul(d_table, self.W).sum(0)

    def _by_network(self, name: str, sequence: Array) -> Array:
        """Copy (..., T, M, N, H) to one matrix for each network, (..., M, T N, H)."""
        *gates, steps, networks, sentences, hidden = sequence.shape
        copy = self.buffers(name, *gates, networks, steps, sentences, hidden)
        copy[:] = sequence.swapaxes(-4, -3)
        return copy.reshape(*gates, networks, -1, hidden)

    def _adam(self) -> None:
        self.steps += 1
        first, second = self.moments
        (beta, beta_2), change = BETAS, self.gradients
        first *= beta
        second *= beta_2
        first += (1 - beta) * change
        change *= change
        second += (1 - beta_2) * change
        np.sqrt(second, out=change)
        change /= math.sqrt(1 - beta_2**self.steps)
        change += EPSILON
        np.divide(first, change, out=change)
        change *= self.rates / (1 - beta**self.steps)
        self.values -= change


def _gates(parameter: Array, hidden: int) -> Array:
    """View (M, G H, ...) as (G, M, H, ...)."""
    split = parameter.reshape(len(parameter), -1, hidden, *parameter.shape[2:])
    return split.swapaxes(0, 1)


def _sum(rows: Array) -> Array:
    """Sum over the last axis but one, as a product, which is faster."""
    return np.matmul(np.ones((1, rows.shape[-2]), np.float32), rows)[..., 0, :]
