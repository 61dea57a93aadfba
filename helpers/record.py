"""What the recorded runs say: how many seeds learned, how fast, and what they learned.

Takes runs as tools.record_runs.load gives them. A gap counts as learned at a rate by the seeds
that reached the target within the budget; a network's rate is chosen anew for each gap, the
one with most seeds, then fewest steps: one rate for all would measure the rate.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

Runs = Sequence[dict[str, Any]]
RIGHT = 0.95


class Success(NamedTuple):
    """The runs of one network at one gap and its best rate.

    learned, seeds: how many of how many; rate: Adam's; steps: the median step at which
    those that learned did, or None.
    """

    learned: int
    seeds: int
    rate: float
    steps: float | None


def chosen(runs: Runs, **wanted: Any) -> list[dict[str, Any]]:
    """The runs whose entries have these values; gap=[3, 15] for mixed gaps.

    Raises ValueError if there is none.
    """
    found = [run for run in runs if all(run[name] == value for name, value in wanted.items())]
    if not found:
        asked = ", ".join(f"{name} {value!r}" for name, value in wanted.items())
        raise ValueError(f"no recorded run has {asked}")
    return found


def by_rate(runs: Runs) -> dict[float, list[dict[str, Any]]]:
    """Runs by learning rate, in rising order."""
    rates = sorted({run["rate"] for run in runs})
    return {rate: [run for run in runs if run["rate"] == rate] for rate in rates}


def success(runs: Runs, model: str, attractors: str, gap: int | list[int]) -> Success:
    """How a network did at a gap, at the rate that suited it best there.

    Raises ValueError if nothing was recorded for it.
    """
    outcomes = []
    for rate, group in by_rate(chosen(runs, model=model, attractors=attractors, gap=gap)).items():
        steps = [run["learned_at"] for run in group if run["learned_at"] is not None]
        median = float(np.median(steps)) if steps else None
        outcomes.append(Success(len(steps), len(group), rate, median))
    return max(outcomes, key=lambda each: (each.learned, -(each.steps or 0)))


def longest(runs: Runs, model: str, attractors: str, gaps: Iterable[int]) -> int | None:
    """The longest of these gaps that all seeds learned, as they did every shorter one.

    None if the shortest was not learned by all.
    """
    reached = None
    for gap in sorted(gaps):
        found = success(runs, model, attractors, gap)
        if found.learned < found.seeds:
            break
        reached = gap
    return reached


def right_at(
    runs: Runs, model: str, attractors: str, gap: int | list[int], *, tested: str, at: int
) -> tuple[int, int]:
    """Of the seeds that learned a gap at its best rate, how many are right elsewhere, of all.

    tested, at: attractors and gap of the test; right means 95 % or more.
    Raises ValueError if nothing was recorded for it.
    """
    rate = success(runs, model, attractors, gap).rate
    group = chosen(runs, model=model, attractors=attractors, gap=gap, rate=rate)
    scores = [run["tested"][tested][str(at)] for run in group if run["tested"]]
    return sum(score >= RIGHT for score in scores), len(group)
