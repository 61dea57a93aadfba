"""The list of exercises: what each is worth, how its check answers, and which are solved.

How to write a check, in notebook_NN.py:

    @exercise("03", 2, "The Jacobian of one step", points=2, minutes=8, difficulty=2)
    def step_jacobian(answer: Any) -> str:
        \"\"\"Check a function of (h, W) that returns a Jacobian (hidden, hidden).\"\"\"
        return compare(answer, cases, reference, mistakes, shape="(hidden, hidden)")

The function's name is the exercise's. It returns what to say if all is right, or raises a
Verdict; export it in helpers/checks/__init__.py. `compare` calls the learner's function on
copies of each case (argument names to values; one random generator, several sizes, square ones
first) and compares with the reference, a plain formula. What overwrites its arguments does not
pass. A mistake is what a wrong formula suggests (what was seen and where to look, never the
solution) and that formula; it is named only where it gives the learner's result on every case.
Where a function returns something else than arrays, call it by `attempt` and judge the outcomes
yourself. tests/checks/test_notebook_NN.py holds four right answers and six wrong ones or more.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from helpers.checks.attempt import settings
from helpers.checks.results import RIGHT, STATUSES, Result, Verdict, text_of

PROGRESS = Path(__file__).resolve().parents[2] / ".progress.json"
SWITCH = "COURSE_PROGRESS"  # "off": the file is neither read nor written, as in every test run

_in_kernel: dict[str, str] = {}


@dataclass(frozen=True)
class Exercise:
    """One exercise.

    name: of the learner's function and of the check. notebook: "00" to "09". number: its
    place in the notebook, from 1. points: for a solution. minutes: to plan with.
    difficulty: 1 to 3.
    """

    name: str
    notebook: str
    number: int
    title: str
    points: int
    minutes: int
    difficulty: int

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
    notebook: str, number: int, title: str, *, points: int, minutes: int, difficulty: int
) -> Callable[[Callable[[Any], str]], Callable[[Any], Result]]:
    """Make a check of a function that returns what to say if all is right, or raises a Verdict.

    The check takes the learner's function, returns a Result and never raises for anything
    that function does; the result is remembered for `progress`.
    """

    def decorate(judge: Callable[[Any], str]) -> Callable[[Any], Result]:
        name = judge.__name__
        EXERCISES[name] = Exercise(name, notebook, number, title, points, minutes, difficulty)

        @functools.wraps(judge)
        def check(answer: Any) -> Result:
            status, earned, head = RIGHT, points, None
            try:
                with settings():
                    lines: tuple[str, ...] = tuple(judge(answer).split("\n"))
            except Verdict as verdict:
                status, lines, head, earned = verdict.status, verdict.lines, verdict.head, 0
            result = Result(name, status, text_of(name, status, lines, head), earned, answer)
            _remember(result)
            return result

        return check

    return decorate


def exercises(notebook: str | None = None) -> tuple[Exercise, ...]:
    """Return all exercises, or one notebook's, in the order of the course.

    Raises ValueError if no exercise is in this notebook.
    """
    chosen = [e for e in EXERCISES.values() if notebook in (None, e.notebook)]
    if not chosen:
        known = ", ".join(sorted({e.notebook for e in EXERCISES.values()}))
        raise ValueError(f"notebook must be one of {known}; got {notebook!r}")
    return tuple(sorted(chosen, key=lambda e: (e.notebook, e.number)))


def progress(notebook: str | None = None) -> str:
    """Return which exercises of a notebook are solved, as text.

    Without a notebook: how many in each one that was begun, and which is next there.
    Raises ValueError if no exercise is in this notebook.
    """
    if notebook is None:
        numbers = sorted({each.notebook for each in EXERCISES.values()})
        lines = [line for number in numbers if (line := _summary(number))]
        return "\n".join(lines) or "No exercise tried yet: begin with notebook 00."
    chosen, statuses = exercises(notebook), _merged(_stored(), _in_kernel)
    solved = [e for e in chosen if statuses.get(e.name) == RIGHT]
    width = max(len(e.name) for e in chosen)
    lines = [f"Notebook {notebook}: {len(solved)} of {len(chosen)} exercises solved."]
    for e in chosen:
        mark, status = "x" if e in solved else " ", statuses.get(e.name, "not attempted")
        lines.append(f"  [{mark}] {e.label} {e.name:{width}}  {status}")
    return "\n".join(lines)


def _summary(notebook: str) -> str:
    """Return one line on a notebook that was begun, "" of another."""
    chosen, statuses = exercises(notebook), _merged(_stored(), _in_kernel)
    if not any(e.name in statuses for e in chosen):
        return ""
    left = [e for e in chosen if statuses.get(e.name) != RIGHT]
    then = f"; next: {left[0].label} {left[0].title}" if left else ""
    return f"{notebook}: {len(chosen) - len(left)} of {len(chosen)} exercises solved{then}"


def table() -> str:
    """Return all exercises with difficulty, minutes and points, as a Markdown table."""
    head = "| exercise | function | title | difficulty | minutes | points |"
    rows = [
        f"| {e.label} | `{e.name}` | {e.title} | {e.stars} | {e.minutes} | {e.points} |"
        for e in exercises()
    ]
    return "\n".join([head, "|---|---|---|---|---|---|", *rows])


def _remember(result: Result) -> None:
    """Keep a status in this kernel and, where it can be written, in the file for the next."""
    _in_kernel.update(_merged(_in_kernel, {result.exercise: result.status}))
    stored = _stored()
    merged = _merged(stored, _in_kernel)
    if os.environ.get(SWITCH) == "off" or merged == stored:
        return
    with contextlib.suppress(OSError):
        handle, temporary = tempfile.mkstemp(".tmp", ".progress", PROGRESS.parent)
        try:
            with open(handle, "w", encoding="utf-8") as file:
                json.dump(merged, file, indent=1, sort_keys=True)
            os.replace(temporary, PROGRESS)
        except OSError:
            os.unlink(temporary)


def _merged(old: dict[str, str], new: dict[str, str]) -> dict[str, str]:
    """Return the newer statuses over the old ones; an exercise once solved stays solved."""
    return {**old, **{name: s for name, s in new.items() if old.get(name) != RIGHT}}


def _stored() -> dict[str, str]:
    """Return what the file says of exercises; {} if it is missing, broken or not ours."""
    if os.environ.get(SWITCH) == "off":
        return {}
    try:
        content = json.loads(PROGRESS.read_text(encoding="utf-8"))
        return {name: s for name, s in content.items() if s in STATUSES}
    except (OSError, ValueError, RecursionError, AttributeError, TypeError):
        return {}
