"""The pictures of the course: functions that take results and give a Picture."""

from helpers.figures.cliffs import arrows, descents, runs_by_threshold
from helpers.figures.gates import film, landmarks, stacked, successes
from helpers.figures.ink import ink, what_is_left
from helpers.figures.lines import (
    behaviour_and_signal,
    curves,
    over_words,
    runs_by_gap,
    shares,
    strip,
    unrolled,
)
from helpers.figures.maps import draw_lines, draw_map, growth_map, heat_map
from helpers.figures.memory import cobwebs, trace, trade_off
from helpers.figures.panels import panels
from helpers.figures.picture import Picture, about, size
from helpers.figures.sliders import (
    bias_slider,
    cliff_at,
    cliff_slider,
    gap_slider,
    phase_at,
    phase_slider,
    picture_sliders,
    strip_at_bias,
    strip_at_gap,
)

__all__ = [
    "Picture",
    "about",
    "arrows",
    "behaviour_and_signal",
    "bias_slider",
    "cliff_at",
    "cliff_slider",
    "cobwebs",
    "curves",
    "descents",
    "draw_lines",
    "draw_map",
    "film",
    "gap_slider",
    "growth_map",
    "heat_map",
    "ink",
    "landmarks",
    "over_words",
    "panels",
    "phase_at",
    "phase_slider",
    "picture_sliders",
    "runs_by_gap",
    "runs_by_threshold",
    "shares",
    "size",
    "stacked",
    "strip",
    "strip_at_bias",
    "strip_at_gap",
    "successes",
    "trace",
    "trade_off",
    "unrolled",
    "what_is_left",
]
