"""The mathematics, the task and the figures behind the notebooks.

Modules, from the ground up: `validation`; `lexicon`, `agreement`, `baselines`,
`examples` and `evaluation` (the task and its data); `rnn` (forward pass and
back-propagation through time by hand); `jacobians` and `gradients` (what the
notebooks measure); `models` and `training`; `plots` and `sliders`.
"""

__version__ = "0.1.0"
