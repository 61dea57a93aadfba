"""The pictures of the course: functions that take results and give a Picture."""

from helpers.figures.drawings import first_aid, gru_cell, unrolled
from helpers.figures.ink import ink, what_is_left
from helpers.figures.lines import curves, dots, film, panels, shares
from helpers.figures.maps import cliff_cut, descents, heat_map
from helpers.figures.memory import cobwebs, trace, trade_off
from helpers.figures.picture import Picture, about, size
from helpers.figures.runs import learned_by_gap, runs_by_gap, steps_by_gap, swings
from helpers.figures.sliders import (
    SLIDERS,
    bias_slider,
    cliff_slider,
    frames,
    gap_slider,
    phase_slider,
    strip_at_gap,
)
from helpers.figures.words import behaviour_and_signal, over_words, stacked
