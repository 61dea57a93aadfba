"""The mathematics, the task and the figures behind the notebooks.

Modules, from the ground up: `validation`; `lexicon`, `agreement`, `baselines`,
`examples` and `evaluation` (the task and its data); `engine`, `rnn` and `gru` (forward
pass and back-propagation through time by hand), with `gru_memory` and
`gru_conventions`; `jacobians`, `mean_field`, `phase_map`, `gradients`,
`overflow` and `nonfinite` (what the notebooks measure); `clipping` and `cliff`; `models`
and `training`; `pictures`, `plots`, `map_plots`, `panel_plots`, `cliff_plots` and
`sliders`;
`checks` (of the exercises); `environment`, `build` and `learner`, `reading`, `site` and
`slides`, `grading` (the course's own tools).
"""

__version__ = "0.1.0"
