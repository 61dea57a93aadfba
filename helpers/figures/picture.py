"""What every figure of the course shares: one look, one way to be shown and described.

Matplotlib is imported when the first figure is drawn, and no figure is ever handed to
pyplot's global list, so none has to be closed and none needs a display.
"""

from __future__ import annotations

import functools
import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Okabe & Ito's colours, told apart by the colour-blind; dash and marker repeat the difference.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
DASHES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (1, 1)), (0, (3, 1, 1, 1)))
MARKERS = "osD^vP*X"
STYLE = {
    "font.size": 12,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.3,
    "lines.linewidth": 2,
    "legend.frameon": False,
}


@dataclass(frozen=True)
class Picture:
    """A figure and the sentences that describe it, made from the same numbers."""

    figure: Figure
    description: str

    def png(self) -> bytes:
        """The figure as a PNG at 100 dots per inch."""
        buffer = io.BytesIO()
        self.figure.savefig(buffer, format="png", dpi=100, metadata={"Software": None})
        return buffer.getvalue()

    def show(self) -> None:
        """Display the figure in a notebook, then free it; the description is its alt text."""
        from IPython.display import display

        display(
            {"image/png": self.png(), "text/plain": self.description},
            raw=True,
            metadata={"image/png": {"alt": self.description}},
        )
        self.figure.clear()


def in_course_style(draw: Callable[..., Picture]) -> Callable[..., Picture]:
    """Run a drawing function under STYLE, leaving the reader's own settings as they were."""

    @functools.wraps(draw)
    def styled(*args: Any, **kwargs: Any) -> Picture:
        import matplotlib

        with matplotlib.rc_context(STYLE):
            return draw(*args, **kwargs)

    return styled


def canvas(width: float = 8.0, height: float = 3.6, **grid: Any) -> tuple[Figure, Any]:
    """A new figure (inches) and its axes; grid goes to subplots."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots(**grid)


def line_style(index: int) -> dict[str, Any]:
    """Colour, dash and marker of the index-th line."""
    return {
        "color": COLOURS[index % len(COLOURS)],
        "linestyle": DASHES[index % len(DASHES)],
        "marker": MARKERS[index % len(MARKERS)],
        "markersize": 5,
    }


def spoken(text: str) -> str:
    """A label as a description can say it, without TeX's marks: "$\\log_{10}$" is log10."""
    return re.sub(r"\$|\\|_?\{([^}]*)\}", r"\1", text)


def magnitude(value: float) -> str:
    """A number as its order of magnitude: 3e-7 is '10^-7', zero is 'exactly 0'."""
    if value == 0:
        return "exactly 0"
    return f"10^{round(np.log10(value))}" if np.isfinite(value) else str(value)
