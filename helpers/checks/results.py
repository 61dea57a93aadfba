"""What a check answers: a status that a grader can assert on, and the text a reader sees."""

from __future__ import annotations

from dataclasses import dataclass

NOT_ATTEMPTED = "not attempted"
FAILED = "failed to run"
WRONG_SHAPE = "wrong shape"
WRONG_VALUES = "wrong values"
RIGHT = "right"
WRITTEN = "written down"  # a prediction or a text: done, though no check can call it right
STATUSES = (NOT_ATTEMPTED, FAILED, WRONG_SHAPE, WRONG_VALUES, RIGHT, WRITTEN)
SOLVED = (RIGHT, WRITTEN)

HEADS = {NOT_ATTEMPTED: "not attempted yet", WRONG_VALUES: "right shape, wrong values"}


@dataclass(frozen=True)
class Result:
    """The answer to one attempt.

    exercise: its name. status: one of STATUSES. message: the text, several lines.
    points: earned, all of the exercise's or 0.
    """

    exercise: str
    status: str
    message: str
    points: int = 0

    @property
    def passed(self) -> bool:
        """Whether the exercise counts as solved."""
        return self.status in SOLVED

    def __str__(self) -> str:
        return self.message


class Verdict(Exception):
    """Ends a check that was not passed.

    status: one of STATUSES. lines: what was seen, what it suggests, where to look.
    head: the first line's words after the name; without it the status gives them.
    """

    def __init__(self, status: str, *lines: str, head: str | None = None) -> None:
        super().__init__(status, *lines)
        self.status, self.lines, self.head = status, lines, head


def told(exercise: str, status: str, lines: tuple[str, ...], head: str | None = None) -> str:
    """The text of a result: the name and the status, then the lines, indented."""
    first = f"{exercise}: {head or HEADS.get(status, status)}."
    return "\n".join([first, *(f"  {line}" for line in lines)])
