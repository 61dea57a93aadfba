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
    """One network at one gap: the seeds that were counted, and what chose their rate.

    gap: tokens between subject and verb, or (low, high) for mixed gaps. middle: the nouns
    trained with, "none" or "random". rate: Adam's, the best one; None if no seed learned here
    or at a shorter gap, so that none was counted.
    learned_at: for each seed the step at which it was 95 % right, or None. accuracy: at its
    last check. tested: by middle, then gap, each seed's accuracy on sentences of that kind,
    None for a seed that did not learn.
    scouts: by rate, how many steps its scouts raced and where they learned. other_rates: by
    rate, learned_at of the same seeds, where the rates beside the best were tried as well.
    longer: by rate, learned_at of the same seeds with five times the budget, where it was tried.
    """

    network: str
    middle: str
    gap: Gap
    rate: float | None
    learned_at: tuple[int | None, ...]
    accuracy: tuple[float | None, ...]
    tested: dict[str, dict[int, tuple[float | None, ...]]]
    scouts: dict[float, dict[str, Any]]
    other_rates: dict[float, tuple[int | None, ...]]
    longer: dict[float, tuple[int | None, ...]]

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

    @property
    def interval(self) -> tuple[float, float]:
        """95 % interval of the share of seeds that learn; (0, 1) if none was counted."""
        return clopper_pearson(self.learned, self.seeds)

    @property
    def interior(self) -> bool:
        """Whether a lower and a higher rate than the best were tried."""
        tried = {*self.scouts, *self.other_rates}
        rate = self.rate or 0.0
        return any(each < rate for each in tried) and any(each > rate for each in tried)

    def scores(self, middle: str, gap: int) -> list[float]:
        """Accuracies, on this middle and gap, of the seeds that were tested."""
        found = self.tested.get(middle, {}).get(gap, ())
        return [score for score in found if score is not None]

    def right(self, middle: str, gap: int) -> int:
        """How many of the seeds are right in at least 95 % on this middle and gap."""
        return sum(score >= RIGHT for score in self.scores(middle, gap))


@dataclass(frozen=True)
class Record:
    """The whole record; settings and versions as its first line has them."""

    settings: dict[str, Any]
    versions: dict[str, str]
    cells: tuple[Cell, ...]

    @property
    def networks(self) -> list[str]:
        """Names of the networks, in the record's order."""
        return list(dict.fromkeys(cell.network for cell in self.cells))

    def gaps(self, middle: str) -> list[int]:
        """The single gaps at which any network was trained with this middle, rising."""
        single = (cell for cell in self.cells if cell.middle == middle)
        return sorted({cell.gap for cell in single if isinstance(cell.gap, int)})

    def cell(self, network: str, middle: str, gap: Gap) -> Cell | None:
        """One cell; None if it was not tried. gap: a number, or (low, high) for mixed gaps.

        Raises ValueError if the record has no such network.
        """
        if network not in self.networks:
            raise ValueError(f"network must be one of {self.networks}; got {network!r}")
        for cell in self.cells:
            if (cell.network, cell.middle, cell.gap) == (network, middle, gap):
                return cell
        return None

    def longest(self, network: str, middle: str) -> int | None:
        """The longest gap that all seeds learned, as they did every shorter one, or None."""
        reached = None
        for gap in self.gaps(middle):
            cell = self.cell(network, middle, gap)
            if cell is None or not cell.seeds or cell.learned < cell.seeds:
                break
            reached = gap
        return reached


def load_record(path: Path = PATH) -> Record:
    """Read a record."""
    first, *lines = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    return Record(first["settings"], first["versions"], tuple(map(_cell, lines)))


def _cell(line: dict[str, Any]) -> Cell:
    """A line of the file, its keys numbers again where JSON made them text."""
    gap = line["gap"]
    tested = {
        middle: {int(at): tuple(scores) for at, scores in by_gap.items()}
        for middle, by_gap in (line["tested"] or {}).items()
    }
    return Cell(
        line["network"],
        line["middle"],
        gap if isinstance(gap, int) else tuple(gap),
        line["rate"],
        tuple(line["learned_at"]),
        tuple(line["accuracy"]),
        tested,
        {float(rate): scouts for rate, scouts in line["scouts"].items()},
        {float(rate): tuple(steps) for rate, steps in line["other_rates"].items()},
        {float(rate): tuple(steps) for rate, steps in line.get("longer", {}).items()},
    )


def clopper_pearson(successes: int, trials: int, confidence: float = 0.95) -> tuple[float, float]:
    """Exact interval of a probability of which `successes` of `trials` were seen.

    Each end is the probability at which what was seen, or more extreme, has half of what
    confidence leaves.
    Source: Clopper & Pearson 1934, "The use of confidence or fiducial limits illustrated in
    the case of the binomial".
    """
    tail = (1 - confidence) / 2

    def at_least(p: float, k: int) -> float:
        return sum(
            math.comb(trials, i) * p**i * (1 - p) ** (trials - i) for i in range(k, trials + 1)
        )

    def where(k: int, wanted: float) -> float:
        """The p at which at_least(p, k), which rises with p, is this probability."""
        low, high = 0.0, 1.0
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (middle, high) if at_least(middle, k) < wanted else (low, middle)
        return low

    lower = where(successes, tail) if successes else 0.0
    upper = where(successes + 1, 1 - tail) if successes < trials else 1.0
    return lower, upper
