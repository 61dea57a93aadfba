"""Figures about gates: the four terms over a sentence, the film of a training, the scoreboard."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from helpers.figures.picture import COLOURS, Picture, canvas, in_course_style, line_style
from helpers.validation import Array

HATCHES = ("", "//", "..", "xx")


@in_course_style
def stacked(
    words: Sequence[str], panels: Mapping[str, Mapping[str, Array]], *, title: str, ylabel: str
) -> Picture:
    """One panel above the other, in each the parts of a whole stacked over the words.

    words: (steps,). panels: for each network its parts, (steps,) each, above 0.
    Raises ValueError if a part and the words differ in length.
    """
    figure, rows = canvas(
        width=max(8.0, 0.45 * len(words)), height=2.4 * len(panels) + 1.2, nrows=len(panels),
        sharex=True, sharey=True, squeeze=False,
    )  # fmt: skip
    alt_text = []
    positions = np.arange(len(words))
    for axes, (name, parts) in zip(rows[:, 0], panels.items(), strict=True):
        bottom = np.zeros(len(words))
        for index, (label, values) in enumerate(parts.items()):
            if np.shape(values) != (len(words),):
                raise ValueError(
                    f"part {label!r} of {name!r} must have shape ({len(words)},), one entry a "
                    f"word; got {np.shape(values)}"
                )
            style = {"color": COLOURS[index], "hatch": HATCHES[index % len(HATCHES)]}
            axes.bar(
                positions, values, 0.85, bottom, label=label, edgecolor="white", **style
            )  # fmt: skip
            bottom = bottom + values
        axes.set_title(name, fontsize=12, loc="left")
        axes.set_ylabel(ylabel)
        means = ", ".join(f"{label} {np.mean(values):.1f}" for label, values in parts.items())
        alt_text.append(f"{name}, mean over the words: {means}")
    rows[0, 0].set_ylim(top=1.3 * rows[0, 0].get_ylim()[1])
    rows[0, 0].legend(ncols=4, fontsize=10, loc="upper right")
    rows[-1, 0].set_xticks(positions, words, rotation=60, ha="right", fontsize=10)
    figure.suptitle(title)
    return Picture(figure, f"{title}. {ylabel}, stacked over the words. {'; '.join(alt_text)}.")


@in_course_style
def film(
    steps: Array, signal: Array, gate: Array, loss: Array, *, title: str, alt_text: str
) -> Picture:
    """Three panels over the steps of one training: signal, most open gate, loss.

    steps, signal, gate, loss: (checks,). signal: at the subject, drawn as log10.
    gate: z of the most open unit, drawn as the memory 1 / (1 - z) in steps, log10.
    alt_text: what the description says of the lines.
    """
    figure, (above, middle, below) = canvas(height=6.5, nrows=3, sharex=True)
    above.plot(steps, np.log10(signal), **line_style(0))
    above.set(title=title, ylabel="$\\log_{10}$ signal\nat the subject")
    closed = np.maximum(1 - np.asarray(gate), np.finfo(np.float32).eps)
    middle.plot(steps, -np.log10(closed), **line_style(1))
    middle.set_ylabel("$\\log_{10}$ steps kept,\nmost open gate")
    below.plot(steps, loss, **line_style(2))
    below.set(ylabel="loss (nats)", xlabel="optimizer step")
    below.set_ylim(bottom=0)
    return Picture(figure, f"{title}. Three curves over the steps of one training. {alt_text}.")


@in_course_style
def successes(
    rows: Mapping[str, Sequence[int]],
    gaps: Sequence[int],
    *,
    seeds: int,
    title: str,
) -> Picture:
    """A table of counts as a picture: for each network and gap how many seeds learned.

    rows: for each network a count for each gap.
    """
    figure, axes = canvas(height=0.42 * len(rows) + 1.3)
    counts = np.array(list(rows.values()))
    axes.imshow(counts, cmap="Blues", vmin=0, vmax=1.6 * seeds, aspect="auto")
    for (row, column), count in np.ndenumerate(counts):
        weight = "bold" if count == seeds else "normal"
        axes.text(column, row, str(count), ha="center", va="center", fontweight=weight)
    axes.set_xticks(range(len(gaps)), [f"{gap:,}" for gap in gaps])
    axes.set_yticks(range(len(rows)), list(rows))
    figure.suptitle(title)
    axes.set(xlabel="gap (words between subject and verb)")
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    alt_text = "; ".join(f"{name}: {', '.join(map(str, row))}" for name, row in rows.items())
    return Picture(
        figure, f"{title}. Seeds out of {seeds} at gaps {', '.join(map(str, gaps))}. {alt_text}."
    )


@in_course_style
def landmarks(
    points: Mapping[str, tuple[float, float]], *, title: str, xlabel: str, ylabel: str
) -> Picture:
    """One named marker for each network, both axes logarithmic.

    points: for each network its x and y, above 0.
    """
    figure, axes = canvas(height=4.2)
    axes.set(xscale="log", yscale="log", title=title, xlabel=xlabel, ylabel=ylabel)
    axes.margins(0.1)
    for index, (name, (x, y)) in enumerate(points.items()):
        style = {**line_style(index), "linestyle": "none", "markersize": 10}
        axes.plot([x], [y], label=name, **style)
    axes.legend(bbox_to_anchor=(1.02, 1), loc="upper left", fontsize=10)
    alt_text = "; ".join(f"{name}: {x:.0f} and {y:,.0f}" for name, (x, y) in points.items())
    return Picture(figure, f"{title}. For each network {xlabel} and {ylabel}. {alt_text}.")
