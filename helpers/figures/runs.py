"""What many runs did: every seed a dot, how far each network learns, and how fast."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from helpers.figures.picture import (
    COLOURS,
    INK,
    QUIET,
    Picture,
    beside,
    canvas,
    finished,
    in_course_style,
    line_style,
)
from helpers.record import RIGHT, clopper_pearson
from helpers.validation import Array

GAP = "gap (words between subject and verb)"
Counts = tuple[int, int]  # learned, of so many seeds


@in_course_style
def runs_by_gap(
    results: Mapping[str, Mapping[int, Sequence[float]]],
    *,
    title: str,
) -> Picture:
    """Draw the accuracy of every run as a dot, and how many of the seeds reached the target.

    results: for each label, gap -> accuracies of the seeds, the gaps in the order to draw.
    Runs are all or nothing, so no mean and no band is drawn.
    """
    figure, axes = canvas(height=4.2)
    settings = list(dict.fromkeys(at for by_gap in results.values() for at in by_gap))
    told = []
    for index, (label, by_gap) in enumerate(results.items()):
        style = {**line_style(index), "linestyle": "none", "markersize": 7}
        place = (index - (len(results) - 1) / 2) * 0.8 / len(results)
        for at, accuracies in by_gap.items():
            x = settings.index(at) + place
            spread = np.linspace(-0.12, 0.12, len(accuracies)) / len(results) ** 0.5
            axes.plot(x + spread, accuracies, **style, alpha=0.75)
            reached = sum(accuracy >= RIGHT for accuracy in accuracies)
            axes.text(x, 1.045, f"{reached}/{len(accuracies)}", color=style["color"], ha="center",
                      fontsize=10, weight="bold")  # fmt: skip
            told.append(f"{label} at {at:,}: {reached} of {len(accuracies)} learned")
        axes.plot([], [], label=label, **style)
    axes.axhline(0.5, color=INK, lw=1, ls=":")
    axes.text(-0.52, 0.505, "guessing", va="bottom", fontsize=9, color=QUIET)
    axes.text(-0.52, 1.105, f"seeds at {RIGHT:.0%} or more", fontsize=9, color=QUIET)
    axes.set(xlabel=GAP, ylabel="accuracy, each seed", ylim=(0.35, 1.16))
    axes.set(xlim=(-0.55, len(settings) - 0.45))
    axes.set_yticks([0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0])
    axes.set_xticks(range(len(settings)), [f"{at:,}" for at in settings])
    axes.grid(visible=False, axis="x")
    if len(results) > 1:
        figure.legend(loc="outside lower center", ncols=3, fontsize=10)
    return finished(figure, title, f"Accuracy of each run, over {GAP}", "; ".join(told))


@in_course_style
def learned_by_gap(results: Mapping[str, Mapping[int, Counts]], *, title: str) -> Picture:
    """Draw how many seeds of each network learned each gap, and how sure that share is.

    results: for each network, gap -> (learned, seeds); a gap may be missing, and is drawn
    empty. The bar below a count is the 95 % interval of the share (Clopper & Pearson), from
    none at the cell's left to all at its right.
    """
    gaps = sorted({gap for by_gap in results.values() for gap in by_gap})
    figure, axes = canvas(height=0.5 * len(results) + 1.5)
    told = []
    for row, (name, by_gap) in enumerate(results.items()):
        for gap, (learned, seeds) in by_gap.items():
            x = gaps.index(gap)
            share = learned / max(1, seeds)
            axes.fill_between([x - 0.47, x + 0.47], row - 0.44, row + 0.44, color=COLOURS[0],
                              alpha=0.04 + 0.4 * share, lw=0)  # fmt: skip
            weight = "bold" if learned == seeds else "normal"
            axes.text(x, row - 0.1, f"{learned}/{seeds}", ha="center", va="center",
                      fontsize=10, weight=weight)  # fmt: skip
            low, high = (x - 0.4 + 0.8 * edge for edge in clopper_pearson(learned, seeds))
            axes.plot([x - 0.4, x + 0.4], [row + 0.27] * 2, color=QUIET, lw=0.8, alpha=0.5)
            axes.plot([low, high], [row + 0.27] * 2, color=INK, lw=2.4, solid_capstyle="butt")
        counts = ", ".join(f"gap {gap}: {n} of {all_}" for gap, (n, all_) in by_gap.items())
        told.append(f"{name}: {counts}")
    axes.set_xticks(range(len(gaps)), [f"{gap:,}" for gap in gaps])
    axes.set_yticks(range(len(results)), list(results))
    axes.set(xlabel=GAP, ylim=(len(results) - 0.5, -0.5), xlim=(-0.5, len(gaps) - 0.5))
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    return finished(figure, title, "Seeds that learned each gap", "; ".join(told))


@in_course_style
def steps_by_gap(
    results: Mapping[str, Mapping[int, float | None]], *, title: str, budget: int
) -> Picture:
    """Draw after how many steps each network learned each gap, on logarithmic axes.

    results: for each network, gap -> step by which its median seed learned, None where that
    did not; a line ends there with a cross at the budget.
    """
    figure, axes = canvas(height=4.2)
    labels, told = [], []
    for index, (name, by_gap) in enumerate(results.items()):
        style = line_style(index)
        gaps = sorted(by_gap)
        learned = [(gap, steps) for gap in gaps if (steps := by_gap[gap]) is not None]
        missed = [gap for gap in gaps if by_gap[gap] is None]
        path = learned + [(gap, float(budget)) for gap in missed[:1]]
        axes.plot(*np.transpose(path), **{**style, "marker": "none"})
        if learned:
            axes.plot(*np.transpose(learned), **{**style, "linestyle": "none"})
        if missed:
            axes.plot(missed[0], budget, "X", color=style["color"], ms=9, clip_on=False)
        missing = f"\nnot gap {missed[0]:,}" if missed else ""
        labels.append((path[-1][1], name + missing, style["color"]))
        median = ", ".join(f"gap {gap}: {at:.0f}" for gap, at in learned)
        told.append(f"{name}: {median or 'none'}" + (f"; not gap {missed[0]}" if missed else ""))
    axes.set(xscale="log", yscale="log", xlabel=GAP, ylabel="optimizer steps, median seed")
    axes.axhline(budget, color=INK, lw=1, ls=":")
    axes.annotate(f"budget: {budget:,} steps", (0.01, budget), (0, 3), va="bottom", fontsize=9,
                  xycoords=("axes fraction", "data"), textcoords="offset points",
                  color=QUIET)  # fmt: skip
    ticks = sorted({gap for by_gap in results.values() for gap in by_gap})
    axes.set_xticks(ticks, [f"{gap:,}" for gap in ticks])
    axes.minorticks_off()
    axes.yaxis.set_major_formatter(lambda y, _: f"{y:,.0f}")
    axes.set_ylim(None, 1.6 * budget)
    beside(figure, axes, labels)
    return finished(figure, title, "Steps until the median seed learned", "; ".join(told))


@in_course_style
def swings(
    accuracies: Array,
    gaps: Sequence[int],
    *,
    title: str,
    predicted: Array | None = None,
) -> Picture:
    """Draw the accuracy of each seed at each gap: violet above guessing, orange below.

    accuracies: (seeds, gaps). predicted: (seeds, gaps), above 0 where
    more than half is expected to be right, below 0 where less is; drawn as + and −.
    """
    grid = np.asarray(accuracies)
    figure, axes = canvas(height=0.34 * len(grid) + 1.5)
    mesh = axes.pcolormesh(grid, cmap="PuOr", vmin=0, vmax=1, edgecolors="white", lw=1)
    for (row, column), accuracy in np.ndenumerate(grid):
        sign = "" if predicted is None else "+" if predicted[row, column] > 0 else "−"
        colour = "white" if abs(accuracy - 0.5) > 0.36 else INK
        axes.text(column + 0.5, row + 0.5, f"{sign} {100 * accuracy:.0f}".strip(), ha="center",
                  va="center", fontsize=9, color=colour)  # fmt: skip
    axes.set_xticks(np.arange(len(gaps)) + 0.5, gaps)
    axes.set_yticks(np.arange(len(grid)) + 0.5, range(len(grid)))
    axes.invert_yaxis()
    axes.set(xlabel=GAP, ylabel="seed")
    axes.grid(visible=False)
    axes.tick_params(length=0)
    axes.figure.colorbar(mesh, ax=axes, label="right (%)", ticks=[0, 0.5, 1], pad=0.02,
                         format=lambda share, _: f"{100 * share:.0f}")  # fmt: skip
    told = [f"Right at gaps {', '.join(map(str, gaps))}, in %"]
    told += [
        f"seed {seed}: {', '.join(f'{100 * accuracy:.0f}' for accuracy in row)}"
        for seed, row in enumerate(grid)
    ]
    if predicted is not None:
        right = int(((grid > 0.5) == (np.asarray(predicted) > 0)).sum())
        told.append(f"The predicted sign is right in {right} of {grid.size}")
    return finished(figure, title, *told)
