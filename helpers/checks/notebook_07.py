"""Exercises of notebook 07: the GRU's step, its update gate's way back, a bias, a run."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import permutations
from typing import Any

import numpy as np
from torch import nn

from helpers.checks.attempt import Case, attempt
from helpers.checks.compare import compare, random_cases
from helpers.checks.registry import exercise
from helpers.checks.results import WRONG_VALUES, Verdict
from helpers.checks.trained import RUN_SECONDS, SENTENCES, WANTED, accuracy_of, network
from helpers.figures.picture import about
from helpers.figures.picture import size as sized
from helpers.measure import update_term as update_way
from helpers.networks import gru_step as torch_gru_step
from helpers.networks import logistic
from helpers.task.agreement import AgreementTask
from helpers.validation import Array

SIZES = ((4, 4), (3, 3), (5, 2), (2, 6))  # (hidden, input)
GAP = 300
ORDER = "The blocks are in the wrong order: the rows hold r, then z, then n."
TURNED = "Is a matrix transposed? Row i of a block belongs to unit i of the new state."


def _gru_mistakes(x, h, W, U, b, b_h):
    (x_r, x_z, a), (h_r, h_z, s) = np.split(U @ x + b, 3), np.split(W @ h + b_h, 3)
    W_n, b_n = np.split(W, 3)[2], np.split(b_h, 3)[2]
    r, z = logistic(x_r + h_r), logistic(x_z + h_z)
    n, reset_first = np.tanh(a + r * s), np.tanh(a + W_n @ (r * h) + b_n)

    def mixed(candidate: Array, z: Array = z) -> Array:
        return (1 - z) * candidate + z * h

    def of(*weights: Array) -> Callable[[], Array]:
        return lambda: torch_gru_step(x, h, *weights)

    def turned(rows: Array) -> Array:
        return np.concatenate([block.T for block in np.split(rows, 3)])

    def in_order(*places: int) -> Callable[[], Array]:
        return of(*(np.concatenate([np.split(rows, 3)[i] for i in places])
                    for rows in (W, U, b, b_h)))  # fmt: skip

    return [
        ("z and 1 - z seem swapped: in PyTorch's convention z near 1 keeps the old state.",
         z * n + (1 - z) * h),
        ("The reset gate is in the wrong place: PyTorch applies it after the matrix product with "
         "h.", mixed(reset_first)),
        ("The reset gate acts twice: once, after the matrix product, is enough.",
         mixed(np.tanh(a + r * (W_n @ (r * h)) + b_n))),
        ("This is Ng's form: PyTorch's z says how much is kept, not how much is written, and its r "
         "acts after the matrix product with h.", z * reset_first + (1 - z) * h),
        ("This is Ng's simplified form: it has no reset gate, and its update gate says how much "
         "is written; PyTorch's z says how much is kept.",
         z * np.tanh(a + s) + (1 - z) * h),
        ("The candidate's part of b_h is outside the reset gate: it belongs to s, which r "
         "multiplies.", mixed(np.tanh(a + r * (s - b_n) + b_n))),
        ("The candidate n is not bounded: where is its tanh?", mixed(a + r * s)),
        ("The reset gate r has no effect: where does it act?", mixed(np.tanh(a + s))),
        ("The reset gate acts on the word as well: it is for the old state alone.",
         mixed(np.tanh(r * (a + s)))),
        ("The candidate n uses tanh; the logistic is for the gates.", mixed(logistic(a + r * s))),
        ("The old state is missing from the result: z says how much of it stays.", (1 - z) * n),
        ("This is the candidate n: the update gate has yet to mix it with h.", n),
        (TURNED, of(turned(W), U, b, b_h)),
        (TURNED, of(W, turned(U), b, b_h)),
        (TURNED, of(turned(W), turned(U), b, b_h)),
        ("W and U seem swapped: which of the two meets the old state?", of(U, W, b, b_h)),
        ("b and b_h seem swapped: b goes with the word, b_h with the old state.", of(W, U, b_h, b)),
        ("The biases are missing.", of(W, U, 0 * b, 0 * b_h)),
        ("One of the two biases is missing: b_h.", of(W, U, b, 0 * b_h)),
        ("One of the two biases is missing: b.", of(W, U, 0 * b, b_h)),
        *((ORDER, in_order(*places)) for places in list(permutations(range(3)))[1:]),
        ("Gates lie between 0 and 1: they use the logistic, not tanh.",
         mixed(np.tanh(a + np.tanh(x_r + h_r) * s), np.tanh(x_z + h_z))),
    ]  # fmt: skip


@exercise("07", 1, "The GRU step", points=3, minutes=6, difficulty=3)
def gru_step(answer: Any) -> str:
    """Check a function of (x, h, W, U, b, b_h) that returns the next state (hidden,)."""
    cases = random_cases(502, (
        {"x": (m,), "h": (n,), "W": (3 * n, n), "U": (3 * n, m), "b": (3 * n,), "b_h": (3 * n,)}
        for n, m in SIZES
    ))  # fmt: skip
    return compare(answer, cases, torch_gru_step, _gru_mistakes, shape="(hidden,)")


BOTH_TERMS = (
    "z stands in two terms of h_t, and this is what one of them gives: what happens to the other "
    "when z grows?"
)
ONE_FACTOR = "The logistic's slope at z has two factors, and one is missing."


def _term_mistakes(h, n, z, W_z):
    slope = z * (1 - z)

    def rows(vector: Array) -> Array:
        return vector[:, None] * W_z

    return [
        ("The sign is turned round: if z grows, more of h stays and less of n.",
         rows((n - h) * slope)),
        ("If z grows, 1 - z falls: which sign does the candidate's part get?",
         rows((h + n) * slope)),
        (BOTH_TERMS, rows(h * slope)),
        (BOTH_TERMS, rows(-n * slope)),
        ("Where is the slope of the logistic? The inside of z changes by W_z dh, z by less.",
         rows(h - n)),
        (ONE_FACTOR, rows((h - n) * z)),
        (ONE_FACTOR, rows((h - n) * (1 - z))),
        ("1 - z^2 is the slope of tanh; the gate is a logistic.", rows((h - n) * (1 - z**2))),
        ("The vector multiplies the columns: row i belongs to unit i of the new state.",
         ((h - n) * slope) * W_z),
        ("Is W_z transposed? Row i belongs to unit i of the new state.",
         ((h - n) * slope)[:, None] * W_z.T),
        ("The matrix W_z is missing: this is how h_t changes with the inside of z.",
         np.diag((h - n) * slope)),
        ("D(z) is the state's own way; leave it out here.", np.diag(z) + rows((h - n) * slope)),
        ("This has no matrix in it: what does W_z do to a small change of h?", (h - n) * slope),
        ("A Jacobian is a matrix: what you return is that matrix times a vector.",
         (h - n) * slope * (W_z @ h)),
    ]  # fmt: skip


@exercise("07", 2, "The update gate's way back", points=2, minutes=4, difficulty=2)
def update_term(answer: Any) -> str:
    """Check a function of (h, n, z, W_z) that returns one term of a Jacobian."""
    shapes = ({"h": (n,), "n": (n,), "z": (n,), "W_z": (n, n)} for n in (4, 3, 2, 6))
    cases = [{**case, "z": np.abs(case["z"])} for case in random_cases(702, shapes)]
    return compare(answer, cases, update_way, _term_mistakes, shape="(hidden, hidden)")


NG_SIGN = "The sign is that of Ng's gate, how much is written; PyTorch's z is how much is kept."
BASE = "The logarithm is to another base: the logistic is built on e."


def _span_mistakes(T):
    return [
        ("This gives z = 1 - 1/(T + 1), a span of one step more: little for a long span, and "
         "much for T = 2.", np.log(T)),
        (NG_SIGN, -np.log(T - 1)),
        (NG_SIGN, -np.log(T)),
        ("Twice too large: with the whole in both of PyTorch's biases the span is T squared, not "
         "T.", 2 * np.log(T - 1)),
        ("This is the span; which bias makes the gate keep a state for so long?", T),
        ("This is the gate z; the bias is what goes into the logistic to give it.", 1 - 1 / T),
        ("This is 1 - z; find z first, then what goes into the logistic.", 1 / T),
        (BASE, np.log10(T - 1)),
        (BASE, np.log2(T - 1)),
        ("This puts T through the logistic; you want the number that gives 1 - 1/T when it goes "
         "through.", logistic(T)),
        ("This is the odds of keeping; the bias is on another scale.", T - 1),
    ]  # fmt: skip


@exercise("07", 3, "A bias for a span", points=2, minutes=3, difficulty=2)
def bias_for_span(answer: Any) -> str:
    """Check a function of T that returns a bias."""
    cases: list[Case] = [{"T": T} for T in (10.0, 2.0, 3.0, 100.0, 1000.0)]
    said = compare(answer, cases, lambda T: np.log(T - 1), _span_mistakes)
    return said.replace("random inputs of several sizes", "spans from 2 to 1,000")


@exercise("07", 4, "Your own run at gap 300", points=3, minutes=3, difficulty=2)
def my_run(answer: Any) -> str:
    """Check a function that returns a network trained at gap 300, by asking the network."""
    (made,) = attempt(answer, [{}], network, kinds=("own",), seconds=RUN_SECONDS)
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
    biases = layer.bias_ih_l0.detach() + layer.bias_hh_l0.detach()
    r, z, _ = (gate.mean().item() for gate in biases.chunk(3))
    words = 1 + math.exp(min(z, 80.0))
    seen = f"The update gate's biases add up to {z:.1f}"
    span = f"a span of about {sized(words)} words"
    if r > 2 > z:
        return "The bias seems to be in the reset gate's rows: the update gate's come second."
    if z < -1:
        return f"{seen}: with this sign it writes."
    if words < GAP / 5:
        return f"{seen}, {span}: far too short."
    if words > 20 * GAP:
        return f"{seen}, {span}. Is it in both of them?"
    return f"The bias suits the gap ({span}): try more steps, or another learning rate."
