"""The mathematics, the task and the figures behind the notebooks.

Modules, from the ground up: `validation`; `lexicon`, `agreement`, `baselines`,
`examples` and `evaluation` (the task and its data); `engine`, `rnn` and `gru` (forward pass
and back-propagation through time by hand); `jacobians`, `mean_field` and `gradients`
(what the notebooks measure); `clipping` and `overflow`; `models` and `training`; `pictures`, `plots` and
`sliders`; `environment` and `build` (the course's own tools).
"""

__version__ = "0.1.0"
