"""What every figure of the course shares: one look, one way to be shown and described.

Matplotlib is imported when the first figure is drawn, and no figure is ever handed to
pyplot's global list, so none has to be closed and none needs a display.
"""

from __future__ import annotations

import functools
import io
import math
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


def about(value: float, digits: int = 2) -> str:
    """Print a number that may differ in its last digit elsewhere: "≈ 0.43", "≈ 17,000".

    digits: how many are shown, the first that is not 0 included. Below 10^-4 and above 10^6
    the power of ten is written out: "≈ 1.3e-05". Exactly 0, inf and nan stand without a sign.
    """
    if value == 0 or not np.isfinite(value):
        return f"{value:g}"
    rounded = float(f"{value:.{digits - 1}e}")
    exponent = math.floor(math.log10(abs(rounded)))
    if not -5 < exponent < 6:
        return f"≈ {value:.{digits - 1}e}"
    return f"≈ {rounded:,.{max(0, digits - 1 - exponent)}f}"


def size(value: float, *, log10: bool = False) -> str:
    """Print a number of which only the size is meant: "~ 120", "~ 10^-271".

    log10: whether value is the number's logarithm to base 10, for one no float can hold.
    From 10^-3 to 10^6 it is written out with one digit or, from 10 on, two. Beyond that
    only a positive number has a size.
    """
    if not log10 and (value == 0 or not np.isfinite(value)):
        return f"{value:g}"
    exponent = value if log10 else math.log10(abs(value))
    if not -3 <= exponent < 6:
        return f"~ 10^{round(exponent)}"
    number = 10**value if log10 else value
    return about(number, 2 if exponent >= 1 else 1).replace("≈", "~")


def magnitude(value: float) -> str:
    """A number as its order of magnitude: 3e-7 is '10^-7', zero is 'exactly 0'."""
    if value == 0:
        return "exactly 0"
    return f"10^{round(np.log10(value))}" if np.isfinite(value) else str(value)
