"""Drawings that hold no measurement: the unrolled network, the GRU, the map of first aid."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

from helpers.figures.look import COLOURS, INK, PAPER, QUIET, SUBJECT, VERB, Axes
from helpers.figures.picture import Picture, board, in_course_style

Place = tuple[float, float]
FORWARD, BACK, KEEP = VERB, SUBJECT, COLOURS[2]
CENTRED: Any = {"ha": "center", "va": "center"}
WORD: Any = {"ha": "center", "family": "STIXGeneral", "fontsize": 17}


def _write(axes: Axes, x: float, y: float, text: str, colour: str = INK, **style: Any) -> None:
    axes.text(x, y, text, **{"color": colour, "fontsize": 11, **style})


def _head(axes: Axes, x: float, y: float, text: str, colour: str, **style: Any) -> None:
    _write(axes, x, y, text, colour, weight="bold", **style)


def _box(axes: Axes, x: float, y: float, text: str, colour: str, fontsize: float = 14) -> None:
    """Write text in a rounded box around a place."""
    box = {"boxstyle": "round,pad=0.4", "facecolor": "white", "edgecolor": colour, "lw": 1.6}
    _write(axes, x, y, text, bbox=box, fontsize=fontsize, **CENTRED)


def _circle(axes: Axes, x: float, y: float, sign: str, colour: str) -> None:
    """Draw an operation."""
    axes.plot(x, y, "o", ms=28.8, mfc=PAPER, mec=colour, mew=1.8, zorder=3)
    _write(axes, x, y - 0.01, sign, colour, fontsize=15, zorder=4, **CENTRED)


def _arrow(axes: Axes, start: Place, end: Place, colour: str, **style: Any) -> None:
    arrow = {"arrowstyle": "-|>", "color": colour, "lw": 1.8, "shrinkA": 0, "shrinkB": 0, **style}
    axes.annotate("", end, start, arrowprops=arrow)


@in_course_style
def unrolled(words: Sequence[str], *, verb: str) -> Picture:
    """Draw the network unrolled over a sentence, the gradient's way back below the states."""
    figure, axes = board(8.0, 3.1)
    last, y = len(words) - 1, 1.55
    apart = min(1.5, 6.6 / last)
    places = [4.0 + apart * (t - last / 2) for t in range(len(words))]
    for t, (x, word) in enumerate(zip(places, words, strict=True)):
        if t < last:
            right = places[t + 1]
            middle = (x + right) / 2
            _arrow(axes, (x + 0.27, y + 0.1), (right - 0.27, y + 0.1), FORWARD)
            _write(axes, middle, y + 0.2, "$W$", FORWARD, ha="center")
            _arrow(axes, (right - 0.27, y - 0.1), (x + 0.27, y - 0.1), BACK, linestyle="--")
            _write(axes, middle, y - 0.42, f"$J_{{{t + 2}}}^\\top$", BACK, ha="center")
        _arrow(axes, (x, 0.78), (x, y - 0.27), FORWARD)
        _write(axes, x + 0.07, 0.92, "$U$", FORWARD)
        _write(axes, x, 0.66, word, va="top", **WORD)
        _box(axes, x, y, f"$h_{{{t + 1}}}$", FORWARD)
    _arrow(axes, (places[-1], y + 0.27), (places[-1], y + 0.62), FORWARD)
    _head(axes, places[-1], y + 0.68, verb, VERB, **WORD)
    _head(axes, 0.3, 2.8, "Forward: the same W at every word", FORWARD, va="center")
    _head(axes, 0.3, 0.25, "Back: one Jacobian for each word", BACK, va="center")
    return Picture(
        figure,
        f"The network unrolled over '{' '.join(words)}': {len(words)} states in a row, joined by "
        f"the same W. '{verb}' is read from the last, and its gradient goes back through "
        f"{last} Jacobians to the first.",
    )


@in_course_style
def gru_cell() -> Picture:
    """Draw one step of a GRU: what z keeps, what 1 - z writes, and the candidate beside it."""
    figure, axes = board(8.0, 4.5)
    title = "A GRU keeps one part of its state and writes the other anew"
    _head(axes, 0.3, 4.22, title, INK, fontsize=12, va="center")
    top, low = 3.25, 1.55
    # the state's straight way
    _arrow(axes, (0.95, top), (2.62, top), KEEP, lw=3.2)
    _arrow(axes, (3.18, top), (5.92, top), KEEP, lw=3.2)
    _arrow(axes, (6.48, top), (7.05, top), INK, lw=2.4)
    _box(axes, 0.62, top, "$h_{t-1}$", INK)
    _circle(axes, 2.9, top, "×", KEEP)
    _circle(axes, 6.2, top, "+", INK)
    _box(axes, 7.38, top, "$h_t$", INK)
    _head(axes, 4.55, top + 0.16, "kept", KEEP, fontsize=12, ha="center")
    # the update gate
    _box(axes, 2.9, 2.35, "$z$", KEEP)
    _arrow(axes, (2.9, 2.6), (2.9, top - 0.27), KEEP)
    _write(axes, 3.02, 2.72, "keeps", KEEP, fontsize=10.5)
    # the candidate's way
    _box(axes, 4.6, low, "$n$", FORWARD)
    _arrow(axes, (4.86, low), (5.92, low), FORWARD, lw=2.4)
    _circle(axes, 6.2, low, "×", FORWARD)
    _arrow(axes, (6.2, low + 0.28), (6.2, top - 0.28), FORWARD, lw=2.4)
    _head(axes, 6.3, 2.45, "written", FORWARD, fontsize=12)
    _arrow(axes, (3.18, 2.35), (6.02, low + 0.21), KEEP, lw=1.4)
    _write(axes, 5.1, 2.1, "$1 - z$ writes", KEEP, fontsize=10.5)
    # the reset gate
    _box(axes, 2.9, 0.75, "$r$", BACK)
    _circle(axes, 2.9, low, "×", BACK)
    _arrow(axes, (2.9, 1.0), (2.9, low - 0.28), BACK)
    _arrow(axes, (3.18, low), (4.34, low), INK)
    bend = "angle,angleA=-90,angleB=180,rad=6"
    _arrow(axes, (0.62, top - 0.27), (2.62, low), INK, connectionstyle=bend)
    _write(axes, 3.02, 1.1, "lets the old state in", BACK, fontsize=10.5)
    _arrow(axes, (4.6, 0.88), (4.6, low - 0.26), INK)
    _write(axes, 4.6, 0.8, "word $x_t$", ha="center", va="top")
    _write(axes, 4.95, low - 0.28, "candidate", FORWARD, fontsize=10.5)
    for x, y, letter in (
        (0.62, top + 0.36, "c^{\\langle t-1\\rangle}"),
        (7.38, top + 0.36, "c^{\\langle t\\rangle}"),
        (2.2, 2.32, "1 - \\Gamma_u"),
        (2.3, 0.72, "\\Gamma_r"),
        (4.05, low + 0.14, "\\tilde{c}"),
    ):
        _write(axes, x, y, f"Ng: ${letter}$", QUIET, fontsize=9.5, ha="center")
    sees = "$z$, $r$ and $n$ each see the word and the old state"
    formula = "$h_t = z \\odot h_{t-1} + (1 - z) \\odot n$"
    _write(axes, 0.3, 0.26, f"{sees}; {formula}", fontsize=10.5, va="center")
    return Picture(
        figure,
        f"{title}. The old state h goes "
        "straight on, multiplied by z, which keeps. The candidate n, computed from the word and "
        "from the old state as far as r lets it in, is multiplied by 1 - z, which writes. The "
        "two are added to the new state. Ng writes c for h, the gate Gamma_u for 1 - z, "
        "Gamma_r for r and c tilde for n.",
    )


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
    figure, axes = board(8.0, 4.45)
    title = "My network does not learn: what do I try first?"
    _head(axes, 0.3, 4.17, title, INK, fontsize=12, va="center")
    first = "Log the loss, the gradient's norm, and the signal at the far word"
    _box(axes, 4.0, 3.68, first, INK, fontsize=11)
    told = []
    columns = zip((1.42, 4.0, 6.58), (BACK, FORWARD, KEEP), FIRST_AID, strict=True)
    for x, colour, (symptom, name, steps) in columns:
        _arrow(axes, (4.0 + 0.4 * (x - 4), 3.46), (x, 3.06), colour)
        _box(axes, x, 2.75, symptom, colour, fontsize=10.5)
        _arrow(axes, (x, 2.44), (x, 2.2), colour)
        _head(axes, x, 2.04, name, colour, fontsize=12.5, **CENTRED)
        y = 1.72
        for number, step in enumerate(steps, 1):
            text = textwrap.fill(step, 34)
            _head(axes, x - 1.17, y, f"{number}", colour, fontsize=9.5, va="top")
            _write(axes, x - 1.0, y, text, fontsize=9.5, va="top", linespacing=1.15)
            y -= 0.22 + 0.16 * text.count("\n")
        told.append(f"{symptom} ({name}): {', then '.join(steps)}".replace("\n", " "))
    return Picture(figure, f"{title} {'. '.join(told)}.")
