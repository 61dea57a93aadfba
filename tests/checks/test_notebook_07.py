"""Answers to notebook 07's exercises: right ones written differently, wrong ones named."""

from __future__ import annotations

import math

import numpy as np
import torch
from planted import planted_tests

from helpers import networks
from helpers.checks.results import FAILED, WRONG_SHAPE
from helpers.task.lexicon import vocabulary, word_classes

V = len(vocabulary())


def gru_in_numpy(x, h, W_hh, W_ih, b_ih, b_hh):
    n = len(h)
    a, s = W_ih @ x + b_ih, W_hh @ h + b_hh
    gates = 1 / (1 + np.exp(-(a + s)[: 2 * n]))
    candidate = np.tanh(a[2 * n :] + gates[:n] * s[2 * n :])
    return candidate + gates[n:] * (h - candidate)


def gru_in_torch(x, h, W_hh, W_ih, b_ih, b_hh):
    (i_r, i_z, i_n), (h_r, h_z, h_n) = (W_ih @ x + b_ih).chunk(3), (W_hh @ h + b_hh).chunk(3)
    r, z = torch.sigmoid(i_r + h_r), torch.sigmoid(i_z + h_z)
    return ((1 - z) * torch.tanh(i_n + r * h_n) + z * h).float()


def gru_by_module(x, h, W_hh, W_ih, b_ih, b_hh):
    cell = torch.nn.GRUCell(len(x), len(h)).double()
    given = {"weight_ih": W_ih, "weight_hh": W_hh, "bias_ih": b_ih, "bias_hh": b_hh}
    cell.load_state_dict({name: torch.as_tensor(each) for name, each in given.items()})
    return cell(torch.as_tensor(x)[None], torch.as_tensor(h)[None])[0]


def logistic(a):
    return 1 / (1 + np.exp(-a))


def gru(change):
    """A GRU step; change(parts) returns h' from the parts."""

    def step(x, h, W, U, b, b_h):
        (x_r, x_z, x_n), (h_r, h_z, s) = np.split(U @ x + b, 3), np.split(W @ h + b_h, 3)
        W_n, b_s = np.split(W, 3)[2], np.split(b_h, 3)[2]
        return change(logistic(x_r + h_r), logistic(x_z + h_z), x_n, s, h, W_n, b_s)

    return step


def gru_of(change):
    """A right GRU step of changed weights; change takes and returns W, U, b and b_h."""
    right = gru(lambda r, z, i, s, h, U, b: (1 - z) * np.tanh(i + r * s) + z * h)
    return lambda x, h, *weights: right(x, h, *change(*weights))


def gru_with_tanh_gates(x, h, W, U, b, b_h):
    (x_r, x_z, x_n), (h_r, h_z, s) = np.split(U @ x + b, 3), np.split(W @ h + b_h, 3)
    r, z = np.tanh(x_r + h_r), np.tanh(x_z + h_z)
    return (1 - z) * np.tanh(x_n + r * s) + z * h


def rolled(rows):
    return np.roll(rows, -len(rows) // 3, axis=0)


def turned(rows):
    return np.concatenate([block.T for block in np.split(rows, 3)])


def times(vector, matrix):
    return vector[:, None] * matrix


def untrained_gru(update=0.0, reset=0.0, both=False):
    """What a run returns that has set these biases and not trained."""

    def run():
        gru = networks.GRU(32, 32)
        rows = torch.tensor([reset, update, 0.0]).repeat_interleave(32)
        gru.bias_hh_l0.data, gru.bias_ih_l0.data = rows, rows * both
        return networks.seeded(0, lambda: networks.Classifier(V, gru))

    return run


TRANSPOSED = "Is a matrix transposed?"
RIGHT = {
    "gru_step": [gru_in_numpy, gru_in_torch, gru_by_module],
    "update_term": [
        lambda h, n, z, W_z: ((h - n) * z * (1 - z))[:, None] * W_z,
        lambda h, n, z, W_z: np.diag((h - n) * (z - z**2)) @ np.asarray(W_z),
        lambda h, n, z, W_z: torch.diag((h - n) * z * (1 - z)) @ W_z,
        lambda h, n, z, W_z: [
            [(h[i] - n[i]) * z[i] * (1 - z[i]) * w for w in row] for i, row in enumerate(W_z)
        ],
    ],
    "my_run": [
        lambda: networks.latch_classifier(word_classes()),
        lambda: (networks.latch_classifier(word_classes()).double(), "its history"),
        lambda: torch.nn.Sequential(networks.latch_classifier(word_classes())),
        lambda: [networks.latch_classifier(word_classes())][0].eval(),
    ],
    "bias_for_span": [
        lambda T: math.log(T - 1),
        lambda T: torch.logit(torch.tensor(1 - 1 / T, dtype=torch.float64)),
        lambda T: np.log([(1 - 1 / T) / (1 / T)]),
        lambda T: -math.log(1 / (1 - 1 / T) - 1),
    ],
}
WRONG = {
    "gru_step": [
        (gru(lambda r, z, i, s, h, W, b: z * np.tanh(i + r * s) + (1 - z) * h), "z and 1 - z"),
        (gru(lambda r, z, i, s, h, W, b: (1 - z) * np.tanh(i + W @ (r * h) + b) + z * h),
         "after the matrix product"),
        (gru(lambda z, r, i, s, h, W, b: (1 - z) * np.tanh(i + r * s) + z * h),
         "the rows hold r, then z, then n"),
        (gru(lambda r, z, i, s, h, W, b: (1 - z) * np.tanh(i + r * (W @ h) + b) + z * h),
         "outside the reset gate"),
        (gru(lambda r, z, i, s, h, W, b: (1 - z) * (i + r * s) + z * h), "where is its tanh"),
        (gru(lambda r, z, i, s, h, W, b: (1 - z) * np.tanh(i + s) + z * h), "r has no effect"),
        (gru(lambda r, z, i, s, h, W, b: (1 - z) * np.tanh(r * (i + s)) + z * h),
         "acts on the word as well"),
        (gru(lambda r, z, i, s, h, W, b: (1 - z) * np.tanh(i + r * (W @ (r * h)) + b) + z * h),
         "acts twice"),
        (gru(lambda r, z, i, s, h, W, b: (1 - z) * logistic(i + r * s) + z * h),
         "the logistic is for the gates"),
        (gru(lambda r, z, i, s, h, W, b: (1 - z) * np.tanh(i + r * s)), "The old state is missing"),
        (gru(lambda r, z, i, s, h, W, b: np.tanh(i + r * s)), "This is the candidate"),
        (gru(lambda r, z, i, s, h, W, b: z * np.tanh(i + W @ (r * h) + b) + (1 - z) * h),
         "This is Ng's form"),
        (gru(lambda r, z, i, s, h, W, b: z * np.tanh(i + s) + (1 - z) * h), "Ng's simplified form"),
        (gru_with_tanh_gates, "they use the logistic, not tanh"),
        (gru_of(lambda *given: map(rolled, given)), "r, then z, then n"),
        (gru_of(lambda W, U, b, c: (W, turned(U), b, c)), TRANSPOSED),
        (gru_of(lambda W, U, b, c: (turned(W), U, b, c)), TRANSPOSED),
        (gru_of(lambda W, U, b, c: (turned(W), turned(U), b, c)), TRANSPOSED),
        (gru_of(lambda W, U, b, c: (U, W, b, c)), "W and U seem swapped"),
        (gru_of(lambda W, U, b, c: (W, U, c, b)), "b and b_h seem swapped"),
        (gru_of(lambda W, U, b, c: (W, U, 0 * b, c)), "is missing: b."),
        (gru_of(lambda W, U, b, c: (W, U, b, 0 * c)), "is missing: b_h."),
        (gru_of(lambda W, U, b, c: (W, U, 0 * b, 0 * c)), "The biases are missing"),
        (lambda x, h, W, U, b, c: np.tanh(U @ x + W @ h + b + c),
         "should have (hidden,)", WRONG_SHAPE),
    ],
    "update_term": [
        (lambda h, n, z, W: times((n - h) * z * (1 - z), W), "sign is turned"),
        (lambda h, n, z, W: times((h + n) * z * (1 - z), W), "which sign"),
        (lambda h, n, z, W: times(h * z * (1 - z), W), "in two terms"),
        (lambda h, n, z, W: times(-n * z * (1 - z), W), "in two terms"),
        (lambda h, n, z, W: times(h - n, W), "slope of the logistic"),
        (lambda h, n, z, W: times((h - n) * z, W), "one is missing"),
        (lambda h, n, z, W: times((h - n) * (1 - z), W), "one is missing"),
        (lambda h, n, z, W: times((h - n) * (1 - z * z), W), "slope of tanh"),
        (lambda h, n, z, W: (h - n) * z * (1 - z) * W, "the columns"),
        (lambda h, n, z, W: times((h - n) * z * (1 - z), W.T), "transposed"),
        (lambda h, n, z, W: np.diag((h - n) * z * (1 - z)), "W_z is missing"),
        (lambda h, n, z, W: np.diag(z) + times((h - n) * z * (1 - z), W), "the state's own way"),
        (lambda h, n, z, W: (h - n) * z * (1 - z), "no matrix in it", WRONG_SHAPE),
        (lambda h, n, z, W: (h - n) * z * (1 - z) * (W @ h), "times a vector", WRONG_SHAPE),
    ],
    "my_run": [
        (untrained_gru(math.log(300)), "more steps, or another"),
        (untrained_gru(), "far too short"),
        (untrained_gru(math.log(300), both=True), "in both of them?"),
        (untrained_gru(-math.log(300)), "with this sign it writes"),
        (untrained_gru(reset=math.log(300)), "reset gate's rows"),
        (lambda: networks.rnn_classifier(V), "holds no GRU"),
        (lambda: 0.97, "the trained network itself", FAILED),
        (lambda: networks.GRU(32, 32), "cannot read a batch", FAILED),
    ],
    "bias_for_span": [
        (lambda T: math.log(T), "1 - 1/(T + 1)"),
        (lambda T: -math.log(T - 1), "Ng's gate"),
        (lambda T: -math.log(T), "Ng's gate"),
        (lambda T: 2 * math.log(T - 1), "T squared"),
        (lambda T: T, "This is the span"),
        (lambda T: 1 - 1 / T, "This is the gate"),
        (lambda T: 1 / T, "This is 1 - z"),
        (lambda T: math.log10(T - 1), "another base"),
        (lambda T: math.log2(T - 1), "another base"),
        (lambda T: T - 1, "the odds"),
        (lambda T: math.log(T - 1) / 2, "0.5 times"),
        (lambda T: [math.log(T - 1)] * 3, "one number is needed", WRONG_SHAPE),
    ],
}  # fmt: skip

test_right, test_wrong = planted_tests(RIGHT, WRONG)
