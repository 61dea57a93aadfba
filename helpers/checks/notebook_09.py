"""Notebook 09: a quiz of twelve statements, and two interview questions to mark oneself by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from helpers.checks.attempt import attempt
from helpers.checks.registry import exercise
from helpers.checks.results import FAILED, NO_GUESS, WRONG_VALUES, Result, Verdict


class Statement(NamedTuple):
    """One statement of the quiz: whether it is true, the notebook that showed it, and why."""

    text: str
    true: bool
    notebook: str
    why: str


STATEMENTS = (
    Statement("If the gradient at a word is rounded to 0, that word can't change the answer.",
              False, "04",
              "Flip the subject of the network trained on mixed gaps and the verb flips, though "
              "the gradient there is 0. A gradient asks about a small nudge; a latch answers a "
              "large one."),
    Statement("A plain RNN that is right at gap 5 is right at gap 4 as well.", False, "01",
              "Several seeds are far below guessing at gap 4: their state turns at each word, and"
              " after four words it points the other way."),
    Statement("If every eigenvalue of A is below 1 in size, the norm of A^k falls with each k.",
              False, "04",
              "A non-normal matrix grows first. With eigenvalues of .9 a norm near 39 came before"
              " the fall."),
    Statement("PyTorch's default W has a singular value above 1, and its gradient vanishes all the"
              " same.", True, "04",
              "A largest singular value above 1 is needed for exploding. It isn't enough."),
    Statement("What vanishes is the share of the far words; the whole gradient of W does not.",
              True, "04",
              "The gradient is a sum of one term for each step, and the near terms stay large."),
    Statement("Vanishing is a fault of back-propagation: forward mode does not have it.",
              False, "03",
              "Forward mode computes the same derivative and gets the same tiny number."),
    Statement("A tanh network can't explode, since its state stays between -1 and 1.", False, "05",
              "Its gradient is a product of Jacobians: at gain 4 that overflows, and no state "
              "exceeds 1."),
    Statement("A gradient that explodes once can leave a network whose gradient vanishes.",
              True, "05",
              "One long step drove the units to where tanh is flat, and the signal was exactly 0."),
    Statement("Under SGD, if every step is clipped, rate 10 with c = 0.1 and rate 100 with c = "
              "0.01 take steps of the same length.", True, "06",
              "A clipped step has length rate times c, whatever the gradient was."),
    Statement("A GRU fresh from PyTorch carries the signal over 100 words.", False, "07",
              "It loses more than a third at every word. Its gate first has to learn to keep."),
    Statement("With the right bias on its gate, a GRU passes the signal on before any training.",
              True, "07",
              "A bias of log(T - 1) sets z to 1 - 1/T, a memory of about T words."),
    Statement("If the signal reaches the subject, the network will learn the task.", False, "08",
              "With W times 3 most of it arrived in an RNN that learned nothing in 300 steps."),
)  # fmt: skip

MODEL_ANSWERS: dict[int, tuple[str, tuple[str, ...]]] = {
    1: (
        "A feed-forward network takes an input of fixed size in one go. An RNN reads a sequence "
        "step by step and carries a state along, so what came before, and in which order, can "
        "change what it says now. It uses the same weights at every step, so it takes sequences "
        "of any length with the same number of weights. The price is depth: a sequence of T "
        "words makes a network of T layers.",
        (
            "order: the same words in another order can give another answer",
            "state: what is carried from one step to the next",
            "the same weights at each step",
            "any length",
        ),
    ),
    2: (
        "The gradient meets one Jacobian for each step on its way back. If they shrink it by a "
        "factor below 1 on average, the terms of far words vanish exponentially while the near "
        "ones stay, and a plain RNN hardly learns far dependencies from far examples alone. Above "
        "1 it explodes. Clipping by norm bounds the step and leaves the ratio of far to near as "
        "it is. Against vanishing one changes the path (gates with a bias, an identity or "
        "orthogonal start) or the data (short and varied gaps first).",
        (
            "a product, one factor for each step",
            "below 1 it vanishes, above 1 it explodes",
            "what vanishes: the terms of far words, not the whole gradient",
            "clipping helps against exploding and does nothing for vanishing",
            "gates or another start bring the factor nearer to 1",
            "the data matter too: mixed gaps taught a plain RNN",
        ),
    ),
}
FEWEST_WORDS = 20


def statements() -> None:
    """Print the twelve statements, numbered."""
    for number, statement in enumerate(STATEMENTS, start=1):
        print(f"{number:2}  {statement.text}")


@exercise("09", 1, "Twelve statements", points=3, minutes=6, difficulty=2)
def quiz(answer: Any) -> str:
    """Check a function without arguments that returns {number: True or False} for 1 to 12."""
    given = attempt(answer, [{}], _answers)[0].value
    lines, right = [], 0
    for number, (_, true, notebook, why) in enumerate(STATEMENTS, start=1):
        right += given[number] is true
        verdict = "right" if given[number] is true else "no"
        lines.append(f"{number}. {verdict}: it is {str(true).lower()}. {why} (notebook {notebook})")
    if right < len(STATEMENTS):
        raise Verdict(WRONG_VALUES, *lines, head=f"{right} of {len(STATEMENTS)}")
    return "\n".join(("All twelve.", *lines))


def _answers(value: Any) -> dict[int, bool]:
    """An answer for each number; raises a Verdict naming what is missing."""
    if not isinstance(value, Mapping):
        raise Verdict(FAILED, f"It returned a {type(value).__name__}; return a dict.")
    for number in range(1, len(STATEMENTS) + 1):
        if number not in value:
            raise Verdict(FAILED, f"There is no answer to statement {number}.")
        said = value[number]
        if not isinstance(said, bool):
            raise Verdict(FAILED, f"Your answer {number} is {said!r}: write True or False.")
    return dict(value)


def beside_model_answer(question: int, text: str) -> Result:
    """Show a model answer to interview question 1 or 2, with a list to mark one's own by.

    text: the learner's answer in words; before there are FEWEST_WORDS nothing is shown.
    """
    name = f"question {question}"
    words = len(text.split())
    if words < FEWEST_WORDS:
        wanted = f"Write at least {FEWEST_WORDS} words, and a model answer appears beside them."
        return Result(name, NO_GUESS, (wanted,), f"{words} words so far")
    answer, points = MODEL_ANSWERS[question]
    lines = (
        "Yours: " + " ".join(text.split()),
        "One way to say it: " + answer,
        "Mark yourself: is each of these in your answer?",
        *(f"[ ] {point}" for point in points),
    )
    return Result(name, NO_GUESS, lines, f"{words} words")
