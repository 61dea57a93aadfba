"""Planted wrong answers: each with the status and the words that its check must give.

python tests/test_checks_wrong.py prints them all as a table.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from torch.nn.utils import clip_grad_norm_

from helpers import checks
from helpers.checks.results import FAILED, WRONG_SHAPE, WRONG_VALUES

FEWEST = 5


class Planted(NamedTuple):
    """A wrong answer to an exercise, and what its check must say."""

    exercise: str
    mistake: str
    answer: Callable[..., Any]
    status: str
    says: str


def value(returned: Any) -> Callable[[], Any]:
    """A function without arguments that returns this."""
    return lambda: returned


def logistic(a):
    return 1 / (1 + np.exp(-a))


def length(gradients):
    return float(torch.sqrt(sum((g**2).sum() for g in gradients)))


def scaled(gradients, c, norm):
    return [g * (c / norm if norm > c else 1) for g in gradients]


def gru(change):
    """A GRU step; change(parts) returns h' from the parts."""

    def step(x, h, W_ih, W_hh, b_ih, b_hh):
        (i_r, i_z, i_n), (h_r, h_z, s) = np.split(W_ih @ x + b_ih, 3), np.split(W_hh @ h + b_hh, 3)
        U_n, b_n = np.split(W_hh, 3)[2], np.split(b_hh, 3)[2]
        return change(logistic(i_r + h_r), logistic(i_z + h_z), i_n, s, h, U_n, b_n)

    return step


def gru_of(change):
    """A right GRU step of changed weights; change takes and returns W, U, b and c."""
    right = gru(lambda r, z, i, s, h, U, b: (1 - z) * np.tanh(i + r * s) + z * h)
    return lambda x, h, *weights: right(x, h, *change(*weights))


def gru_with_tanh_gates(x, h, W, U, b, c):
    (i_r, i_z, i_n), (h_r, h_z, s) = np.split(W @ x + b, 3), np.split(U @ h + c, 3)
    r, z = np.tanh(i_r + h_r), np.tanh(i_z + h_z)
    return (1 - z) * np.tanh(i_n + r * s) + z * h


def rolled(rows):
    return np.roll(rows, -len(rows) // 3, axis=0)


def turned(rows):
    return np.concatenate([block.T for block in np.split(rows, 3)])


def loop(order):
    """A training step that does z(ero_grad), b(ackward), c(lip) and s(tep) in this order."""

    def train_step(model, loss, optimizer, c):
        acts = {
            "z": optimizer.zero_grad,
            "b": loss.backward,
            "c": lambda: clip_grad_norm_(model.parameters(), c),
            "v": lambda: torch.nn.utils.clip_grad_value_(model.parameters(), c),
            "p": lambda: [clip_grad_norm_([p], c) for p in model.parameters()],
            "s": optimizer.step,
        }
        for letter in order:
            acts[letter]()

    return train_step


def verb_at(words):
    return next(i for i, word in enumerate(words) if word in ("was", "were"))


def where_inf(states):
    return np.flatnonzero(np.isinf(states).any(axis=1))


def first(steps):
    return int(steps[0]) if len(steps) else None


def rows(name, *planted):
    return [Planted(name, *each) for each in planted]


def right_step(x, h, W, U, b):
    return np.tanh(W @ h + U @ x + b)


def step_times(factor):
    return lambda *given: factor * right_step(*given)


def step_and(more):
    return lambda *given: right_step(*given) + more


def step_with_another_tanh(x, h, W, U, b):
    np.tanh = lambda value: value
    return right_step(x, h, W, U, b)


ELEMENTS = "element by element"
TRANSPOSED = "Is a matrix transposed?"
STEP = rows(
    "rnn_step",
    ("*", lambda x, h, W, U, b: np.tanh(W * h + U * x + b), WRONG_SHAPE, ELEMENTS),
    (
        "column sums",
        lambda x, h, W, U, b: np.tanh((W * h).sum(0) + (U * x).sum(0) + b),
        WRONG_SHAPE,
        "not over a column",
    ),
    ("h W", lambda x, h, W, U, b: np.tanh(h @ W + x @ U + b), WRONG_VALUES, TRANSPOSED),
    ("W^T", lambda x, h, W, U, b: np.tanh(W.T @ h + U @ x + b), WRONG_VALUES, TRANSPOSED),
    ("U^T", lambda x, h, W, U, b: np.tanh(W @ h + U.T @ x + b), WRONG_VALUES, TRANSPOSED),
    ("no b", lambda x, h, W, U, b: np.tanh(W @ h + U @ x), WRONG_VALUES, "Where is the bias"),
    ("no tanh", lambda x, h, W, U, b: W @ h + U @ x + b, WRONG_VALUES, "where is the tanh"),
    ("b outside", lambda x, h, W, U, b: np.tanh(W @ h + U @ x) + b, WRONG_VALUES, "on top of it"),
    ("swapped", lambda x, h, W, U, b: np.tanh(U @ h + W @ x + b), WRONG_VALUES, "seem swapped"),
    ("logistic", lambda x, h, W, U, b: logistic(W @ h + U @ x + b), WRONG_VALUES, "logistic"),
    ("no W h", lambda x, h, W, U, b: np.tanh(U @ x + b), WRONG_VALUES, "no memory"),
    ("minus", lambda x, h, W, U, b: -np.tanh(W @ h + U @ x + b), WRONG_VALUES, "-1 times"),
    (
        "too deep",
        lambda x, h, W, U, b: np.tanh(W @ h + U @ x + b)[None],
        WRONG_SHAPE,
        "should have (hidden,) = (4,)",
    ),
    ("a bit large", step_times(1.001), WRONG_VALUES, "0.1 % too large, everywhere"),
    ("a bit small", step_times(0.98), WRONG_VALUES, "2 % too small, everywhere"),
    ("a bit more", step_and(3e-5), WRONG_VALUES, "3e-05 larger than it should be, everywhere"),
    (
        "sine",
        lambda x, h, W, U, b: np.sin(W @ h + U @ x + b),
        WRONG_VALUES,
        "Numbers that are off: 15 of 15, by up to",
    ),
    ("less", step_and(-0.5), WRONG_VALUES, "0.5 smaller than it should be, everywhere"),
    (
        "float16",
        lambda x, h, W, U, b: right_step(*(a.astype(np.float16) for a in (x, h, W, U, b))),
        WRONG_VALUES,
        "to the precision of float16, about three digits",
    ),
    (
        "bfloat16",
        lambda x, h, W, U, b: torch.tanh(
            W.bfloat16() @ h.bfloat16() + U.bfloat16() @ x.bfloat16() + b.bfloat16()
        ),
        WRONG_VALUES,
        "to the precision of bfloat16, about two digits",
    ),
    ("other tanh", step_with_another_tanh, WRONG_VALUES, "where is the tanh"),
    (
        "torch's own error",
        lambda x, h, W, U, b: torch.matmul(W, h) + torch.matmul(U.T, torch.cat([x, x])) + b,
        FAILED,
        "size mismatch",
    ),
)
COUNT = rows(
    "words_between",
    ("counts the verb", lambda w, s: verb_at(w) - s, WRONG_VALUES, "One too many"),
    ("counts both", lambda w, s: verb_at(w) - s + 1, WRONG_VALUES, "Two too many"),
    ("one too few", lambda w, s: verb_at(w) - s - 2, WRONG_VALUES, "One too few"),
    (
        "no commas",
        lambda w, s: len([x for x in w[s + 1 : verb_at(w)] if x != ","]),
        WRONG_VALUES,
        "commas",
    ),
    ("with the opener", lambda w, s: verb_at(w), WRONG_VALUES, "from the start"),
    ("to the end", lambda w, s: len(w) - s - 1, WRONG_VALUES, "to the end"),
    ("backwards", lambda w, s: s - verb_at(w) + 1, WRONG_VALUES, "negative"),
    ("the words", lambda w, s: w[s + 1 : verb_at(w)], FAILED, "type list"),
)
FOOL = rows(
    "fool_the_latch",
    ("gap 2", value(("the cats which ate", "were")), WRONG_VALUES, "must be 3 or more"),
    (
        "unknown word",
        value(("the cat which quickly vanished", "was")),
        WRONG_VALUES,
        "'vanished' is not among the words",
    ),
    (
        "opener",
        value(("not long ago , the cat which saw the dogs", "was")),
        WRONG_VALUES,
        "it is right on this sentence",
    ),
    (
        "wrong verb",
        value(("the cat which saw the dogs", "were")),
        WRONG_VALUES,
        "does not agree",
    ),
    (
        "verb inside",
        value(("the cat which saw the dogs was", "was")),
        WRONG_VALUES,
        "Leave 'was' out",
    ),
    (
        "no subject",
        value(("near the cat which saw the dogs", "was")),
        WRONG_VALUES,
        "the subject ('the', perhaps",
    ),
    (
        "two subjects",
        value(("the cat and the dogs , which ate ,", "were")),
        WRONG_VALUES,
        "'and' joins two nouns",
    ),
    (
        "own verb",
        value(("the cat saw the dogs often", "was")),
        WRONG_VALUES,
        "do not make a sentence",
    ),
    ("other verb", value(("the cat which saw the dogs", "is")), WRONG_VALUES, "'is'"),
    ("words alone", value("the cat which saw the dogs"), FAILED, "Return two things"),
    ("numbers", value(([1, 2, 3], "was")), FAILED, "a list of strings"),
    (
        "the the the",
        value(("the cat the the the", "was")),
        WRONG_VALUES,
        "'the' comes twice in a row",
    ),
    (
        "the which",
        value(("the cat , the which ate", "was")),
        WRONG_VALUES,
        "After a 'the' there is no noun",
    ),
    ("which which", value(("the cat which which ate", "was")), WRONG_VALUES, "twice in a row"),
    ("nouns", value(("the cat , dogs near foxes", "was")), WRONG_VALUES, "without its 'the'"),
    ("commas", value(("the cat , , , ,", "was")), WRONG_VALUES, "',' comes twice in a row"),
    (
        "comma first",
        value((", the cat which ate near", "was")),
        WRONG_VALUES,
        "A comma comes first",
    ),
    ("no noun", value(("the cat which ate near the old", "was")), WRONG_VALUES, "there is no noun"),
    ("nothing said", value(("the cat , which that which", "was")), WRONG_VALUES, "Nothing is said"),
)
CHOOSE = rows(
    "choose_w",
    ("no pull", value(1.0), WRONG_VALUES, "pulls the state back too weakly"),
    ("the picture's", value(1.2), WRONG_VALUES, "of the bits and leaves ~ 10^-129"),
    ("too firm", value(2), WRONG_VALUES, "A gentler slope would still hold"),
    ("negative", value(-1.5), WRONG_VALUES, "turns the sign round at every step"),
    ("zero", value(0), WRONG_VALUES, "between 0 and 20"),
    ("two", value([1.4, 1.5]), WRONG_SHAPE, "return one w"),
    ("a word", value("1.5"), FAILED, "type str"),
    ("NaN", value(math.nan), WRONG_VALUES, "between 0 and 20"),
)
MATRIX = rows(
    "growing_matrix",
    ("large entry", value([[0, 2000], [0, 0]]), WRONG_VALUES, "larger than 10"),
    ("radius 1", value([[1, 10], [0, 1]]), WRONG_VALUES, "below 1"),
    ("radius 3", value([[3, 0], [0, 3]]), WRONG_VALUES, "Its spectral radius is 3"),
    ("lecture's", value([[0.9, 10], [0, 0.9]]), WRONG_VALUES, "A^9, has norm 38.7"),
    ("normal", value([[0.9, 0], [0, 0.9]]), WRONG_VALUES, "It is normal"),
    ("3 x 3", value(np.eye(3)), WRONG_SHAPE, "should have (2, 2)"),
    ("NaN", value([[math.nan, 0], [0, 0]]), WRONG_VALUES, "NaN"),
    ("complex", value([[0.9j, 10], [0, 0.9]]), FAILED, "not real"),
)
GROWTH = rows(
    "growth_for",
    ("on the edge", lambda step, m: m ** (1 / step), WRONG_VALUES, "just reaches"),
    ("one early", lambda step, m: m ** (1 / (step - 1)), WRONG_VALUES, "one step early"),
    ("one late", lambda step, m: m ** (1 / (step + 1)), WRONG_VALUES, "still finite"),
    ("no exp", lambda step, m: math.log(m) / step, WRONG_VALUES, "with exp"),
    ("bases", lambda step, m: math.exp(math.log10(m) / step), WRONG_VALUES, "Two bases"),
    ("other bases", lambda step, m: math.exp(math.log2(m) / step), WRONG_VALUES, "Two bases"),
    ("divided", lambda step, m: m / step, WRONG_VALUES, "take a root"),
    ("constant", lambda step, m: 1.5, WRONG_VALUES, "overflow first at step 219"),
    ("below 1", lambda step, m: 0.5, WRONG_VALUES, "above 1"),
    ("two", lambda step, m: [1.5, 2.0], WRONG_SHAPE, "one number is needed"),
    (
        "float32 in between",
        lambda step, m: (torch.tensor(m) ** (1 / (step - 0.5))).item(),
        WRONG_VALUES,
        "Did you calculate in float32?",
    ),
    (
        "on the edge in float32",
        lambda step, m: torch.tensor(m) ** (1 / (step + 1)),
        WRONG_VALUES,
        "still finite",
    ),
    ("a word", lambda step, m: "1.5", FAILED, "type str; a real number is needed"),
)
INF = rows(
    "first_inf",
    (
        "NaN too",
        lambda s: first(np.flatnonzero(~np.isfinite(s).all(axis=1))),
        WRONG_VALUES,
        "You count NaN as well",
    ),
    (
        "NaN only",
        lambda s: first(np.flatnonzero(np.isnan(s).any(axis=1))),
        WRONG_VALUES,
        "You look for NaN",
    ),
    (
        "+inf only",
        lambda s: first(np.flatnonzero((s == np.inf).any(axis=1))),
        WRONG_VALUES,
        "-inf",
    ),
    ("last", lambda s: first(where_inf(s)[::-1]), WRONG_VALUES, "the last step"),
    ("from 1", lambda s: first(where_inf(s) + 1), WRONG_VALUES, "counted from 0"),
    ("too early", lambda s: first(where_inf(s) - 1), WRONG_VALUES, "too early"),
    ("argmax", lambda s: np.isinf(s).any(axis=1).argmax(), WRONG_VALUES, "as argmax does"),
    ("-1", lambda s: first([*where_inf(s), -1]), WRONG_VALUES, "it says -1"),
    ("flat", lambda s: first(np.flatnonzero(np.isinf(s))), WRONG_VALUES, "flattened"),
    (
        "all of a row",
        lambda s: first(np.flatnonzero(np.isinf(s).all(axis=1))),
        WRONG_VALUES,
        "one is enough",
    ),
    ("0 lost", lambda s: first(where_inf(s)) or None, WRONG_VALUES, "counts as False"),
    ("always 3", lambda s: 3, WRONG_VALUES, "without inf and NaN, it returned 3"),
    ("half a step", lambda s: 2.5, FAILED, "a whole number"),
    ("all steps", lambda s: np.arange(3), WRONG_SHAPE, "one step, or None"),
)
CLIP = rows(
    "clip_by_norm",
    ("by value", lambda g, c: [x.clamp(-c, c) for x in g], WRONG_VALUES, "clipping by value"),
    (
        "per tensor",
        lambda g, c: [scaled([x], c, length([x]))[0] for x in g],
        WRONG_VALUES,
        "Did you clip each tensor",
    ),
    (
        "always",
        lambda g, c: [x * c / max(length(g), 1e-12) for x in g],
        WRONG_VALUES,
        "shorter than c became longer",
    ),
    ("no root", lambda g, c: scaled(g, c, length(g) ** 2), WRONG_VALUES, "square root missing"),
    (
        "no root in the factor",
        lambda g, c: [x * (c / length(g) ** 2 if length(g) > c else 1) for x in g],
        WRONG_VALUES,
        "square root missing",
    ),
    (
        "sum of norms",
        lambda g, c: scaled(g, c, sum(length([x]) for x in g)),
        WRONG_VALUES,
        "the squares add up",
    ),
    (
        "largest entry",
        lambda g, c: scaled(g, c, max(float(x.abs().max()) for x in g)),
        WRONG_VALUES,
        "largest entry",
    ),
    (
        "sum of sizes",
        lambda g, c: scaled(g, c, sum(float(x.abs().sum()) for x in g)),
        WRONG_VALUES,
        "sum of the entries' sizes",
    ),
    ("unchanged", lambda g, c: g, WRONG_VALUES, "Nothing was clipped"),
    (
        "upside down",
        lambda g, c: [x * max(1, length(g) / c) for x in g],
        WRONG_VALUES,
        "upside down",
    ),
    ("returns the norm", lambda g, c: length(g), WRONG_SHAPE, "returns the norm"),
    (
        "one vector",
        lambda g, c: torch.cat([x.flatten() for x in scaled(g, c, length(g))]),
        WRONG_SHAPE,
        "It returned one Tensor",
    ),
    ("turned", lambda g, c: [x + 1 for x in g], WRONG_VALUES, "degrees away"),
    (
        "three tensors",
        lambda g, c: scaled(g, c, float(sum((g[i] ** 2).sum() for i in range(3)) ** 0.5)),
        WRONG_VALUES,
        "the first that is wrong had gradients [(2, 3, 2), (), (3,), (4, 1)].",
    ),
    (
        "first three",
        lambda g, c: scaled(g[:3], c, length(g[:3])),
        WRONG_SHAPE,
        "called with a list of 4 and returned 3",
    ),
    (
        "norm of three",
        lambda g, c: scaled(g, c, length(g[:3])),
        WRONG_VALUES,
        "It is right on 5 of 6 inputs",
    ),
    ("no c", lambda g, c: scaled(g, 1.0, length(g)), WRONG_VALUES, "You clipped to 1; c is"),
)
LOOP = rows(
    "train_step",
    ("clip before backward", loop("zcbs"), WRONG_VALUES, "You clipped before backward"),
    ("clip after step", loop("zbsc"), WRONG_VALUES, "You clipped after the step"),
    ("no clip", loop("zbs"), WRONG_VALUES, "not clipped at all"),
    ("no zero_grad", loop("bcs"), WRONG_VALUES, "an earlier batch"),
    ("zero_grad last", loop("bcsz"), WRONG_VALUES, "an earlier batch"),
    ("zero_grad after backward", loop("bzcs"), WRONG_VALUES, "Is zero_grad after backward?"),
    ("zero_grad after clip", loop("bczs"), WRONG_VALUES, "Is zero_grad after backward?"),
    ("no step", loop("zbc"), WRONG_VALUES, "step() was never called"),
    ("two steps", loop("zbcss"), WRONG_VALUES, "2 times"),
    ("no backward", loop("zcs"), WRONG_VALUES, "backward() was never called"),
    ("step first", loop("zsbc"), WRONG_VALUES, "stepped before loss.backward()"),
    ("by value", loop("zbvs"), WRONG_VALUES, "clipping by value"),
    (
        "to 2 c",
        lambda model, loss, optimizer, c: loop("zbcs")(model, loss, optimizer, 2 * c),
        WRONG_VALUES,
        "has norm 2, where c is 1",
    ),
    (
        "to 1, whatever c is",
        lambda model, loss, optimizer, c: loop("zbcs")(model, loss, optimizer, 1.0),
        WRONG_VALUES,
        "is it c that it was clipped to?",
    ),
    ("per tensor", loop("zbps"), WRONG_VALUES, "Did you clip each tensor by a norm of its own?"),
    (
        "closure that clips too late",
        lambda model, loss, optimizer, c: (
            optimizer.step(lambda: loop("zb")(model, loss, optimizer, c)),
            loop("c")(model, loss, optimizer, c),
        ),
        WRONG_VALUES,
        "You clipped after the step",
    ),
    ("twice back", loop("zbbcs"), FAILED, "RuntimeError"),
)
GRU = rows(
    "gru_step",
    (
        "z for 1 - z",
        gru(lambda r, z, i, s, h, U, b: z * np.tanh(i + r * s) + (1 - z) * h),
        WRONG_VALUES,
        "z and 1 - z",
    ),
    (
        "reset before",
        gru(lambda r, z, i, s, h, U, b: (1 - z) * np.tanh(i + U @ (r * h) + b) + z * h),
        WRONG_VALUES,
        "after the matrix product",
    ),
    (
        "order z, r, n",
        gru(lambda z, r, i, s, h, U, b: (1 - z) * np.tanh(i + r * s) + z * h),
        WRONG_VALUES,
        "the rows stand as r, z, n",
    ),
    (
        "c_n outside",
        gru(lambda r, z, i, s, h, U, b: (1 - z) * np.tanh(i + r * (U @ h) + b) + z * h),
        WRONG_VALUES,
        "c_n stands outside",
    ),
    (
        "no tanh",
        gru(lambda r, z, i, s, h, U, b: (1 - z) * (i + r * s) + z * h),
        WRONG_VALUES,
        "where is its tanh",
    ),
    (
        "no reset",
        gru(lambda r, z, i, s, h, U, b: (1 - z) * np.tanh(i + s) + z * h),
        WRONG_VALUES,
        "r has no effect",
    ),
    (
        "reset on x",
        gru(lambda r, z, i, s, h, U, b: (1 - z) * np.tanh(r * (i + s)) + z * h),
        WRONG_VALUES,
        "acts on the input too",
    ),
    (
        "reset twice",
        gru(lambda r, z, i, s, h, U, b: (1 - z) * np.tanh(i + r * (U @ (r * h)) + b) + z * h),
        WRONG_VALUES,
        "acts twice",
    ),
    (
        "logistic n",
        gru(lambda r, z, i, s, h, U, b: (1 - z) * logistic(i + r * s) + z * h),
        WRONG_VALUES,
        "the logistic is for the gates",
    ),
    (
        "nothing kept",
        gru(lambda r, z, i, s, h, U, b: (1 - z) * np.tanh(i + r * s)),
        WRONG_VALUES,
        "The old state is missing",
    ),
    (
        "candidate",
        gru(lambda r, z, i, s, h, U, b: np.tanh(i + r * s)),
        WRONG_VALUES,
        "This is the candidate",
    ),
    (
        "Ng's",
        gru(lambda r, z, i, s, h, U, b: z * np.tanh(i + U @ (r * h) + b) + (1 - z) * h),
        WRONG_VALUES,
        "This is Ng's form",
    ),
    (
        "Ng's simplified",
        gru(lambda r, z, i, s, h, U, b: z * np.tanh(i + s) + (1 - z) * h),
        WRONG_VALUES,
        "Ng's simplified form",
    ),
    ("tanh gates", gru_with_tanh_gates, WRONG_VALUES, "they have the logistic, not tanh"),
    ("order n, r, z", gru_of(lambda *given: map(rolled, given)), WRONG_VALUES, "as r, z, n"),
    ("blocks of U^T", gru_of(lambda W, U, b, c: (W, turned(U), b, c)), WRONG_VALUES, TRANSPOSED),
    ("blocks of W^T", gru_of(lambda W, U, b, c: (turned(W), U, b, c)), WRONG_VALUES, TRANSPOSED),
    (
        "h U, x W",
        gru_of(lambda W, U, b, c: (turned(W), turned(U), b, c)),
        WRONG_VALUES,
        TRANSPOSED,
    ),
    ("W for U", gru_of(lambda W, U, b, c: (U, W, b, c)), WRONG_VALUES, "W and U seem swapped"),
    ("b for c", gru_of(lambda W, U, b, c: (W, U, c, b)), WRONG_VALUES, "b and c seem swapped"),
    ("no b", gru_of(lambda W, U, b, c: (W, U, 0 * b, c)), WRONG_VALUES, "biases is missing: b"),
    ("no c", gru_of(lambda W, U, b, c: (W, U, b, 0 * c)), WRONG_VALUES, "biases is missing: c"),
    (
        "no biases",
        gru_of(lambda W, U, b, c: (W, U, 0 * b, 0 * c)),
        WRONG_VALUES,
        "The biases are missing",
    ),
    (
        "all three",
        lambda x, h, W, U, b, c: np.tanh(W @ x + U @ h + b + c),
        WRONG_SHAPE,
        "should have (hidden,)",
    ),
)
SPAN = rows(
    "bias_for_span",
    ("log T", lambda T: math.log(T), WRONG_VALUES, "1 - 1/(T + 1)"),
    ("Ng's sign", lambda T: -math.log(T - 1), WRONG_VALUES, "Ng's gate"),
    ("Ng's sign, log T", lambda T: -math.log(T), WRONG_VALUES, "Ng's gate"),
    ("doubled", lambda T: 2 * math.log(T - 1), WRONG_VALUES, "T squared"),
    ("T", lambda T: T, WRONG_VALUES, "This is the span"),
    ("z", lambda T: 1 - 1 / T, WRONG_VALUES, "This is the gate"),
    ("1 - z", lambda T: 1 / T, WRONG_VALUES, "This is 1 - z"),
    ("log10", lambda T: math.log10(T - 1), WRONG_VALUES, "another base"),
    ("log2", lambda T: math.log2(T - 1), WRONG_VALUES, "another base"),
    ("odds", lambda T: T - 1, WRONG_VALUES, "the odds"),
    ("halved", lambda T: math.log(T - 1) / 2, WRONG_VALUES, "0.5 times"),
    ("three", lambda T: [math.log(T - 1)] * 3, WRONG_SHAPE, "should be one number"),
)
PLANTED = [
    *STEP, *COUNT, *FOOL, *CHOOSE,
    *MATRIX, *GROWTH, *INF, *CLIP, *LOOP, *GRU, *SPAN,
]  # fmt: skip


def planted_table() -> str:
    """Every planted wrong answer with the status and the whole message that it gets."""
    lines = ["exercise | mistake | status | message", "---|---|---|---"]
    for each in PLANTED:
        result = getattr(checks, each.exercise)(each.answer)
        said = " / ".join(line.strip() for line in str(result).splitlines()[1:])
        lines.append(f"{each.exercise} | {each.mistake} | {result.status} | {said}")
    return "\n".join(lines)


@pytest.mark.parametrize("each", PLANTED, ids=[f"{p.exercise}-{p.mistake}" for p in PLANTED])
def test_a_wrong_answer_gets_its_message(each):
    result = getattr(checks, each.exercise)(each.answer)
    assert not result.passed
    assert result.points == 0
    assert result.status == each.status
    assert each.says.lower() in str(result).lower()
    assert str(result).startswith(f"{each.exercise}: ")


def test_no_message_holds_a_solution():
    table = planted_table()
    for solution in (
        "h**2",
        "W.T",
        "np.outer",
        "log(T - 1)",
        "step - 0.5",
        "c / norm",
        "* np.tanh",
    ):
        assert solution not in table


def test_every_exercise_has_wrong_answers_with_messages_here_or_in_a_file_for_its_notebook():
    others = "".join(path.read_text() for path in Path(__file__).parent.glob("test_notebook_*.py"))
    said: dict[str, set[str]] = {name: set() for name in checks.EXERCISES}
    for each in PLANTED:
        said[each.exercise].add(each.says)
    for name, messages in said.items():
        assert len(messages) >= FEWEST or f"checks.{name}(" in others, name
    assert len(planted_table().splitlines()) == len(PLANTED) + 2


if __name__ == "__main__":
    os.environ["COURSE_PROGRESS"] = "off"
    print(planted_table())
