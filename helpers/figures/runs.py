"""What many runs did: every seed a dot, how far each network learns, and how fast."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from helpers.figures.labels import beside, draw_level, legend_below
from helpers.figures.look import COLOURS, INK, QUIET, line_style
from helpers.figures.picture import Picture, canvas, finished, in_course_style
from helpers.record import RIGHT, clopper_pearson
from helpers.validation import Array

GAP = "gap (words between subject and verb)"
Counts = tuple[int, int]  # learned, of so many seeds
CENTRED: Any = {"ha": "center", "va": "center"}


@in_course_style
def runs_by_gap(results: Mapping[str, Mapping[int, Sequence[float]]], *, title: str) -> Picture:
    """Draw the accuracy of every run as a dot, and how many of the seeds reached the target.

    results: for each label, gap -> accuracies of the seeds, the gaps in the order to draw.
    Runs are all or nothing, so no mean and no band is drawn.
    """
    figure, axes = canvas(height=4.2)
    gaps = list(dict.fromkeys(gap for by_gap in results.values() for gap in by_gap))
    told = []
    for index, (label, by_gap) in enumerate(results.items()):
        style = {**line_style(index), "linestyle": "none", "markersize": 7}
        place = (index - (len(results) - 1) / 2) * 0.8 / len(results)
        for gap, accuracies in by_gap.items():
            x, seeds = gaps.index(gap) + place, len(accuracies)
            spread = np.linspace(-0.12, 0.12, seeds) / len(results) ** 0.5
            axes.plot(x + spread, accuracies, **style, alpha=0.75)
            reached = sum(accuracy >= RIGHT for accuracy in accuracies)
            count = {"color": style["color"], "ha": "center", "fontsize": 10, "weight": "bold"}
            axes.text(x, 1.045, f"{reached}/{seeds}", **count)
            told.append(f"{label} at {gap:,}: {reached} of {seeds} learned")
        axes.plot([], [], label=label, **style)
    axes.axhline(0.5, color=INK, lw=1, ls=":")
    axes.text(-0.52, 0.505, "guessing", va="bottom", fontsize=9, color=QUIET)
    axes.text(-0.52, 1.105, f"seeds at {RIGHT:.0%} or more", fontsize=9, color=QUIET)
    axes.set(xlabel=GAP, ylabel="accuracy, each seed", ylim=(0.35, 1.16))
    axes.set_xlim(-0.55, len(gaps) - 0.45)
    axes.set_yticks([0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0])
    axes.set_xticks(range(len(gaps)), [f"{gap:,}" for gap in gaps])
    axes.grid(visible=False, axis="x")
    legend_below(axes)
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
            x, y = gaps.index(gap), row + 0.27
            cell = {"color": COLOURS[0], "alpha": 0.04 + 0.4 * learned / seeds, "lw": 0}
            axes.fill_between([x - 0.47, x + 0.47], row - 0.44, row + 0.44, **cell)
            weight = "bold" if learned == seeds else "normal"
            axes.text(x, row - 0.1, f"{learned}/{seeds}", fontsize=10, weight=weight, **CENTRED)
            ends = [x - 0.4 + 0.8 * edge for edge in clopper_pearson(learned, seeds)]
            axes.plot([x - 0.4, x + 0.4], [y, y], color=QUIET, lw=0.8, alpha=0.5)
            axes.plot(ends, [y, y], color=INK, lw=2.4, solid_capstyle="butt")
        counts = ", ".join(f"gap {gap}: {n} of {seeds}" for gap, (n, seeds) in by_gap.items())
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
    did not, the gaps rising; a line ends there with a cross at the budget.
    """
    figure, axes = canvas(height=4.2)
    told = []
    for index, (name, by_gap) in enumerate(results.items()):
        style = line_style(index)
        learned = [(gap, steps) for gap, steps in by_gap.items() if steps is not None]
        missed = [(gap, float(budget)) for gap, steps in by_gap.items() if steps is None][:1]
        missing = f"\nnot gap {missed[0][0]:,}" if missed else ""
        path = {**style, "marker": "none", "label": name + missing}
        axes.plot(*np.transpose(learned + missed), **path)
        axes.plot(*np.transpose(learned), **{**style, "linestyle": "none"})
        for end in missed:
            axes.plot(*end, "X", color=style["color"], ms=9, clip_on=False)
        median = ", ".join(f"gap {gap}: {steps:.0f}" for gap, steps in learned)
        told.append(f"{name}: {median}" + (f"; not gap {missed[0][0]}" if missed else ""))
    axes.set(xscale="log", yscale="log", xlabel=GAP, ylabel="optimizer steps, median seed")
    draw_level(axes, budget, f"budget: {budget:,} steps")
    ticks = sorted({gap for by_gap in results.values() for gap in by_gap})
    axes.set_xticks(ticks, [f"{gap:,}" for gap in ticks])
    axes.minorticks_off()
    axes.yaxis.set_major_formatter("{x:,.0f}")
    axes.set_ylim(None, 1.6 * budget)
    beside(axes)
    return finished(figure, title, "Steps until the median seed learned", "; ".join(told))


@in_course_style
def swings(
    accuracies: Array, gaps: Sequence[int], *, title: str, predicted: Array | None = None
) -> Picture:
    """Draw the accuracy of each seed at each gap: violet above guessing, orange below.

    accuracies: (seeds, gaps). predicted: (seeds, gaps), above 0 where
    more than half is expected to be right, below 0 where less is; drawn as + and −.
    """
    figure, axes = canvas(height=0.34 * len(accuracies) + 1.5)
    mesh = axes.pcolormesh(accuracies, cmap="PuOr", vmin=0, vmax=1, edgecolors="white", lw=1)
    for (row, column), accuracy in np.ndenumerate(accuracies):
        sign = "" if predicted is None else "+ " if predicted[row, column] > 0 else "− "
        style = {"fontsize": 9, "color": "white" if abs(accuracy - 0.5) > 0.36 else INK, **CENTRED}
        axes.text(column + 0.5, row + 0.5, f"{sign}{100 * accuracy:.0f}", **style)
    axes.set_xticks(np.arange(len(gaps)) + 0.5, gaps)
    axes.set_yticks(np.arange(len(accuracies)) + 0.5, range(len(accuracies)))
    axes.invert_yaxis()
    axes.set(xlabel=GAP, ylabel="seed")
    axes.grid(visible=False)
    axes.tick_params(length=0)
    scale = figure.colorbar(mesh, ax=axes, label="right (%)", ticks=[0, 0.5, 1], pad=0.02)
    scale.ax.set_yticklabels(["0", "50", "100"])
    told = [f"Right at gaps {', '.join(map(str, gaps))}, in %"]
    for seed, row in enumerate(accuracies):
        told.append(f"seed {seed}: {', '.join(f'{100 * accuracy:.0f}' for accuracy in row)}")
    if predicted is not None:
        right = ((accuracies > 0.5) == (predicted > 0)).sum()
        told.append(f"The predicted sign is right in {right} of {accuracies.size}")
    return finished(figure, title, *told)
