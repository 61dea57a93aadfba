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
yourself. tests/checks/test_notebook_NN.py holds right answers and six wrong ones or more.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from helpers.checks.attempt import settings
from helpers.checks.results import RIGHT, STATUSES, Result, Verdict
from helpers.validation import choice

PROGRESS = Path(__file__).resolve().parents[2] / ".progress.json"
SWITCH = "COURSE_PROGRESS"  # "off": the file is neither read nor written, as in every test run

_in_kernel: dict[str, str] = {}


class Exercise(NamedTuple):
    """One exercise.

    name: of the learner's function and of the check. notebook: "00" to "09". number: its
    place in the notebook, from 1. points: for a solution. minutes: to plan with.
    difficulty: 1 to 3, as many stars on the page.
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
            try:
                with settings():
                    result = Result(name, RIGHT, tuple(judge(answer).split("\n")), None, answer)
            except Verdict as verdict:
                result = Result(name, verdict.status, verdict.lines, verdict.head, answer)
            _remember(result)
            return result

        return check

    return decorate


def exercises(notebook: str | None = None) -> tuple[Exercise, ...]:
    """Return all exercises, or one notebook's, in the order of the course.

    Raises ValueError if no exercise is in this notebook.
    """
    ordered = sorted(EXERCISES.values(), key=lambda e: (e.notebook, e.number))
    if notebook is not None:
        choice("notebook", notebook, dict.fromkeys(e.notebook for e in ordered))
    return tuple(e for e in ordered if notebook in (None, e.notebook))


def progress(notebook: str | None = None) -> str:
    """Return which exercises of a notebook are solved, as text.

    Without a notebook: how many in each one that was begun, and which is next there.
    Raises ValueError if no exercise is in this notebook.
    """
    chosen, statuses = exercises(notebook), _statuses()
    if notebook is None:
        begun = dict.fromkeys(e.notebook for e in chosen if e.name in statuses)
        lines = [_summary(each, statuses) for each in begun]
        return "\n".join(lines) or "No exercise tried yet: begin with notebook 00."
    solved = [e for e in chosen if statuses.get(e.name) == RIGHT]
    width = max(len(e.name) for e in chosen)
    lines = [f"Notebook {notebook}: {len(solved)} of {len(chosen)} exercises solved."]
    for e in chosen:
        mark, status = "x" if e in solved else " ", statuses.get(e.name, "not attempted")
        lines.append(f"  [{mark}] {e.label} {e.name:{width}}  {status}")
    return "\n".join(lines)


def _summary(notebook: str, statuses: dict[str, str]) -> str:
    """One line on a notebook that was begun."""
    chosen = exercises(notebook)
    left = [e for e in chosen if statuses.get(e.name) != RIGHT]
    then = f"; next: {left[0].label} {left[0].title}" if left else ""
    return f"{notebook}: {len(chosen) - len(left)} of {len(chosen)} exercises solved{then}"


def _remember(result: Result) -> None:
    """Keep a status in this kernel and, where it can be written, in the file for the next."""
    _in_kernel.update(_merged(_in_kernel, {result.exercise: result.status}))
    if os.environ.get(SWITCH) != "off":
        with contextlib.suppress(OSError):
            PROGRESS.write_text(json.dumps(_statuses(), indent=1, sort_keys=True), "utf-8")


def _statuses() -> dict[str, str]:
    """What the file and this kernel say; of a file that is broken or not ours, nothing."""
    stored = {}
    if os.environ.get(SWITCH) != "off":
        with contextlib.suppress(OSError, ValueError, AttributeError):
            content = json.loads(PROGRESS.read_text("utf-8"))
            stored = {name: status for name, status in content.items() if status in STATUSES}
    return _merged(stored, _in_kernel)


def _merged(old: dict[str, str], new: dict[str, str]) -> dict[str, str]:
    """The newer statuses over the old ones; an exercise once solved stays solved."""
    return {**old, **{name: s for name, s in new.items() if old.get(name) != RIGHT}}
