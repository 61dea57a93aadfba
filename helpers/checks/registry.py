"""The list of exercises: what each is worth, and how its check becomes a Result."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from helpers.checks import progress_file
from helpers.checks.limits import settings_of_the_checks
from helpers.checks.results import RIGHT, SOLVED, WRITTEN, Result, Verdict, told

KINDS = ("code", "prediction", "text")


@dataclass(frozen=True)
class Exercise:
    """One exercise.

    name: of the learner's function and of the check. notebook: "00" to "06". number: its
    place in the notebook, from 1. points: for a solution. minutes: to plan with.
    difficulty: 1 to 3. kind: one of KINDS.
    """

    name: str
    notebook: str
    number: int
    title: str
    points: int
    minutes: int
    difficulty: int
    kind: str

    @property
    def label(self) -> str:
        """Notebook and number, such as "2.1"."""
        return f"{int(self.notebook)}.{self.number}"

    @property
    def stars(self) -> str:
        """The difficulty as it is shown."""
        return "★" * self.difficulty


EXERCISES: dict[str, Exercise] = {}


def exercise(
    notebook: str,
    number: int,
    title: str,
    *,
    points: int,
    minutes: int,
    difficulty: int,
    kind: str = "code",
) -> Callable[[Callable[[Any], str]], Callable[[Any], Result]]:
    """Make a check of a function that returns what to say if all is right, or raises a Verdict.

    The check takes the learner's function, returns a Result and never raises for anything
    that function does; the result is remembered for `progress`.
    """

    def decorate(judge: Callable[[Any], str]) -> Callable[[Any], Result]:
        name = judge.__name__
        EXERCISES[name] = Exercise(name, notebook, number, title, points, minutes, difficulty, kind)

        @functools.wraps(judge)
        def check(answer: Any) -> Result:
            head = None
            try:
                with settings_of_the_checks():
                    lines: tuple[str, ...] = tuple(judge(answer).split("\n"))
                status = RIGHT if kind == "code" else WRITTEN
            except Verdict as verdict:
                status, lines, head = verdict.status, verdict.lines, verdict.head
            earned = points if status in SOLVED else 0
            result = Result(name, status, told(name, status, lines, head), earned)
            progress_file.remember(result)
            return result

        return check

    return decorate


def exercises(notebook: str | None = None) -> tuple[Exercise, ...]:
    """All exercises, or one notebook's, in the order of the course.

    Raises ValueError if no exercise is in this notebook.
    """
    chosen = tuple(
        sorted(
            (e for e in EXERCISES.values() if notebook in (None, e.notebook)),
            key=lambda e: (e.notebook, e.number),
        )
    )
    if not chosen:
        known = ", ".join(sorted({e.notebook for e in EXERCISES.values()}))
        raise ValueError(f"notebook must be one of {known}; got {notebook!r}")
    return chosen


def progress(notebook: str) -> str:
    """Which exercises of a notebook are solved, as text.

    Raises ValueError if no exercise is in this notebook.
    """
    chosen = exercises(notebook)
    statuses = progress_file.remembered()
    solved = [e for e in chosen if statuses.get(e.name) in SOLVED]
    width = max(len(e.name) for e in chosen)
    lines = [f"Notebook {notebook}: {len(solved)} of {len(chosen)} exercises solved."]
    for e in chosen:
        mark = "x" if e in solved else " "
        lines.append(
            f"  [{mark}] {e.label} {e.name:{width}}  {statuses.get(e.name, 'not attempted')}"
        )
    return "\n".join(lines)


def table() -> str:
    """All exercises with notebook, kind, difficulty, minutes and points, as Markdown."""
    head = "| exercise | function | title | kind | difficulty | minutes | points |"
    rows = [
        f"| {e.label} | `{e.name}` | {e.title} | {e.kind} | {e.stars} | {e.minutes} | {e.points} |"
        for e in exercises()
    ]
    return "\n".join([head, "|---|---|---|---|---|---|---|", *rows])
