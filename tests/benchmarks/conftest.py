"""The paired stopwatch of the benchmarks and the table of ratios that it prints."""

from __future__ import annotations

import os
from collections.abc import Callable
from statistics import median
from time import perf_counter

import pytest
import torch

COLUMNS = "{:<48} {:>10} {:>10}   {:>6}  {:<15} {}"
LINES = pytest.StashKey[list[str]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[LINES] = []


@pytest.fixture(autouse=True)
def one_thread() -> None:
    """NumPy's BLAS reads OMP_NUM_THREADS as it loads, so it can't be set from here."""
    if os.environ.get("OMP_NUM_THREADS") != "1":
        pytest.skip("benchmarks run on one thread: set OMP_NUM_THREADS=1 first")
    torch.set_num_threads(1)


@pytest.fixture
def compare(benchmark, request: pytest.FixtureRequest) -> Callable[..., None]:
    """Stopwatch for two functions in turn, A B A B, a block of calls at a time.

    compare(title, measured, against, calls=1, rounds=15, upside_down=False, wanted="").
    A block of calls in a row is what a training loop does; it also keeps what one
    function leaves in the caches from being charged to the other. The ratio is of
    against to measured, or, upside_down, of measured to against.
    """

    def run(
        title: str,
        measured: Callable[[], object],
        against: Callable[[], object],
        *,
        calls: int = 1,
        rounds: int = 15,
        upside_down: bool = False,
        wanted: str = "",
    ) -> None:
        times: dict[Callable[[], object], list[float]] = {measured: [], against: []}

        def block(call: Callable[[], object]) -> None:
            start = perf_counter()
            for _ in range(calls):
                call()
            times[call].append(1e3 * (perf_counter() - start) / calls)

        block(measured), block(against)  # warm up
        times[measured].clear(), times[against].clear()
        benchmark.pedantic(
            block, setup=lambda: block(against) or ((measured,), {}), rounds=rounds, iterations=1
        )
        ratios = [b / a for a, b in zip(times[measured], times[against], strict=True)]
        if upside_down:
            ratios = [1 / ratio for ratio in ratios]
        ms = [f"{median(times[each]):.2f}" for each in (measured, against)]
        spread = f"({min(ratios):.2f} to {max(ratios):.2f})"
        line = COLUMNS.format(title, *ms, f"{median(ratios):.2f}", spread, wanted)
        request.config.stash[LINES].append(line.rstrip())
        benchmark.extra_info.update(calls_a_round=calls, ratio=median(ratios))

    return run


def pytest_terminal_summary(terminalreporter, config: pytest.Config) -> None:
    lines = config.stash[LINES]
    if lines:
        terminalreporter.section("ratios: one thread, both sides in turn in one run")
        header = COLUMNS.format("A against B", "A ms", "B ms", "ratio", "(min to max)", "wanted")
        for line in (header, *lines):
            terminalreporter.write_line(line)
