"""Exercises of notebook 07: the GRU's step, its update gate's way back, a bias, a run."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import permutations
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from helpers.checks.attempt import Case, attempt
from helpers.checks.compare import Mistake, compare
from helpers.checks.registry import exercise
from helpers.checks.results import WRONG_VALUES, Verdict
from helpers.checks.trained import RUN_SECONDS, SENTENCES, WANTED, accuracy_of, network
from helpers.figures.picture import about
from helpers.figures.picture import size as sized
from helpers.task.agreement import AgreementTask
from helpers.validation import Array

SIZES = ((4, 4), (3, 3), (5, 2), (2, 6))  # (hidden, input)
GAP = 300


def _logistic(a: Array) -> Array:
    return 1 / (1 + np.exp(-a))


def _gru(new: Callable[..., Array], gate: Callable[[Array], Array] = _logistic) -> Any:
    """A step in PyTorch's order of rows: new(r, z, a, s, h, W, b) gives h'.

    a: what the word brings to the candidate; s: what the old state does, W h + b.
    """

    def step(x, h, W, U, b, b_h):
        (x_r, x_z, a), (h_r, h_z, s) = np.split(U @ x + b, 3), np.split(W @ h + b_h, 3)
        W_n, b_s = np.split(W, 3)[2], np.split(b_h, 3)[2]
        return new(gate(x_r + h_r), gate(x_z + h_z), a, s, h, W_n, b_s)

    return step


def _right(r, z, a, s, h, W, b):
    return (1 - z) * np.tanh(a + r * s) + z * h


_right_step = _gru(_right)


def _gru_of(change: Callable[..., tuple[Array, ...]]) -> Callable[..., Array]:
    """A right step of changed weights: change takes and returns W, U, b and b_h."""
    return lambda x, h, W, U, b, b_h: _right_step(x, h, *change(W, U, b, b_h))


def _in_order(*places: int) -> Callable[..., Array]:
    """A right step that takes its blocks r, z, n from other places of the rows."""

    def reordered(rows: Array) -> Array:
        blocks = np.split(rows, 3)
        return np.concatenate([blocks[place] for place in places])

    return _gru_of(lambda *weights: tuple(map(reordered, weights)))


def _turned(rows: Array) -> Array:
    """Each of the three square blocks transposed."""
    return np.concatenate([block.T for block in np.split(rows, 3)])


ORDER = "The blocks are in the wrong order: the rows hold r, then z, then n."
TURNED = "Is a matrix transposed? Row i of a block belongs to unit i of the new state."
STEP_MISTAKES: tuple[tuple[str, Callable[..., Array]], ...] = (
    ("z and 1 - z seem swapped: in PyTorch's convention z near 1 keeps the old state.",
     lambda r, z, a, s, h, W, b: z * np.tanh(a + r * s) + (1 - z) * h),
    ("The reset gate is in the wrong place: PyTorch applies it after the matrix product with h.",
     lambda r, z, a, s, h, W, b: (1 - z) * np.tanh(a + W @ (r * h) + b) + z * h),
    ("The reset gate acts twice: once, after the matrix product, is enough.",
     lambda r, z, a, s, h, W, b: (1 - z) * np.tanh(a + r * (W @ (r * h)) + b) + z * h),
    ("This is Ng's form: PyTorch's z says how much is kept, not how much is written, and its r "
     "acts after the matrix product with h.",
     lambda r, z, a, s, h, W, b: z * np.tanh(a + W @ (r * h) + b) + (1 - z) * h),
    ("This is Ng's simplified form: it has no reset gate, and its update gate says how much "
     "is written; PyTorch's z says how much is kept.",
     lambda r, z, a, s, h, W, b: z * np.tanh(a + s) + (1 - z) * h),
    ("The candidate's part of b_h is outside the reset gate: it belongs to s, which r multiplies.",
     lambda r, z, a, s, h, W, b: (1 - z) * np.tanh(a + r * (s - b) + b) + z * h),
    ("The candidate n is not bounded: where is its tanh?",
     lambda r, z, a, s, h, W, b: (1 - z) * (a + r * s) + z * h),
    ("The reset gate r has no effect: where does it act?",
     lambda r, z, a, s, h, W, b: (1 - z) * np.tanh(a + s) + z * h),
    ("The reset gate acts on the word as well: it is for the old state alone.",
     lambda r, z, a, s, h, W, b: (1 - z) * np.tanh(r * (a + s)) + z * h),
    ("The candidate n uses tanh; the logistic is for the gates.",
     lambda r, z, a, s, h, W, b: (1 - z) * _logistic(a + r * s) + z * h),
    ("The old state is missing from the result: z says how much of it stays.",
     lambda r, z, a, s, h, W, b: (1 - z) * np.tanh(a + r * s)),
    ("This is the candidate n: the update gate has yet to mix it with h.",
     lambda r, z, a, s, h, W, b: np.tanh(a + r * s)),
)  # fmt: skip
WEIGHT_MISTAKES: tuple[tuple[str, Callable[..., tuple[Array, ...]]], ...] = (
    (TURNED, lambda W, U, b, b_h: (_turned(W), U, b, b_h)),
    (TURNED, lambda W, U, b, b_h: (W, _turned(U), b, b_h)),
    (TURNED, lambda W, U, b, b_h: (_turned(W), _turned(U), b, b_h)),
    ("W and U seem swapped: which of the two meets the old state?",
     lambda W, U, b, b_h: (U, W, b, b_h)),
    ("b and b_h seem swapped: b goes with the word, b_h with the old state.",
     lambda W, U, b, b_h: (W, U, b_h, b)),
    ("The biases are missing.", lambda W, U, b, b_h: (W, U, 0 * b, 0 * b_h)),
    ("One of the two biases is missing: b_h.", lambda W, U, b, b_h: (W, U, b, 0 * b_h)),
    ("One of the two biases is missing: b.", lambda W, U, b, b_h: (W, U, 0 * b, b_h)),
)  # fmt: skip
GRU_MISTAKES = (
    *(Mistake(says, _gru(new)) for says, new in STEP_MISTAKES),
    *(Mistake(says, _gru_of(change)) for says, change in WEIGHT_MISTAKES),
    *(Mistake(ORDER, _in_order(*places)) for places in list(permutations(range(3)))[1:]),
    Mistake("Gates lie between 0 and 1: they use the logistic, not tanh.", _gru(_right, np.tanh)),
)


@exercise("07", 1, "The GRU step", points=3, minutes=6, difficulty=3)
def gru_step(answer: Any) -> str:
    """Check a function of (x, h, W, U, b, b_h) that returns the next state (hidden,)."""
    rng = np.random.default_rng(502)
    cases: list[Case] = [
        {
            "x": rng.normal(size=size),
            "h": rng.uniform(-0.9, 0.9, hidden),
            "W": rng.normal(0, 0.7, (3 * hidden, hidden)),
            "U": rng.normal(0, 0.7, (3 * hidden, size)),
            "b": rng.normal(0, 0.7, 3 * hidden),
            "b_h": rng.normal(0, 0.7, 3 * hidden),
        }
        for hidden, size in SIZES
    ]
    return compare(answer, cases, _right_step, GRU_MISTAKES, shape="(hidden,)")


def _rows(vector: Array, matrix: Array) -> Array:
    return vector[:, None] * matrix


def _update_term(h, n, z, W_z):
    return ((h - n) * z * (1 - z))[:, None] * W_z


BOTH_TERMS = (
    "z stands in two terms of h_t, and this is what one of them gives: what happens to the other "
    "when z grows?"
)
ONE_FACTOR = "The logistic's slope at z has two factors, and one is missing."
TERM_MISTAKES = (
    Mistake("The sign is turned round: if z grows, more of h stays and less of n.",
            lambda h, n, z, W_z: _rows((n - h) * z * (1 - z), W_z)),
    Mistake("If z grows, 1 - z falls: which sign does the candidate's part get?",
            lambda h, n, z, W_z: _rows((h + n) * z * (1 - z), W_z)),
    Mistake(BOTH_TERMS, lambda h, n, z, W_z: _rows(h * z * (1 - z), W_z)),
    Mistake(BOTH_TERMS, lambda h, n, z, W_z: _rows(-n * z * (1 - z), W_z)),
    Mistake("Where is the slope of the logistic? The inside of z changes by W_z dh, z by less.",
            lambda h, n, z, W_z: _rows(h - n, W_z)),
    Mistake(ONE_FACTOR, lambda h, n, z, W_z: _rows((h - n) * z, W_z)),
    Mistake(ONE_FACTOR, lambda h, n, z, W_z: _rows((h - n) * (1 - z), W_z)),
    Mistake("1 - z^2 is the slope of tanh; the gate is a logistic.",
            lambda h, n, z, W_z: _rows((h - n) * (1 - z**2), W_z)),
    Mistake("The vector multiplies the columns: row i belongs to unit i of the new state.",
            lambda h, n, z, W_z: ((h - n) * z * (1 - z))[None] * W_z),
    Mistake("Is W_z transposed? Row i belongs to unit i of the new state.",
            lambda h, n, z, W_z: _update_term(h, n, z, W_z.T)),
    Mistake("The matrix W_z is missing: this is how h_t changes with the inside of z.",
            lambda h, n, z, W_z: np.diag((h - n) * z * (1 - z))),
    Mistake("D(z) is the state's own way; leave it out here.",
            lambda h, n, z, W_z: np.diag(z) + _update_term(h, n, z, W_z)),
    Mistake("This has no matrix in it: what does W_z do to a small change of h?",
            lambda h, n, z, W_z: (h - n) * z * (1 - z)),
    Mistake("A Jacobian is a matrix: what you return is that matrix times a vector.",
            lambda h, n, z, W_z: (h - n) * z * (1 - z) * (W_z @ h)),
)  # fmt: skip


@exercise("07", 2, "The update gate's way back", points=2, minutes=4, difficulty=2)
def update_term(answer: Any) -> str:
    """Check a function of (h, n, z, W_z) that returns one term of a Jacobian."""
    rng = np.random.default_rng(702)
    cases: list[Case] = [
        {
            "h": rng.uniform(-0.9, 0.9, hidden),
            "n": rng.uniform(-0.9, 0.9, hidden),
            "z": rng.uniform(0.1, 0.9, hidden),
            "W_z": rng.normal(0, 0.7, (hidden, hidden)),
        }
        for hidden in (4, 3, 2, 6)
    ]
    return compare(answer, cases, _update_term, TERM_MISTAKES, shape="(hidden, hidden)")


NG_SIGN = "The sign is that of Ng's gate, how much is written; PyTorch's z is how much is kept."
BASE = "The logarithm is to another base: the logistic is built on e."
SPAN_MISTAKES = (
    Mistake(
        "This gives z = 1 - 1/(T + 1), a span of one step more: little for a long span, and "
        "much for T = 2.",
        lambda T: np.log(T),
    ),
    Mistake(NG_SIGN, lambda T: -np.log(T - 1)),
    Mistake(NG_SIGN, lambda T: -np.log(T)),
    Mistake(
        "Twice too large: with the whole in both of PyTorch's biases the span is T squared, not T.",
        lambda T: 2 * np.log(T - 1),
    ),
    Mistake("This is the span; which bias makes the gate keep a state for so long?", lambda T: T),
    Mistake("This is the gate z; the bias is what goes into the logistic to give it.",
            lambda T: 1 - 1 / T),
    Mistake("This is 1 - z; find z first, then what goes into the logistic.", lambda T: 1 / T),
    Mistake(BASE, lambda T: np.log10(T - 1)),
    Mistake(BASE, lambda T: np.log2(T - 1)),
    Mistake(
        "This puts T through the logistic; you want the number that gives 1 - 1/T when it goes "
        "through.",
        lambda T: _logistic(T),
    ),
    Mistake("This is the odds of keeping; the bias is on another scale.", lambda T: T - 1),
)  # fmt: skip


@exercise("07", 3, "A bias for a span", points=2, minutes=3, difficulty=2)
def bias_for_span(answer: Any) -> str:
    """Check a function of T that returns a bias."""
    cases: list[Case] = [{"T": T} for T in (10.0, 2.0, 3.0, 100.0, 1000.0)]
    said = compare(answer, cases, lambda T: np.log(T - 1), SPAN_MISTAKES)
    return said.replace("random inputs of several sizes", "spans from 2 to 1,000")


@exercise("07", 4, "Your own run at gap 300", points=3, minutes=3, difficulty=2)
def my_run(answer: Any) -> str:
    """Check a function that returns a network trained at gap 300, by asking the network."""
    (made,) = attempt(answer, [{}], network, copies=False, seconds=RUN_SECONDS)
    right = accuracy_of(made.value, AgreementTask(GAP, attractors="none", seed=7300))
    seen = f"Right on {about(100 * right)} % of {SENTENCES} fresh sentences at gap {GAP}."
    if right >= WANTED:
        return seen
    raise Verdict(
        WRONG_VALUES, f"{seen} {WANTED:.0%} are wanted.", _advice(made.value), head="not learned"
    )


def _advice(model: nn.Module) -> str:
    """Say what the network's biases suggest should be tried next."""
    layer: Any = next((m for m in model.modules() if hasattr(m, "bias_hh_l0")), None)
    if layer is None or len(layer.bias_hh_l0) != 3 * layer.hidden_size:
        return "It holds no GRU: build one with networks.GRU(32, 32), or torch.nn.GRU."
    r, z, _ = _mean_biases(layer.bias_ih_l0.detach() + layer.bias_hh_l0.detach())
    span = f"a span of about {sized(1 + math.exp(min(z, 80.0)))} words"
    if r > 2 > z:
        return "The bias seems to be in the reset gate's rows: the update gate's come second."
    if z < -1:
        return f"The update gate's biases add up to {z:.1f}: with this sign it writes."
    if 1 + math.exp(min(z, 80.0)) < GAP / 5:
        return f"The update gate's biases add up to {z:.1f}, {span}: far too short."
    if 1 + math.exp(min(z, 80.0)) > 20 * GAP:
        return f"The update gate's biases add up to {z:.1f}, {span}. Is it in both of them?"
    return f"The bias suits the gap ({span}): try more steps, or another learning rate."


def _mean_biases(bias: Tensor) -> list[float]:
    """Return the mean bias of each gate, r, z and n."""
    return torch.stack(bias.chunk(3)).mean(dim=1).tolist()
