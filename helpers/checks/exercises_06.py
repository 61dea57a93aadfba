"""The two interview questions of notebook 06: which key points does a text touch?

A check can find words. Whether the sentences around them are true it cannot say, and says so.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from helpers.checks.harness import attempt
from helpers.checks.registry import exercise
from helpers.checks.results import FAILED, WRONG_VALUES, Verdict

FEWEST_WORDS, MOST_SHOWN = 30, 20_000


class Point(NamedTuple):
    """A key point of an answer.

    name: as it is listed. words: beginnings of words, any of which touches it (a space
    stands for any white space). question: asked when none is there.
    """

    name: str
    words: tuple[str, ...]
    question: str


RNN_POINTS = (
    Point(
        "order",
        ("order", "sequen", "one word at a time", "step by step", "position"),
        "Two sentences hold the same words. What tells an RNN which came first?",
    ),
    Point(
        "state",
        ("state", "memory", "remember", "hidden", "carri", "carry", "recurren"),
        "What goes from one step to the next?",
    ),
    Point(
        "shared weights",
        ("share", "same weight", "same matri", "reuse", "re-use", "same parameter", "tied"),
        "Which weights does the tenth word meet, and which the first?",
    ),
    Point(
        "any length",
        ("any length", "length", "arbitrar", "longer", "fixed size", "fixed-size", "variable"),
        "What happens when a sentence has one word more than all those before?",
    ),
)
GRADIENT_POINTS = (
    Point(
        "a product of factors",
        ("product", "multipl", "factor", "jacobian", "chain"),
        "What does the gradient meet at each step on its way back, and how do these combine?",
    ),
    Point(
        "vanishing: below 1",
        ("below 1", "below one", "less than 1", "less than one", "smaller than", "< 1", "shrink"),
        "For which size of the factor does the signal die away?",
    ),
    Point(
        "exploding: above 1",
        ("above 1", "above one", "greater than", "larger than", "more than 1", "> 1", "grow"),
        "For which size of the factor does it run away?",
    ),
    Point(
        "which part vanishes",
        ("long lag", "long-range", "long range", "far", "distant", "early", "long depend", "lag"),
        "Does the whole gradient vanish, or the part of some words?",
    ),
    Point(
        "clipping",
        ("clip", "threshold"),
        "What keeps one exploding step from ruining the weights?",
    ),
    Point(
        "gates",
        ("gate", "gru", "lstm"),
        "What can a network change in its own step so that a state is kept as it is?",
    ),
    Point(
        "other remedies",
        (
            "orthogonal",
            "residual",
            "skip",
            "initiali",
            "identity",
            "truncat",
            "curricul",
            "mixed gap",
        ),
        "What helps besides: at the start of training, in the architecture, in the data?",
    ),
)


@exercise("06", 1, "RNN or feed-forward?", points=2, minutes=10, difficulty=2, kind="text")
def explain_rnn(answer: Any) -> str:
    """A text: how does an RNN differ from a feed-forward network?"""
    return _read(answer, RNN_POINTS, needed=3)


@exercise("06", 2, "Why do gradients vanish?", points=3, minutes=15, difficulty=2, kind="text")
def explain_gradients(answer: Any) -> str:
    """A text: why do gradients vanish or explode in RNNs, and what improves it?"""
    return _read(answer, GRADIENT_POINTS, needed=5)


def _read(answer: Any, points: tuple[Point, ...], needed: int) -> str:
    """What to say of a text that touches enough points; raises a Verdict for any other."""
    text = attempt(answer, [{}], _text)[0].value
    words = len(text.split())
    if words < FEWEST_WORDS:
        raise Verdict(
            WRONG_VALUES,
            f"Your answer has {words} words; an answer that explains takes {FEWEST_WORDS} or more.",
            head="too short",
        )
    touched = [point for point in points if _touches(text, point)]
    missing = [point for point in points if point not in touched]
    lines = [f"It touches {len(touched)} of {len(points)} points: {_names(touched)}."]
    lines += [f"Not found, {point.name}: {point.question}" for point in missing]
    lines.append("This check finds words. Whether the sentences are right it cannot judge:")
    lines.append("read them to someone, or compare them with the answer in notebooks/solutions.")
    if len(touched) < needed:
        raise Verdict(WRONG_VALUES, *lines, head=f"not complete ({needed} points are needed)")
    return "\n".join(lines)


def _names(points: list[Point]) -> str:
    return ", ".join(point.name for point in points) or "none"


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise Verdict(
            FAILED,
            f"It returned a value of type {type(value).__name__}; a text in quotes is needed.",
        )
    return value[:MOST_SHOWN]


def _touches(text: str, point: Point) -> bool:
    plain = " ".join(text.lower().split())
    return any(re.search(r"(?<!\w)" + re.escape(word), plain) for word in point.words)
