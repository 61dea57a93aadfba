"""Several measures of one training, one panel above the other over the same steps."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np

from helpers.figures.picture import Picture, canvas, in_course_style, line_style
from helpers.validation import Array, float_array


@in_course_style
def panels(
    measures: Mapping[str, Mapping[str, Array]],
    *,
    title: str,
    alt_text: str,
    xlabel: str = "optimizer step",
    log_y: Collection[str] = (),
    level: tuple[str, float, str] | None = None,
) -> Picture:
    """Lines over the steps 1, 2, ... of each run, in a panel for each measure.

    measures: for each panel's name its lines, (steps,) each; runs may differ in length. A
    value that is inf or NaN stands as a cross on the panel's upper edge. log_y: the panels
    with a logarithmic axis. level: a panel, a height in it and the height's name.
    alt_text: what the description says of the lines; trained networks end elsewhere on another
    processor, so it gives no numbers of theirs.
    Raises ValueError if a line is not a float array, or log_y or level names no panel.
    """
    unknown = {*log_y, *(level or ())[:1]} - set(measures)
    if unknown:
        raise ValueError(f"no panel is named {sorted(unknown)[0]!r}; there are {list(measures)}")
    figure, rows = canvas(
        height=2.0 + 1.4 * len(measures), nrows=len(measures), sharex=True, squeeze=False
    )
    names = list(dict.fromkeys(name for lines in measures.values() for name in lines))
    for axes, (panel, lines) in zip(rows[:, 0], measures.items(), strict=True):
        for name, line in lines.items():
            values = float_array(f"line {name!r} of {panel!r}", line, ("steps",))
            x, finite = np.arange(1, len(values) + 1), np.isfinite(values)
            index = names.index(name)
            style = line_style(index)
            sparse = {"markevery": max(1, len(values) // 12)}
            axes.plot(x, np.where(finite, values, np.nan), label=name, **style, **sparse)
            if not finite.all():
                axes.plot(
                    x[~finite], np.ones((~finite).sum()), "X", color=style["color"],
                    markersize=15 - 3 * (index % 4), zorder=3 + index,
                    transform=axes.get_xaxis_transform(), clip_on=False,
                )  # fmt: skip
        axes.set_ylabel(panel)
        axes.set_yscale("log" if panel in log_y else "linear")
        if level is not None and level[0] == panel:
            axes.axhline(level[1], color="black", lw=1, ls=":")
            axes.annotate(
                level[2], (0, level[1]), xycoords=("axes fraction", "data"),
                ha="left", va="bottom", fontsize=9,
            )  # fmt: skip
    handles = {
        label: handle
        for axes in rows[:, 0]
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)
    }
    figure.legend(handles.values(), handles, loc="outside lower center", ncols=2, fontsize=11)
    rows[-1, 0].set_xlabel(xlabel)
    rows[-1, 0].xaxis.get_major_locator().set_params(integer=True)
    figure.suptitle(title)
    return Picture(figure, f"{title}. {', '.join(measures)}, over the {xlabel}. {alt_text}.")
