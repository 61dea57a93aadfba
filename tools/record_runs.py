"""Make the record: how far each network learns, at its own best rate, from many seeds.

python course.py record trains every network at every gap, and adds a line to
data/record.jsonl when a cell (a network, a middle, a gap) is done. Interrupted, it goes on
with the first cell that is missing.

A cell has two stages, so that no seed both chooses a rate and is counted. Scouts, three
seeds at each rate, race: the best rate is the one whose scouts all learn and whose last does
so soonest, so a race ends when one rate has won it. Rates are added until the best has a
worse one on either side. Then fresh seeds train at that rate, and they alone are counted. If
some of them fail, rates beside it are tried with the same seeds, since the fastest rate is
not always the surest; the one with most is the best, and what lies beside that one is tried
too. From gap 40 on there are two scouts a rate, with half the budget.

At gap 5 the scouts try all of GRID; at longer gaps they begin beside the best rate of the gap
before, and two more rates are tried if none learns. From gap 1,000 on there are no scouts: the
rate is that of the gap before; if a seed fails, a lower rate is tried, and then a higher one. A
network is not tried beyond a gap of 20 or more that fewer than half of its seeds learned.

A budget must not decide a row: what LONGER names is trained with five times the steps as well.

With mixed gaps nothing stops early; the best rate is the one whose scouts are most often
right at gap 300, since that is what such a training is for.

Learned means 95 % right on 256 sentences that are not trained on. The check is made every 20
steps if 80 % of the last 5 batches, new sentences as well, were right.
"""

from __future__ import annotations

import argparse
import copy
import functools
import json
import math
import platform
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tqdm.auto import tqdm

from helpers import networks
from helpers.networks.layer import flush_subnormal
from helpers.task import AgreementTask, vocabulary
from helpers.training import one_thread
from helpers.validation import Array
from tools.stacked import Stack, together

PATH = Path(__file__).resolve().parents[1] / "data" / "record.jsonl"
GAPS = (5, 10, 20, 40)
MIXED = (3, 15)
ABLATION = ((3, 6), (10, 15), (20, 30))
# at gaps from 300 on, which take long: what learned gap 40 with all seeds, soonest first
SURE = ("GRU", "GRU, log(gap)", "GRU, log(100)", "LSTM, both log(gap)")
IDENTITY = ("ReLU, identity, small U", "ReLU, identity")
SLOW = ("leaky", "residual", "LSTM, forget log(gap)")
LONGEST = ("GRU", "GRU, log(gap)", "LSTM, both log(gap)")
MIDDLES = ("none", "random")
TESTED_IN = ("none", "random", "opposite")
TESTED_AT = {20: 128, 300: 64, 1000: 32}  # gap: sentences
RATES = (1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 3e-1, 1.0)
GRID = range(RATES.index(1e-4), RATES.index(1e-1) + 1)
FEW = range(RATES.index(1e-3), RATES.index(1e-2) + 1)
SCOUTED_AT = 300  # the gap at which scouts of mixed gaps are tested
GIVEN_UP_FROM, UNSCOUTED_FROM = 20, 1000
LONGER, LONGER_STEPS, LONGER_RATES = ("RNN", "random", 10), 10_000, (3e-4, 1e-3, 3e-3)
FIRST_SCOUT, CHECK_SEED, TEST_SEED = 100, 1000, 2000

Gap = int | tuple[int, int]


@dataclass(frozen=True)
class Settings:
    """What all cells share: steps of batch sentences are the budget of a training."""

    hidden: int = 32
    steps: int = 2000
    batch: int = 16
    scouts: int = 3
    scouts_from_40: int = 2
    scout_steps_from_40: int = 1000
    seeds: int = 10
    seeds_at_300: int = 5
    seeds_at_1000: int = 3
    clip_norm: float = 1.0
    check_every: int = 20
    target: float = 0.95
    check_sentences: int = 256

    def scouting(self, gap: Gap) -> tuple[int, int]:
        """How many seeds scout each rate, and for how many steps at most."""
        if isinstance(gap, int) and gap < 40:
            return self.scouts, self.steps
        return self.scouts_from_40, self.scout_steps_from_40

    def fresh(self, gap: Gap) -> int:
        """How many seeds are counted at a gap."""
        if isinstance(gap, tuple) or gap < 300:
            return self.seeds
        return self.seeds_at_300 if gap < 1000 else self.seeds_at_1000


@dataclass(frozen=True)
class Cell:
    """One network, trained at one gap, or at gaps from low to high, with one middle."""

    network: str
    middle: str
    gap: Gap

    @property
    def longest(self) -> int:
        return max(self.gap) if isinstance(self.gap, tuple) else self.gap


Build = Callable[[int, int], networks.Classifier]  # of the longest gap and a seed


def builders(hidden: int) -> dict[str, Build]:
    """Every network of the record by its name."""
    words = len(vocabulary())

    def plain(build: Callable[..., Any], **options: Any) -> Build:
        return lambda gap, seed: build(words, hidden=hidden, seed=seed, **options)

    lstm, gru = networks.lstm_classifier, networks.gru_classifier
    size: dict[str, Any] = {"vocabulary_size": words, "hidden": hidden}
    return {
        "RNN": plain(networks.rnn_classifier),
        "RNN, orthogonal": plain(networks.orthogonal_classifier),
        "ReLU, identity, small U": plain(networks.identity_classifier, input_std=1e-3),
        "ReLU, identity": plain(networks.identity_classifier),
        "leaky": plain(networks.leaky_classifier),
        "residual": plain(networks.residual_classifier),
        "LSTM, forget bias 0": plain(lstm, forget_bias=0.0),
        "LSTM, forget bias 1": plain(lstm, forget_bias=1.0),
        "LSTM, forget log(gap)": lambda gap, seed: lstm(
            **size, forget_bias=math.log(gap), seed=seed
        ),
        "LSTM, both log(gap)": lambda gap, seed: lstm(
            **size, forget_bias=math.log(gap), input_bias=-math.log(gap), seed=seed
        ),
        "GRU": plain(gru),
        "GRU, log(gap)": lambda gap, seed: gru(**size, update_bias=math.log(gap), seed=seed),
        "GRU, log(100)": plain(gru, update_bias=math.log(100)),
    }


def plan() -> Iterator[Cell]:
    """Every cell, what matters most first."""
    names = list(builders(1))

    def everywhere(gap: Gap, names: Sequence[str] = names) -> Iterator[Cell]:
        return (Cell(name, middle, gap) for middle in MIDDLES for name in names)

    for gap in GAPS:
        yield from everywhere(gap)
        if gap == 20:
            for gaps in (MIXED, *ABLATION):
                yield from everywhere(gaps, ["RNN"])
    yield from everywhere(300, (*IDENTITY, *SURE))
    yield from everywhere(MIXED, [name for name in names if name != "RNN"])
    yield from everywhere(1000, SURE)
    yield from everywhere(80)
    yield from everywhere(300, SLOW)
    yield from (Cell(name, "none", 10_000) for name in LONGEST)
    yield from (Cell(name, "none", 1000) for name in (*IDENTITY, "residual"))


class Stream:
    """The batches of one task, drawn once and kept for every network that trains on them."""

    def __init__(self, gap: Gap, middle: str, seed: int, batch: int) -> None:
        self.task = AgreementTask(gap, attractors=middle, seed=seed)
        self.size = batch
        self.batches: list[tuple[Array, Array]] = []

    def __getitem__(self, index: int) -> tuple[Array, Array]:
        while len(self.batches) <= index:
            tokens, labels = self.task.batch(self.size)
            self.batches.append((tokens.numpy().astype(np.uint8), labels.numpy()))
        return self.batches[index]


@functools.lru_cache(maxsize=64)
def stream(gap: Gap, middle: str, seed: int, batch: int) -> Stream:
    """The stream of these arguments; those not used for long are forgotten."""
    return Stream(gap, middle, seed, batch)


def right(stack: Stack, which: Array, streams: Sequence[Stream], sentences: int) -> Array:
    """Share of right answers of some of a stack's networks, each on its own stream."""
    part = copy.copy(stack)
    part.values = stack.values[which]
    found = np.zeros(len(part))
    count = sentences // streams[0].size
    for index in range(count):
        tokens, labels, starts = together([each[index] for each in streams])
        found += (part.logits(tokens, starts).argmax(-1) == labels).mean(-1)
    return found / count


class Training:
    """Networks of one cell trained side by side; each leaves when it has learned or diverged.

    pairs: rate and seed of each. to_the_end: none leaves when it has learned.
    learned_at: step of the first check at the target, None without one; accuracy: at the last
    check; values: parameters when it left, None for a network whose gradient was not finite.
    """

    def __init__(
        self, cell: Cell, pairs: Sequence[tuple[float, int]], settings: Settings, to_the_end: bool
    ) -> None:
        self.cell, self.pairs, self.settings = cell, list(pairs), settings
        build = builders(settings.hidden)[cell.network]
        models = [build(cell.longest, seed) for _, seed in pairs]
        self.stack = Stack(models, [rate for rate, _ in pairs], settings.clip_norm)
        self.to_the_end = to_the_end
        self.learned_at: list[int | None] = [None] * len(models)
        self.accuracy = [float("nan")] * len(models)
        self.values: list[Array | None] = [None] * len(models)
        self.active = np.arange(len(models))

    def run(self, steps: int, won: Callable[[Training], bool] = lambda training: False) -> None:
        """Train for at most this many steps, or until `won` at a check, or all have left."""
        recent: deque[Array] = deque(maxlen=5)
        for step in range(1, steps + 1):
            streams = [self.stream(self.pairs[each][1]) for each in self.active]
            hits, finite = self.stack.step(*together([each[step - 1] for each in streams]))
            recent.append(hits / self.settings.batch)
            stay = finite
            if step % self.settings.check_every == 0:
                open_ = np.array([self.learned_at[each] is None for each in self.active])
                likely = finite & open_ & (np.mean(recent, axis=0) >= 0.8)
                passed = self.check(likely, step)
                if not self.to_the_end:
                    stay = finite & ~passed
                    self.keep_values(passed)
            if not stay.all():
                self.active = self.active[stay]
                self.stack.keep(stay)
                recent = deque((each[stay] for each in recent), maxlen=5)
            if not len(self.active) or (step % self.settings.check_every == 0 and won(self)):
                return

    def stream(self, seed: int, ahead: int = 0) -> Stream:
        return stream(self.cell.gap, self.cell.middle, ahead + seed, self.settings.batch)

    def check(self, which: Array, step: int) -> Array:
        """Test these of the active networks; which of the active ones reached the target."""
        passed = np.zeros(len(which), bool)
        if which.any():
            members = self.active[which]
            streams = [self.stream(self.pairs[each][1], CHECK_SEED) for each in members]
            found = right(self.stack, which, streams, self.settings.check_sentences)
            for each, accuracy in zip(members, found, strict=True):
                self.accuracy[each] = round(float(accuracy), 4)
                if accuracy >= self.settings.target and self.learned_at[each] is None:
                    self.learned_at[each] = step
            passed[which] = found >= self.settings.target
        return passed

    def finish(self) -> None:
        """Test and keep what is still active at the end."""
        everyone = np.ones(len(self.active), bool)
        self.check(everyone, self.stack.steps)
        self.keep_values(everyone)

    def keep_values(self, which: Array) -> None:
        for each, values in zip(self.active[which], self.stack.values[which], strict=True):
            self.values[each] = values.copy()

    def tested(self, middle: str, gap: int) -> list[float | None]:
        """Accuracy of each network that was kept, on sentences that all of them share."""
        kept = [values for values in self.values if values is not None]
        if not kept:
            return [None] * len(self.values)
        # the streams of a test are as long as its gap: too large to keep
        test = Stream(gap, middle, TEST_SEED, self.settings.batch)
        self.stack.values = np.stack(kept)
        everyone = np.ones(len(kept), bool)
        found = right(self.stack, everyone, [test] * len(kept), TESTED_AT[gap])
        scores = iter(found)
        return [None if each is None else round(float(next(scores)), 3) for each in self.values]


Scouts = dict[float, dict[str, Any]]  # by rate: steps raced, learned_at, right at 300 if mixed


def best_rate(scouts: Scouts) -> float | None:
    """The rate with most scouts that learned, and of such the one whose last was soonest."""

    def rank(rate: float) -> tuple[int, int]:
        steps = [step for step in scouts[rate]["learned_at"] if step is not None]
        return len(steps), -max(steps, default=0)

    best = max(scouts, key=rank)
    return best if rank(best)[0] else None


def most_right(scouts: Scouts) -> float:
    """The rate whose scouts are most often right at gap 300; one that diverged is guessing."""
    return max(scouts, key=lambda rate: sum(a or 0.5 for a in scouts[rate]["right_at_300"]))


def race(cell: Cell, rates: Sequence[float], scouts: Scouts, settings: Settings) -> None:
    """Add these rates to the scouts, stopping where none of them can be best any more."""
    scouts_a_rate, budget = settings.scouting(cell.gap)
    seeds = range(FIRST_SCOUT, FIRST_SCOUT + scouts_a_rate)
    mixed = isinstance(cell.gap, tuple)
    training = Training(cell, [(r, s) for r in rates for s in seeds], settings, mixed)

    def of_rate(index: int, entries: Sequence[Any]) -> list[Any]:
        return list(entries[index * len(seeds) : (index + 1) * len(seeds)])

    def won(training: Training) -> bool:
        each = (of_rate(index, training.learned_at) for index in range(len(rates)))
        return not mixed and any(None not in steps for steps in each)

    all_learned = [] if mixed else [s for s in scouts.values() if None not in s["learned_at"]]
    winners = [max(each["learned_at"]) for each in all_learned]
    training.run(min(winners, default=budget), won)
    columns: dict[str, list[Any]] = {"learned_at": training.learned_at}
    if mixed:
        training.finish()
        columns["right_at_300"] = training.tested(cell.middle, SCOUTED_AT)
    for index, rate in enumerate(rates):
        scouts[rate] = {"steps": training.stack.steps} | {
            name: of_rate(index, column) for name, column in columns.items()
        }


def scouted(cell: Cell, grid: Sequence[int], settings: Settings) -> tuple[Scouts, float | None]:
    """Race rates, given by their indices, until the best lies inside; the scouts and the best."""
    scouts: Scouts = {}
    tried = list(grid)
    mixed = isinstance(cell.gap, tuple)
    widened = len(tried) == len(GRID)
    while True:
        race(cell, [RATES[each] for each in tried if RATES[each] not in scouts], scouts, settings)
        best = most_right(scouts) if mixed else best_rate(scouts)
        low, high = min(tried), max(tried)
        wider = []
        if best is None and not widened:
            wider, widened = [low - 1, high + 1], True
        elif best is not None:
            wider = [low - 1] * (best == RATES[low]) + [high + 1] * (best == RATES[high])
        wider = [each for each in wider if 0 <= each < len(RATES)]
        if not wider:
            return dict(sorted(scouts.items())), best
        tried += wider


def counted(cell: Cell, rate: float, scouts: Scouts, settings: Settings) -> dict[float, Training]:
    """Train fresh seeds at this rate and, while some fail, at those beside the best.

    A higher rate is tried only if a scout learned there; a lower one, which may need more steps
    than scouts had, if any scout did. A rate beside the best that no scout has run is tried
    even if all seeds learned. Without any scouts a lower rate comes first, then a higher one.
    """
    mixed = isinstance(cell.gap, tuple)
    hopeful = [each for each in scouts if any(scouts[each]["learned_at"])]
    trainings: dict[float, Training] = {}
    wanted = [rate]
    while wanted:
        for each in wanted:
            pairs = [(each, seed) for seed in range(settings.fresh(cell.gap))]
            trainings[each] = Training(cell, pairs, settings, mixed)
            trainings[each].run(settings.steps)
            trainings[each].finish()
        best = surest(trainings)
        near = RATES.index(best)
        lower, higher = RATES[max(near - 1, 0)], RATES[min(near + 1, len(RATES) - 1)]
        wanted = []
        if mixed or not (hopeful or not scouts or any(trainings[best].learned_at)):
            continue
        if None in trainings[best].learned_at:
            wanted = [lower] + [higher] * (higher in hopeful)
            if not scouts and lower in trainings:
                wanted = [higher]
        if scouts:
            wanted += [each for each in (lower, higher) if each not in scouts]
        wanted = [each for each in dict.fromkeys(wanted) if each not in trainings]
    return trainings


def surest(trainings: dict[float, Training]) -> float:
    """The rate at which most seeds learned, and of such the one with the fewest median steps."""

    def rank(rate: float) -> tuple[int, float]:
        steps = [step for step in trainings[rate].learned_at if step is not None]
        return len(steps), -float(np.median(steps)) if steps else 0.0

    return max(trainings, key=rank)


def outcome(cell: Cell, before: float | None, settings: Settings) -> dict[str, Any]:
    """Scout, then train and test fresh seeds; before: the best rate at the gap before, if any."""
    began = time.process_time()
    mixed = isinstance(cell.gap, tuple)
    grid: Sequence[int] = FEW if mixed else GRID
    if before is not None and not mixed:
        near = RATES.index(before)
        grid = range(max(near - 1, 0), min(near + 2, len(RATES)))
    scouts: dict[float, dict[str, Any]] = {}
    best_scouted = None
    if mixed or cell.longest < UNSCOUTED_FROM:
        scouts, best_scouted = scouted(cell, grid, settings)
    rate = best_scouted or before
    line = {**asdict(cell), "rate": rate, "scouts": scouts}
    line |= {"learned_at": [], "accuracy": [], "other_rates": {}, "tested": None}
    if rate:
        trainings = counted(cell, rate, scouts, settings)
        line["rate"] = surest(trainings)
        best = trainings.pop(line["rate"])
        line["learned_at"] = best.learned_at
        line["accuracy"] = [None if math.isnan(each) else each for each in best.accuracy]
        line["other_rates"] = {rate: other.learned_at for rate, other in trainings.items()}
        if not mixed:  # what was not learned is not tested
            kept = zip(best.values, best.learned_at, strict=True)
            best.values = [None if step is None else values for values, step in kept]
        if any(values is not None for values in best.values):
            line["tested"] = {
                middle: {gap: best.tested(middle, gap) for gap in TESTED_AT} for middle in TESTED_IN
            }
    if (cell.network, cell.middle, cell.gap) == LONGER:
        line["longer"] = longer(cell, settings)
    return json.loads(json.dumps({**line, "seconds": round(time.process_time() - began)}))


def longer(cell: Cell, settings: Settings) -> dict[float, list[int | None]]:
    """Where the counted seeds learn, by rate, if they may train for LONGER_STEPS."""
    pairs = [(rate, seed) for rate in LONGER_RATES for seed in range(settings.fresh(cell.gap))]
    training = Training(cell, pairs, settings, False)
    training.run(LONGER_STEPS)
    found: dict[float, list[int | None]] = {rate: [] for rate in LONGER_RATES}
    for (rate, _), step in zip(pairs, training.learned_at, strict=True):
        found[rate].append(step)
    return found


def heading(settings: Settings) -> dict[str, Any]:
    """The record's first line: settings, and the versions that a result may depend on."""
    versions = {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
    }
    return {"settings": asdict(settings), "versions": versions}


def load(path: Path) -> tuple[dict[str, Any] | None, list[dict[str, Any]]]:
    """The first line, None without a file, and the cells; a line cut off at the end left out."""
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    lines = [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]
    return (lines[0] if lines else None), lines[1:]


def given_up(ladder: Sequence[dict[str, Any]]) -> bool:
    """Whether most seeds failed at a gap from GIVEN_UP_FROM on, among cells of one network."""
    return any(
        line["gap"] >= GIVEN_UP_FROM
        and sum(step is not None for step in line["learned_at"]) < len(line["learned_at"]) / 2
        for line in ladder
    )


def record(path: Path, settings: Settings, middles: Sequence[str] = MIDDLES) -> int:
    """Do every cell that the record lacks, and add each to it; returns how many were done.

    Raises ValueError if the file there was made with other settings or versions.
    """
    first = heading(settings)
    found, lines = load(path)
    if found is None:
        path.write_text(json.dumps(first) + "\n", encoding="utf-8")
    elif found != first:
        raise ValueError(
            f"{path.name} was begun with other settings or versions: {found}; now {first}. "
            "Go on with those, or move it away to begin anew"
        )
    else:
        path.write_text("\n".join(map(json.dumps, (found, *lines))) + "\n", encoding="utf-8")
    done = 0
    cells = [cell for cell in plan() if cell.middle in middles]
    bar = tqdm(cells, desc="cells", unit="cell", disable=None)
    with one_thread(), flush_subnormal(), bar:
        for cell in bar:
            own = [
                line
                for line in lines
                if line["network"] == cell.network and line["middle"] == cell.middle
            ]
            here = json.loads(json.dumps(cell.gap))
            if any(line["gap"] == here for line in own):
                continue
            ladder = [
                line for line in own if isinstance(line["gap"], int) and line["gap"] < cell.longest
            ]
            ladder.sort(key=lambda line: line["gap"])
            if isinstance(cell.gap, int) and given_up(ladder):
                continue
            bar.set_postfix_str(f"{cell.network}, {cell.middle}, gap {cell.gap}")
            rates = [line["rate"] for line in ladder if line["rate"] is not None]
            lines.append(outcome(cell, rates[-1] if rates else None, settings))
            with path.open("a", encoding="utf-8", newline="\n") as file:
                file.write(json.dumps(lines[-1]) + "\n")
            done += 1
    return done


def main(arguments: list[str] | None = None) -> int:
    """Complete the record; returns the exit status."""
    parser = argparse.ArgumentParser(prog="record", description="Make or complete the record.")
    parser.add_argument("--path", type=Path, default=PATH, help="the file to complete")
    parser.add_argument("--middle", choices=MIDDLES, help="only this middle, to share the work")
    options = parser.parse_args(arguments)
    middles = [options.middle] if options.middle else MIDDLES
    try:
        done = record(options.path, Settings(), middles)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"\nInterrupted: what was done is in {options.path.name}.")
        return 130
    print(f"{done} cells done; {options.path.name} is complete.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
