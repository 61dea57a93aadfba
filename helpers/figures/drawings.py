"""Drawings that hold no measurement: the unrolled network, the GRU, the map of first aid."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from helpers.figures.picture import (
    COLOURS,
    INK,
    PAPER,
    QUIET,
    SUBJECT,
    VERB,
    Picture,
    card,
    in_course_style,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Place = tuple[float, float]
FORWARD, BACK, KEEP = VERB, SUBJECT, COLOURS[2]


def _board(width: float, height: float) -> tuple[Any, Axes]:
    """A card and axes over all of it, in inches from its lower left corner."""
    figure = card(width, height)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, width), ylim=(0, height))
    axes.set_axis_off()
    return figure, axes


def _box(axes: Axes, x: float, y: float, text: str, colour: str = INK, **options: Any) -> None:
    """Write text in a rounded box around a place."""
    box = {"boxstyle": "round,pad=0.4", "facecolor": "white", "edgecolor": colour, "lw": 1.6}
    axes.text(x, y, text, ha="center", va="center", bbox=box, **{"fontsize": 11, **options})


def _arrow(
    axes: Axes,
    start: tuple[float, float],
    end: tuple[float, float],
    colour: str = INK,
    **style: Any,
) -> None:
    arrow = {"arrowstyle": "-|>", "color": colour, "lw": 1.8, "shrinkA": 0, "shrinkB": 0, **style}
    axes.annotate("", end, start, arrowprops=arrow)


@in_course_style
def unrolled(words: Sequence[str], *, verb: str) -> Picture:
    """Draw the network unrolled over a sentence, the gradient's way back below the states."""
    figure, axes = _board(8.0, 3.1)
    last = len(words) - 1
    apart = min(1.5, 6.6 / max(1, last))
    start = 4.0 - apart * last / 2
    places = [start + apart * t for t in range(len(words))]
    y = 1.55
    for t, (x, word) in enumerate(zip(places, words, strict=True)):
        if t < last:
            right = places[t + 1]
            _arrow(axes, (x + 0.27, y + 0.1), (right - 0.27, y + 0.1), FORWARD)
            axes.text((x + right) / 2, y + 0.2, "$W$", ha="center", color=FORWARD, fontsize=11)
            _arrow(axes, (right - 0.27, y - 0.1), (x + 0.27, y - 0.1), BACK, linestyle="--")
            axes.text((x + right) / 2, y - 0.42, f"$J_{{{t + 2}}}^\\top$", ha="center", color=BACK,
                      fontsize=11)  # fmt: skip
        _arrow(axes, (x, 0.78), (x, y - 0.27), FORWARD)
        axes.text(x + 0.07, 0.92, "$U$", color=FORWARD, fontsize=11)
        axes.text(x, 0.66, word, ha="center", va="top", family="STIXGeneral", fontsize=17)
        _box(axes, x, y, f"$h_{{{t + 1}}}$", FORWARD, fontsize=14)
    _arrow(axes, (places[-1], y + 0.27), (places[-1], y + 0.62), FORWARD)
    axes.text(places[-1], y + 0.68, verb, ha="center", family="STIXGeneral", fontsize=17,
              weight="bold", color=VERB)  # fmt: skip
    axes.text(0.3, 2.8, "Forward: the same W at every word", color=FORWARD, fontsize=11,
              weight="bold", va="center")  # fmt: skip
    axes.text(0.3, 0.25, "Back: one Jacobian for each word", color=BACK, fontsize=11,
              weight="bold", va="center")  # fmt: skip
    return Picture(
        figure,
        f"The network unrolled over '{' '.join(words)}': {len(words)} states in a row, joined by "
        f"the same W. '{verb}' is read from the last, and its gradient goes back through "
        f"{last} Jacobians to the first.",
    )


@in_course_style
def gru_cell() -> Picture:
    """Draw one step of a GRU: what z keeps, what 1 - z writes, and the candidate beside it."""
    figure, axes = _board(8.0, 4.5)
    axes.text(0.3, 4.22, "A GRU keeps one part of its state and writes the other anew",
              fontsize=12, weight="bold", va="center")  # fmt: skip
    top, low = 3.25, 1.55
    ours: Any = {"fontsize": 14}
    # the state's straight way
    _arrow(axes, (0.95, top), (2.62, top), KEEP, lw=3.2)
    _arrow(axes, (3.18, top), (5.92, top), KEEP, lw=3.2)
    _arrow(axes, (6.48, top), (7.05, top), INK, lw=2.4)
    _box(axes, 0.62, top, "$h_{t-1}$", **ours)
    _circle(axes, 2.9, top, "×", KEEP)
    _circle(axes, 6.2, top, "+", INK)
    _box(axes, 7.38, top, "$h_t$", **ours)
    axes.text(4.55, top + 0.16, "kept", color=KEEP, fontsize=12, weight="bold", ha="center")
    # the update gate
    _box(axes, 2.9, 2.35, "$z$", KEEP, **ours)
    _arrow(axes, (2.9, 2.6), (2.9, top - 0.27), KEEP)
    axes.text(3.02, 2.72, "keeps", color=KEEP, fontsize=10.5)
    # the candidate's way
    _box(axes, 4.6, low, "$n$", FORWARD, **ours)
    _arrow(axes, (4.86, low), (5.92, low), FORWARD, lw=2.4)
    _circle(axes, 6.2, low, "×", FORWARD)
    _arrow(axes, (6.2, low + 0.28), (6.2, top - 0.28), FORWARD, lw=2.4)
    axes.text(6.3, 2.45, "written", color=FORWARD, fontsize=12, weight="bold")
    _arrow(axes, (3.18, 2.35), (6.02, low + 0.21), KEEP, lw=1.4)
    axes.text(5.1, 2.1, "$1 - z$ writes", color=KEEP, fontsize=10.5)
    # the reset gate
    _box(axes, 2.9, 0.75, "$r$", BACK, **ours)
    _circle(axes, 2.9, low, "×", BACK)
    _arrow(axes, (2.9, 1.0), (2.9, low - 0.28), BACK)
    _arrow(axes, (3.18, low), (4.34, low), INK)
    _arrow(
        axes,
        (0.62, top - 0.27),
        (2.62, low),
        INK,
        connectionstyle="angle,angleA=-90,angleB=180,rad=6",
    )
    axes.text(3.02, 1.1, "lets the old state in", color=BACK, fontsize=10.5)
    _arrow(axes, (4.6, 0.88), (4.6, low - 0.26), INK)
    axes.text(4.6, 0.8, "word $x_t$", ha="center", va="top", fontsize=11)
    axes.text(4.95, low - 0.28, "candidate", color=FORWARD, fontsize=10.5)
    # Ng's letters
    grey: Any = {"color": QUIET, "fontsize": 9.5, "ha": "center"}
    axes.text(0.62, top + 0.36, "Ng: $c^{\\langle t-1\\rangle}$", **grey)
    axes.text(7.38, top + 0.36, "Ng: $c^{\\langle t\\rangle}$", **grey)
    axes.text(2.2, 2.32, "Ng: $1 - \\Gamma_u$", **grey)
    axes.text(2.3, 0.72, "Ng: $\\Gamma_r$", **grey)
    axes.text(4.05, low + 0.14, "Ng: $\\tilde{c}$", **grey)
    axes.text(0.3, 0.26, "$z$, $r$ and $n$ each see the word and the old state; "
              "$h_t = z \\odot h_{t-1} + (1 - z) \\odot n$", fontsize=10.5,
              color=INK, va="center")  # fmt: skip
    return Picture(
        figure,
        "A GRU keeps one part of its state and writes the other anew. The old state h goes "
        "straight on, multiplied by z, which keeps. The candidate n, computed from the word and "
        "from the old state as far as r lets it in, is multiplied by 1 - z, which writes. The "
        "two are added to the new state. Ng writes c for h, the gate Gamma_u for 1 - z, "
        "Gamma_r for r and c tilde for n.",
    )


def _circle(axes: Axes, x: float, y: float, sign: str, colour: str) -> None:
    from matplotlib.patches import Circle

    axes.add_patch(Circle((x, y), 0.2, facecolor=PAPER, edgecolor=colour, lw=1.8, zorder=3))
    axes.text(x, y - 0.01, sign, ha="center", va="center", fontsize=15, color=colour, zorder=4)


FIRST_AID = (
    (
        "The loss is inf or NaN,\nor the norm leaps",
        "it explodes",
        ("Find the first inf: first_inf (05)", "Lower the rate or the gain (05)",
         "Clip by norm, just above the usual norm (06)", "Skip a step that is not finite (06)"),
    ),
    (
        "Near words are learned,\nfar words are not",
        "it forgets",
        ("Measure the signal at the far word (00)", "Short and varied gaps first (04)",
         "A GRU, its bias at log(span); an LSTM, both of its biases (07)",
         "A skip through time (07), attention"),
    ),
    (
        "The signal arrives,\nand nothing is learned",
        "something else",
        ("A shortcut: what do near words give away? (01)",
         "Saturation: are states and slopes flat? (05)",
         "The rate, from a grid with its best inside (08)",
         "The budget: does the signal or the gate still move? (08)"),
    ),
)  # fmt: skip


@in_course_style
def first_aid() -> Picture:
    """Draw what to try first when a network forgets or explodes, as a flow from the symptom.

    Behind each advice stands the number of the notebook that tried it.
    """
    figure, axes = _board(8.0, 4.45)
    axes.text(0.3, 4.17, "My network does not learn: what do I try first?", fontsize=12,
              weight="bold", va="center")  # fmt: skip
    _box(axes, 4.0, 3.68, "Log the loss, the gradient's norm, and the signal at the far word")
    told = []
    colours = (BACK, FORWARD, KEEP)
    for x, colour, (symptom, name, steps) in zip(
        (1.42, 4.0, 6.58), colours, FIRST_AID, strict=True
    ):
        _arrow(axes, (4.0 + 0.4 * (x - 4), 3.46), (x, 3.06), colour)
        _box(axes, x, 2.75, symptom, colour, fontsize=10.5)
        _arrow(axes, (x, 2.44), (x, 2.2), colour)
        axes.text(
            x, 2.04, name, ha="center", va="center", fontsize=12.5, weight="bold", color=colour
        )
        y = 1.72
        for number, step in enumerate(steps, 1):
            text = textwrap.fill(step, 34)
            axes.text(x - 1.17, y, f"{number}", fontsize=9.5, va="top", color=colour, weight="bold")
            axes.text(x - 1.0, y, text, fontsize=9.5, va="top", color=INK, linespacing=1.15)
            y -= 0.22 + 0.16 * text.count("\n")
        told.append(f"{symptom} ({name}): {', then '.join(steps)}".replace("\n", " "))
    return Picture(
        figure, "My network does not learn: what do I try first? " + ". ".join(told) + "."
    )
