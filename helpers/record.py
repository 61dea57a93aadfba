"""Read the record: what each network learned at each gap, at its own best rate.

data/record.jsonl is made by tools.record_runs, whose docstring says how rates are chosen and
seeds are counted. Its first line holds settings and versions, each other line one cell: a
network, trained at one gap or at mixed gaps, with no nouns or random nouns in the middle.
A network that learned a gap of 20 or more with fewer than half of its seeds was not tried at
longer ones.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

PATH = Path(__file__).resolve().parents[1] / "data" / "record.jsonl"
RIGHT = 0.95  # of the answers, for a network to count as right

Gap = int | tuple[int, int]


@dataclass(frozen=True)
class Cell:
    """One network at one gap: the seeds that were counted.

    gap: tokens between subject and verb, or (low, high) for mixed gaps. middle: the nouns
    trained with, "none" or "random". rate: Adam's, the best one; None if no seed learned here
    or at a shorter gap, so that none was counted.
    learned_at: for each seed the step at which it was 95 % right, or None. tested: by middle,
    then gap, each seed's accuracy on sentences of that kind, None for a seed that did not
    learn. longer: by rate, learned_at of the same seeds with five times the budget, where it
    was tried.
    """

    network: str
    middle: str
    gap: Gap
    rate: float | None
    learned_at: tuple[int | None, ...]
    tested: dict[str, dict[int, list[float | None]]]
    longer: dict[float, list[int | None]]

    @property
    def seeds(self) -> int:
        """How many seeds were counted."""
        return len(self.learned_at)

    @property
    def learned(self) -> int:
        """How many of them learned."""
        return sum(step is not None for step in self.learned_at)

    @property
    def median_steps(self) -> float | None:
        """Step by which the median seed learned, None if half of the seeds or more did not."""
        steps = [math.inf if step is None else step for step in self.learned_at]
        median = float(np.median(steps)) if steps else math.inf
        return median if median < math.inf else None

    def right(self, middle: str, gap: int) -> int:
        """How many of the seeds are right in at least 95 % on this middle and gap."""
        return sum((score or 0) >= RIGHT for score in self.tested.get(middle, {}).get(gap, ()))


@dataclass(frozen=True)
class Record:
    """The whole record."""

    cells: tuple[Cell, ...]

    @property
    def networks(self) -> list[str]:
        """Names of the networks, in the record's order."""
        return list(dict.fromkeys(cell.network for cell in self.cells))

    def gaps(self, middle: str) -> list[int]:
        """The single gaps at which any network was trained with this middle, rising."""
        gaps = {cell.gap for cell in self.cells if cell.middle == middle}
        return sorted(gap for gap in gaps if isinstance(gap, int))

    def cell(self, network: str, middle: str, gap: Gap) -> Cell | None:
        """One cell; None if it was not tried. gap: a number, or (low, high) for mixed gaps.

        Raises ValueError if the record has no such network.
        """
        if network not in self.networks:
            raise ValueError(f"network must be one of {self.networks}; got {network!r}")
        wanted = (network, middle, gap)
        found = (c for c in self.cells if (c.network, c.middle, c.gap) == wanted)
        return next(found, None)


def load_record(path: Path = PATH) -> Record:
    """Read a record."""
    _, *lines = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    return Record(tuple(map(_cell, lines)))


def _cell(line: dict[str, Any]) -> Cell:
    """A line of the file, its keys numbers again where JSON made them text."""
    gap, tested = line["gap"], line["tested"] or {}
    return Cell(
        line["network"],
        line["middle"],
        gap if isinstance(gap, int) else tuple(gap),
        line["rate"],
        tuple(line["learned_at"]),
        {middle: {int(at): scores for at, scores in of.items()} for middle, of in tested.items()},
        {float(rate): steps for rate, steps in line.get("longer", {}).items()},
    )


def clopper_pearson(successes: int, trials: int) -> tuple[float, float]:
    """Exact 95 % interval of a probability of which `successes` of `trials` were seen.

    Each end is the probability at which what was seen, or more extreme, has 2.5 %.
    Source: Clopper & Pearson 1934, "The use of confidence or fiducial limits illustrated in
    the case of the binomial".
    """

    def at_least(k: int, p: float) -> float:
        several = range(k, trials + 1)
        return sum(math.comb(trials, i) * p**i * (1 - p) ** (trials - i) for i in several)

    def where(k: int, wanted: float) -> float:
        """The p at which k successes or more, likelier as p rises, have this probability."""
        low, high = 0.0, 1.0
        for _ in range(60):
            p = (low + high) / 2
            low, high = (p, high) if at_least(k, p) < wanted else (low, p)
        return low

    lower = where(successes, 0.025) if successes else 0.0
    upper = where(successes + 1, 0.975) if successes < trials else 1.0
    return lower, upper
