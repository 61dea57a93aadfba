"""How far each network reaches: the recorded run behind notebook 05's scoreboard.

python -m tools.record_runs trains every network of the scoreboard at every gap, rate and seed,
and adds a line to data/reach.jsonl when a training ends. Interrupted, it goes on where it
was; complete, it has nothing to do.

The file's first line holds the settings and the versions, each other line one run:
model, attractors, gap (or the two ends of mixed gaps), rate, seed; steps taken, learned_at
(step of the check that reached the target, or null), accuracy at the last check; and for a
run that learned, tested: accuracy by attractors and gap on sentences it has never seen.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import os
import platform
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from tqdm.auto import tqdm

from helpers import training
from helpers.networks import classifiers as models
from helpers.task.agreement import ATTRACTORS, AgreementTask
from helpers.task.lexicon import vocabulary

PATH = Path(__file__).resolve().parents[1] / "data" / "reach.jsonl"
MINUTES = 100  # of one core, for the whole run
GAPS = (5, 10, 20, 40, 80, 160, 300, 1000)
TRAINED_WITH = ("none", "random")  # attractors
FAR, FAR_RATE = 10_000, 3e-2
MIXED = (3, 15)
BIASED = "GRU, bias log(gap)"
MIXED_RNN = "RNN, mixed gaps"
KEYS = {"model", "attractors", "gap", "rate", "seed", "learned_at", "tested"}  # of a run


@dataclass(frozen=True)
class Settings:
    """What all runs share; rates are Adam's, steps and sentences (a batch) the budget."""

    hidden: int = 32
    rates: tuple[float, ...] = (3e-3, 1e-2, 3e-2)
    seeds: int = 5
    steps: int = 600
    batch: int = 16
    far_batch: int = 8
    mixed_rates: tuple[float, ...] = (1e-3, 2e-3, 3e-3)
    mixed_steps: int = 3000
    mixed_batch: int = 32
    clip_norm: float = 1.0
    check_every: int = 20
    target: float = 0.95
    test_sentences: int = 128


@dataclass(frozen=True)
class Run:
    """One training: which network, on what, at which rate, from which seed."""

    model: str
    attractors: str
    gap: int | tuple[int, int]
    rate: float
    seed: int


Build = Callable[[int, int], nn.Module]  # of a gap and a seed


def builders(hidden: int) -> dict[str, Build]:
    """Every network of the scoreboard by its name, to be built for a gap from a seed."""
    words = len(vocabulary())

    def with_size(build: Callable[..., nn.Module], **options: Any) -> Build:
        return lambda gap, seed: build(words, hidden=hidden, seed=seed, **options)

    return {
        "RNN": with_size(models.rnn_classifier),
        "RNN, orthogonal": with_size(models.orthogonal_classifier),
        "RNN, ReLU, identity": with_size(models.identity_classifier),
        MIXED_RNN: with_size(models.rnn_classifier),
        "LSTM, forget bias 0": with_size(models.lstm_classifier),
        "LSTM, forget bias 1": with_size(models.lstm_classifier, forget_bias=1.0),
        "GRU": with_size(models.gru_classifier),
        BIASED: lambda gap, seed: models.gru_classifier(
            words, hidden=hidden, update_bias=math.log(gap), seed=seed
        ),
    }


def plan(settings: Settings) -> Iterator[Run]:
    """Every run: without nouns in the middle, at gap 10,000, and with random nouns."""
    rates, seeds = settings.rates, range(settings.seeds)
    fixed = [name for name in builders(settings.hidden) if name != MIXED_RNN]
    for attractors in TRAINED_WITH:
        for rate, seed in itertools.product(settings.mixed_rates, seeds):
            yield Run(MIXED_RNN, attractors, MIXED, rate, seed)
        for gap, name, rate, seed in itertools.product(GAPS, fixed, rates, seeds):
            yield Run(name, attractors, gap, rate, seed)
        if attractors == "none":
            for seed in seeds:
                yield Run(BIASED, attractors, FAR, FAR_RATE, seed)


def outcome(run: Run, settings: Settings) -> dict[str, Any]:
    """Train once and test what was learned; the line of the record."""
    mixed = run.model == MIXED_RNN
    model = builders(settings.hidden)[run.model](MIXED[1] if mixed else run.gap, run.seed)
    batch = settings.far_batch if run.gap == FAR else settings.batch
    history = training.train(
        model,
        AgreementTask(run.gap, attractors=run.attractors, seed=run.seed),
        AgreementTask(run.gap, attractors=run.attractors, seed=1000 + run.seed),
        steps=settings.mixed_steps if mixed else settings.steps,
        learning_rate=run.rate,
        clip_norm=settings.clip_norm,
        batch_size=settings.mixed_batch if mixed else batch,
        check_every=settings.check_every,
        # stopped at the target, a latch made by mixed gaps still drifts at longer ones
        target=2.0 if mixed else settings.target,
        title=f"{run.model}, gap {run.gap}",
    )
    learned = history.accuracy >= settings.target
    return {
        **asdict(run),
        "steps": len(history.loss),
        "learned_at": len(history.loss) if learned else None,
        "accuracy": round(history.accuracy, 4),
        "tested": tested(model, settings, (*GAPS, FAR) if run.gap == FAR else GAPS)
        if learned
        else None,
    }


def tested(model: nn.Module, settings: Settings, gaps: tuple[int, ...]) -> dict[str, Any]:
    """Accuracy by attractors and gap."""
    return {
        attractors: {
            str(gap): training.accuracy(
                model, AgreementTask(gap, attractors=attractors, seed=2000), settings.test_sentences
            )
            for gap in gaps
        }
        for attractors in ATTRACTORS
        if attractors != "same"
    }


def heading(settings: Settings) -> dict[str, Any]:
    """The record's first line: settings, and the versions that a result may depend on."""
    versions = {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
    }
    return json.loads(json.dumps({"settings": asdict(settings), "versions": versions}))


class BadRecord(ValueError):
    """A record that cannot be read or gone on with; the message names file, line and reason."""


def load(path: Path = PATH) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The record's first line and its runs, a line cut off at the end left out.

    Raises BadRecord if the file is missing, a line is not what this module writes, or a run
    stands there twice, as after two calls at a time.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise BadRecord(
            f"{path.name}: {error.strerror}; python course.py reach makes it"
        ) from error
    except UnicodeDecodeError as error:
        raise BadRecord(f"{path.name} is not UTF-8 text: {error}") from error
    lines = text[: text.rfind("\n") + 1].splitlines()
    found = []
    for number, line in enumerate(lines, start=1):
        try:
            found.append(json.loads(line))
            wanted = {"settings", "versions"} if number == 1 else KEYS
            if not wanted <= set(found[-1]):
                raise ValueError(f"{', '.join(sorted(wanted))} expected")
        except (TypeError, ValueError) as error:
            raise BadRecord(f"{path.name}, line {number}: {error}") from error
    if not found:
        raise BadRecord(f"{path.name} is empty; remove it, and python course.py reach makes it")
    first, *runs = found
    lines_of: dict[tuple[Any, ...], int] = {}
    for number, run in enumerate(runs, start=2):
        earlier = lines_of.setdefault(key(run), number)
        if earlier != number:
            raise BadRecord(
                f"{path.name}, line {number}: the same run as line {earlier}; remove one of them"
            )
    return first, runs


def key(run: dict[str, Any]) -> tuple[Any, ...]:
    """What tells a recorded run from any other."""
    gap = run["gap"]
    gap = tuple(gap) if isinstance(gap, list) else gap
    return run["model"], run["attractors"], gap, run["rate"], run["seed"]


def record(path: Path = PATH, settings: Settings | None = None) -> int:
    """Do all runs that the record lacks, and add each to it; returns how many were done.

    Raises BadRecord if the file there was made with other settings, or lacks runs and was
    begun with other versions.
    """
    settings = settings or Settings()
    first, runs = heading(settings), []
    found = first
    if path.exists() and path.stat().st_size:
        found, runs = load(path)
    done = {key(run) for run in runs}
    left = [run for run in plan(settings) if key(asdict(run)) not in done]
    for what in ("settings", "versions"):
        if found[what] != first[what] and (left or what == "settings"):
            raise BadRecord(
                f"{path.name} was begun with other {what}: {found[what]}; now {first[what]}. "
                "Go on with those, or move it away to begin anew"
            )
    if not left:
        return 0
    lines = [json.dumps(line) for line in (first, *runs)]
    whole = path.with_name(f".{path.name}.tmp")
    whole.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")
    os.replace(whole, path)
    with path.open("a", encoding="utf-8", newline="\n") as file:
        for run in tqdm(left, desc="runs", unit="run", disable=None):
            file.write(json.dumps(outcome(run, settings)) + "\n")
            file.flush()
    return len(left)


def main(arguments: list[str] | None = None) -> int:
    """Complete the record; returns the exit status, 1 if the file cannot be gone on with."""
    about = "Complete the record behind notebook 05's scoreboard."
    argparse.ArgumentParser(prog="reach", description=about).parse_args(arguments)
    print(
        f"The whole run takes about {MINUTES} minutes on one core. Ctrl-C stops it; "
        "the next call goes on where it was.",
        flush=True,
    )
    try:
        done = record()
    except BadRecord as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"\nInterrupted: what was done is in {PATH.name}.")
        return 130
    print(f"{done} runs done; {PATH.name} is complete.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
