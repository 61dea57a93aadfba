"""Exercises of notebook 07: the gate's bias and what it keeps, and the GRU step."""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations
from typing import Any

import numpy as np

from helpers.checks.attempt import Case
from helpers.checks.compare import Mistake, compare
from helpers.checks.registry import exercise
from helpers.validation import Array

BIAS, GAP = 4.0, 40
SIZES = ((4, 4), (3, 3), (5, 2), (2, 6))  # (hidden, input)


def _logistic(a: Array) -> Array:
    return 1 / (1 + np.exp(-a))


class _Blocks:
    """The terms of one GRU step in PyTorch's order, so that mistakes can be put together."""

    def __init__(self, x, h, W, U, b, c):
        n = len(h)
        self.h, self.U_n, self.c_n = h, U[2 * n :], c[2 * n :]
        self.i_r, self.i_z, self.i_n = np.split(W @ x + b, 3)
        self.h_r, self.h_z, self.s = np.split(U @ h + c, 3)
        self.r, self.z = _logistic(self.i_r + self.h_r), _logistic(self.i_z + self.h_z)

    def mixed(self, n: Array, z: Array | None = None) -> Array:
        z = self.z if z is None else z
        return (1 - z) * n + z * self.h

    def right(self) -> Array:
        return self.mixed(np.tanh(self.i_n + self.r * self.s))

    def z_for_its_rest(self) -> Array:
        return self.mixed(np.tanh(self.i_n + self.r * self.s), 1 - self.z)

    def reset_before(self) -> Array:
        return self.mixed(np.tanh(self.i_n + self.U_n @ (self.r * self.h) + self.c_n))

    def reset_before_with_bias(self) -> Array:
        return self.mixed(np.tanh(self.i_n + self.r * (self.U_n @ (self.r * self.h)) + self.c_n))

    def ng(self) -> Array:
        return self.mixed(np.tanh(self.i_n + self.U_n @ (self.r * self.h) + self.c_n), 1 - self.z)

    def ng_simplified(self) -> Array:
        return self.mixed(np.tanh(self.i_n + self.s), 1 - self.z)

    def tanh_gates(self) -> Array:
        r, z = np.tanh(self.i_r + self.h_r), np.tanh(self.i_z + self.h_z)
        return self.mixed(np.tanh(self.i_n + r * self.s), z)

    def bias_outside(self) -> Array:
        return self.mixed(np.tanh(self.i_n + self.r * (self.s - self.c_n) + self.c_n))

    def no_tanh(self) -> Array:
        return self.mixed(self.i_n + self.r * self.s)

    def no_reset(self) -> Array:
        return self.mixed(np.tanh(self.i_n + self.s))

    def reset_on_input(self) -> Array:
        return self.mixed(np.tanh(self.r * (self.i_n + self.s)))

    def logistic_candidate(self) -> Array:
        return self.mixed(_logistic(self.i_n + self.r * self.s))

    def nothing_kept(self) -> Array:
        return (1 - self.z) * np.tanh(self.i_n + self.r * self.s)

    def candidate_alone(self) -> Array:
        return np.tanh(self.i_n + self.r * self.s)


def _in_order(*places: int) -> Callable[..., Array]:
    """A right step that takes its blocks r, z, n from other places of the rows."""

    def reordered(rows: Array) -> Array:
        blocks = np.split(rows, 3)
        return np.concatenate([blocks[place] for place in places])

    return lambda x, h, W, U, b, c: _Blocks(x, h, *map(reordered, (W, U, b, c))).right()


def _turned(rows: Array) -> Array:
    """Each of the three square blocks transposed."""
    return np.concatenate([block.T for block in np.split(rows, 3)])


def _mistake(says: str, name: str) -> Mistake:
    return Mistake(says, lambda **case: getattr(_Blocks(**case), name)())


ORDER = "The blocks are in the wrong order: the rows stand as r, z, n."
TURNED = "Is a matrix transposed? Row i of a block belongs to unit i of the new state."
GRU_MISTAKES = (
    _mistake(
        "z and 1 - z seem swapped: in PyTorch's convention z near 1 keeps the old state.",
        "z_for_its_rest",
    ),
    _mistake(
        "The reset gate is in the wrong place: PyTorch applies it after the matrix product with h.",
        "reset_before",
    ),
    _mistake(
        "The reset gate acts twice: once, after the matrix product.", "reset_before_with_bias"
    ),
    _mistake(
        "This is Ng's form: PyTorch's z says how much is kept, not how much is written, and its r "
        "acts after the matrix product with h.",
        "ng",
    ),
    _mistake(
        "This is Ng's simplified form: it has no reset gate, and its update gate says how much "
        "is written; PyTorch's z says how much is kept.",
        "ng_simplified",
    ),
    *(Mistake(ORDER, _in_order(*places)) for places in list(permutations(range(3)))[1:]),
    _mistake(
        "The gates are to lie between 0 and 1: they have the logistic, not tanh.", "tanh_gates"
    ),
    Mistake(TURNED, lambda x, h, W, U, b, c: _Blocks(x, h, W, _turned(U), b, c).right()),
    Mistake(TURNED, lambda x, h, W, U, b, c: _Blocks(x, h, _turned(W), U, b, c).right()),
    Mistake(TURNED, lambda x, h, W, U, b, c: _Blocks(x, h, _turned(W), _turned(U), b, c).right()),
    Mistake(
        "W and U seem swapped: which of the two meets the old state?",
        lambda x, h, W, U, b, c: _Blocks(x, h, U, W, b, c).right(),
    ),
    Mistake(
        "b and c seem swapped: b goes with the word, c with the old state.",
        lambda x, h, W, U, b, c: _Blocks(x, h, W, U, c, b).right(),
    ),
    _mistake(
        "c_n stands outside of the reset gate: it belongs to s, the term that r multiplies.",
        "bias_outside",
    ),
    _mistake("The candidate n is not bounded: where is its tanh?", "no_tanh"),
    _mistake("The reset gate r has no effect: where does it act?", "no_reset"),
    _mistake(
        "The reset gate acts on the input too: it is for the old state only.", "reset_on_input"
    ),
    _mistake("The candidate n has a tanh; the logistic is for the gates.", "logistic_candidate"),
    _mistake(
        "The old state is missing from the result: z says how much of it stays.", "nothing_kept"
    ),
    _mistake(
        "This is the candidate n: the update gate has still to mix it with h.", "candidate_alone"
    ),
    Mistake(
        "The biases are missing.",
        lambda x, h, W, U, b, c: _Blocks(x, h, W, U, 0 * b, 0 * c).right(),
    ),
    Mistake(
        "One of the two biases is missing: c.",
        lambda x, h, W, U, b, c: _Blocks(x, h, W, U, b, 0 * c).right(),
    ),
    Mistake(
        "One of the two biases is missing: b.",
        lambda x, h, W, U, b, c: _Blocks(x, h, W, U, 0 * b, c).right(),
    ),
)


@exercise("07", 1, "The GRU step", points=3, minutes=15, difficulty=3)
def gru_step(answer: Any) -> str:
    """Check a function of (x, h, W, U, b, c) that returns the next state (hidden,)."""
    rng = np.random.default_rng(502)
    cases: list[Case] = [
        {
            "x": rng.normal(size=size),
            "h": rng.uniform(-0.9, 0.9, hidden),
            "W": rng.normal(0, 0.7, (3 * hidden, size)),
            "U": rng.normal(0, 0.7, (3 * hidden, hidden)),
            "b": rng.normal(0, 0.7, 3 * hidden),
            "c": rng.normal(0, 0.7, 3 * hidden),
        }
        for hidden, size in SIZES
    ]
    return compare(
        answer, cases, lambda **case: _Blocks(**case).right(), GRU_MISTAKES, shape="(hidden,)"
    )


NG_SIGN = "The sign is that of Ng's gate, how much is written; PyTorch's z is how much is kept."
SPAN_MISTAKES = (
    Mistake(
        "This gives z = 1 - 1/(T + 1), a span of one step more: little for a long span, and "
        "much for T = 2.",
        lambda T: np.log(T),
    ),
    Mistake(
        NG_SIGN,
        lambda T: -np.log(T - 1),
    ),
    Mistake(NG_SIGN, lambda T: -np.log(T)),
    Mistake(
        "Twice too large: with the whole in both of PyTorch's biases the span is T squared, not T.",
        lambda T: 2 * np.log(T - 1),
    ),
    Mistake("This is the span; which bias makes the gate keep a state for so long?", lambda T: T),
    Mistake(
        "This is the gate z; the bias is what goes into the logistic to give it.",
        lambda T: 1 - 1 / T,
    ),
    Mistake("This is 1 - z; find z first, then what goes into the logistic.", lambda T: 1 / T),
    Mistake(
        "The logarithm is to another base: the logistic is built on e.", lambda T: np.log10(T - 1)
    ),
    Mistake(
        "The logarithm is to another base: the logistic is built on e.", lambda T: np.log2(T - 1)
    ),
    Mistake("The logistic is missing its inverse: this is logistic(T).", lambda T: _logistic(T)),
    Mistake("This is the odds of keeping; the bias is on another scale.", lambda T: T - 1),
)


@exercise("07", 3, "A bias for a memory span", points=2, minutes=8, difficulty=2)
def bias_for_span(answer: Any) -> str:
    """Check a function of T that returns a bias."""
    cases: list[Case] = [{"T": T} for T in (10.0, 2.0, 3.0, 100.0, 1000.0)]
    said = compare(answer, cases, lambda T: np.log(T - 1), SPAN_MISTAKES)
    return said.replace("random inputs of several sizes", "spans from 2 to 1,000")
