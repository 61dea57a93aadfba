"""The look of all figures: colours, dashes, markers and type."""

from __future__ import annotations

from typing import Any

Axes = Any  # Matplotlib's own is imported when the first figure is drawn

# Okabe & Ito's colours, told apart by the colour-blind; dash and marker repeat the difference.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
DASHES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (1, 1)), (0, (3, 1, 1, 1)))
MARKERS = "osD^vP*X"
HATCHES = ("", "//", "..", "xx")
VERB, SUBJECT = COLOURS[:2]
PAPER, BORDER, QUIET, INK = "#FDFCF9", "#DDD9D0", "#6B675F", "#17161A"
BACKWARD: Any = {"arrowstyle": "->", "color": VERB, "lw": 1.4, "shrinkA": 0, "shrinkB": 0}
STYLE: dict[Any, Any] = {
    "font.size": 11,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": QUIET,
    "axes.facecolor": "none",
    "axes.titlelocation": "left",
    "axes.titlesize": 12,
    "axes.titleweight": "bold",
    "axes.titlepad": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "figure.titlesize": 12,
    "figure.titleweight": "bold",
    "grid.alpha": 0.3,
    "lines.linewidth": 2,
    "legend.frameon": False,
    "legend.facecolor": PAPER,
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
}


def line_style(index: int) -> dict[str, Any]:
    """Return colour, dash and marker of the index-th line."""
    return {
        "color": COLOURS[index % len(COLOURS)],
        "linestyle": DASHES[index % len(DASHES)],
        "marker": MARKERS[index % len(MARKERS)],
        "markersize": 5,
    }


def fill_style(index: int) -> dict[str, Any]:
    """Return colour, hatch and edge of the index-th bar."""
    return {"color": COLOURS[index], "hatch": HATCHES[index], "edgecolor": "white"}
