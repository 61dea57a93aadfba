"""What a check answers: a status, the text a reader sees, and the function to go on with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from html import escape
from typing import Any

NOT_ATTEMPTED = "not attempted"
FAILED = "failed to run"
WRONG_SHAPE = "wrong shape"
WRONG_VALUES = "wrong values"
RIGHT = "right"
NEAR, FAR, NO_GUESS = "near", "far", "no guess"
STATUSES = (NOT_ATTEMPTED, FAILED, WRONG_SHAPE, WRONG_VALUES, RIGHT, NEAR, FAR, NO_GUESS)

HEADS = {NOT_ATTEMPTED: "not attempted yet", WRONG_VALUES: "right shape, wrong values"}
NOTE = "Until yours is right, the cells below use the course's own."
GREEN, AMBER, BLUE = "#1a7f37", "#9a6000", "#1a6fc4"  # seen on a light page and a dark one
BADGES = {RIGHT: (GREEN, "right"), **dict.fromkeys((NEAR, FAR, NO_GUESS), (BLUE, "guess"))}


@dataclass
class Result:
    """The answer to one attempt or to one guess.

    exercise: its name. status: one of STATUSES. lines: the text, indented under a first line
    that names the exercise; head: that line's words, which the status gives without it.
    answer: the learner's own function.
    """

    exercise: str
    status: str
    lines: tuple[str, ...] = ()
    head: str | None = None
    answer: Callable[..., Any] | None = field(default=None, repr=False)

    @property
    def passed(self) -> bool:
        """Whether the exercise counts as solved; a guess never does, near or far."""
        return self.status == RIGHT

    def use(self, instead: Callable[..., Any]) -> Callable[..., Any]:
        """Return the learner's function if it passed, else `instead`, and say so when shown."""
        if self.passed and self.answer is not None:
            return self.answer
        if NOTE not in self.lines:
            self.lines += (NOTE,)
        return instead

    def __str__(self) -> str:
        first = f"{self.exercise}: {self.head or HEADS.get(self.status, self.status)}."
        return "\n".join([first, *(f"  {line}" for line in self.lines)])

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        """Show the message in colour; the same words stay underneath as plain text."""
        colour, badge = BADGES.get(self.status, (AMBER, "not yet"))
        head, *lines = str(self).split("\n")
        body = "".join(f"<div>{escape(line.strip())}</div>" for line in lines)
        html = (
            f'<div style="border-left: 4px solid {colour}; padding: 2px 0 2px 12px">'
            f'<div><span style="background-color: {colour}; color: #ffffff; padding: 0 8px; '
            f'border-radius: 3px">{badge}</span> <b>{escape(head)}</b></div>{body}</div>'
        )
        return {"text/html": html, "text/plain": str(self)}


class Verdict(Exception):
    """Ends a check that was not passed.

    status, head: as of a Result. lines: what was seen, what it suggests, where to look.
    """

    def __init__(self, status: str, *lines: str, head: str | None = None) -> None:
        super().__init__(status, *lines)
        self.status, self.lines, self.head = status, lines, head
