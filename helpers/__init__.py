"""The mathematics, the task and the figures behind the notebooks.

Modules, from the ground up: `validation`; `lexicon`, `agreement`, `baselines`,
`examples` and `evaluation` (the task and its data); `engine`, `rnn` and `gru` (forward
pass and back-propagation through time by hand), with `gru_memory` and
`gru_conventions`; `jacobians`, `mean_field`, `gradients` and `overflow` (what the
notebooks measure); `clipping`; `models` and `training`; `pictures`, `plots` and
`sliders`; `environment` and `build` (the course's own tools).
"""

__version__ = "0.1.0"
