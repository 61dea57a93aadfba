"""The two interview questions of notebook 06: which key points does a text touch?

A check can find words. Whether the sentences around them are true it cannot say, and says so.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from helpers.checks.attempt import attempt
from helpers.checks.leftovers import leftover
from helpers.checks.results import FAILED, WRONG_VALUES, Verdict

FEWEST_WORDS, MOST_SHOWN = 30, 20_000
FEWEST_TERMS = 3  # of TERMS, in a text about networks
GAP = r"\w*(?:\W+\w+){0,4}?\W+"  # up to four words between two


class Point(NamedTuple):
    """A key point of an answer.

    name: as it is listed. words: beginnings of words or phrases, any of which touches it
    (a space stands for any white space, " ... " for up to four words). question: asked
    when none is there.
    """

    name: str
    words: tuple[str, ...]
    question: str


TERMS = (
    "network", "neural", "neuron", "rnn", "recurren", "feed", "layer", "input", "output",
    "token", "sequen", "sentence", "time step", "hidden", "weight", "parameter", "matri", "vector",
    "gradient", "jacobian", "derivative", "slope", "eigenvalue", "singular value", "backprop",
    "tanh", "gru", "lstm", "clip", "norm of", "the norm",
)  # fmt: skip
WEIGHTS = ("weight", "parameter", "matri", "cell", "function", "rule", "set of", "network", "layer")
RNN_POINTS = (
    Point(
        "order",
        (
            "order", "sequen", "at a time", "at each step", "at every step", "one by one",
            "word by word", "token by token", "step by step", "after another", "after the other",
            "in turn", "position", "left to right", "time step", "timestep", "consecutive",
            "successive", "temporal", "came first", "came before", "comes first",
        ),
        "Two sentences hold the same words. What tells an RNN which came first?",
    ),
    Point(
        "state",
        (
            "state", "memory", "memori", "remember", "hidden vector", "carri", "carry", "so far",
            "recurrence", "recurrent connection", "feedback", "loop", "feeds back", "fed back",
            "context", "history", "past", "previous", "summar", "passes on", "passed on",
            "retain", "keeps track",
        ),
        "What goes from one step to the next?",
    ),
    Point(
        "shared weights",
        (
            *(f"{same} ... {what}" for same in ("same", "identical", "share", "sharing", "reus",
              "re-us") for what in WEIGHTS),
            *(f"{what} ... {same}" for what in WEIGHTS for same in ("the same", "identical",
              "shar", "reus", "re-us", "not change", "tied", "tying", "again")),
            "one set of", "a single set", "one matri", "single matri", "shared over time",
            "same w, u", "same w and",
            "same at each", "same at every", "same for each", "same for every", "same for all",
        ),
        "Which weights does the tenth word meet, and which the first?",
    ),
    Point(
        "any length",
        (
            "length", "as long as", "how long", "however long", "arbitrar", "longer", "fixed size",
            "fixed-size", "fixed ... size", "fixed number", "fixed ... input", "fixed window",
            "fixed amount", "variable", "varying", "how many", "any number", "any size",
            "unlimited", "number of words", "number of steps", "number of tokens",
        ),
        "What happens when a sentence has one word more than all those before?",
    ),
)  # fmt: skip
ONES = ("1", "one", "unity")
EITHER = ("below or above", "above or below", "over or under", "under or over")
GRADIENT_POINTS = (
    Point(
        "a product of factors",
        (
            "product", "multipl", "factor", "jacobian", "chain", "power of", "powers of",
            "raised to", "times itself", "repeated ... matri", "again and again",
        ),
        "What does the gradient meet at each step on its way back, and how do these combine?",
    ),
    Point(
        "vanishing: below 1",
        (
            *(f"{less} {one}" for one in ONES
              for less in (*EITHER, "below", "under", "less than", "lower than", "within",
                           "beneath", "<", "<=", "between 0 and", "between zero and")),
            "smaller than", "smaller or larger than", "larger or smaller than", "shrink", "decay",
            "dies", "die away", "die out", "fade", "to zero", "to 0", "towards 0",
        ),
        "For which size of the factor does the signal die away?",
    ),
    Point(
        "exploding: above 1",
        (
            *(f"{more} {one}" for one in ONES
              for more in (*EITHER, "above", "over", "more than", "higher than", "beyond",
                           ">", ">=")),
            "greater than", "larger than", "bigger than", "smaller or larger than",
            "larger or smaller than", "exceed", "grow", "blow", "run away", "runs away",
            "without bound", "without limit", "infinit", "overflow", "diverg",
        ),
        "For which size of the factor does it run away?",
    ),
    Point(
        "which part vanishes",
        (
            "lag", "long-range", "long range", "long-term", "long term", "long depend",
            "long-distance", "long distance", "far", "distant", "distance", "remote", "early",
            "earlier", "earliest", "old words", "first word", "older", "long ago", "recent",
            "nearby", "near words", "near terms", "close by", "last few", "many steps",
        ),
        "Does the whole gradient vanish, or the part of some words?",
    ),
    Point(
        "clipping",
        (
            "clip", "threshold", "capped", "capping", "cap the", "cap on", "limit ... norm",
            "limit ... gradient", "limit ... length", "bound ... norm", "norm ... limit",
            "rescal", "scale ... down", "scaled down",
        ),
        "What keeps one exploding step from ruining the weights?",
    ),
    Point(
        "gates",
        ("gate", "gating", "gru", "lstm", "long short"),
        "What can a network change in its own step so that a state is kept as it is?",
    ),
    Point(
        "other remedies",
        (
            "orthogonal", "unitary", "residual", "skip", "shortcut", "leaky", "initiali",
            "identity", "relu", "truncat", "curricul", "mixed gap", "mixed length",
            "short sentences first", "normaliz", "normalis", "regulari", "attention",
            "transformer",
        ),
        "What helps besides: at the start of training, in the architecture, in the data?",
    ),
)  # fmt: skip


@leftover
def explain_rnn(answer: Any) -> str:
    """Check a function that returns a text, by the words in it."""
    return _read(answer, RNN_POINTS, needed=3)


@leftover
def explain_gradients(answer: Any) -> str:
    """Check a function that returns a text, by the words in it."""
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
    plain = _plain(text)
    if sum(_found(plain, term) for term in TERMS) < FEWEST_TERMS:
        raise Verdict(
            WRONG_VALUES,
            "Hardly a word of it is about networks: answer the question above.",
            head="off the question",
        )
    touched = [point for point in points if any(_found(plain, word) for word in point.words)]
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


def _plain(text: str) -> str:
    """Lower case, single blanks, blanks around < and >, and no "in order to"."""
    spaced = re.sub(r"([<>])(=?)", r" \1\2 ", text.lower().replace("≤", "<=").replace("≥", ">="))
    return " ".join(spaced.split()).replace("in order to", "to").replace("no longer", "not")


def _found(plain: str, words: str) -> bool:
    """Whether a phrase stands in a text, its words' beginnings at least."""
    pattern = GAP.join(map(re.escape, words.split(" ... ")))
    return re.search(r"(?<!\w)" + pattern, plain) is not None
