"""Checks of the exercises: honest answers to every attempt.

In a notebook: print(checks.rnn_step(rnn_step)). Each check takes the learner's function and
returns a Result: not attempted, failed to run, wrong shape, wrong values (with the likely
mistake by name), right, or, for predictions and texts, written down.
"""

from helpers.checks.exercises_00 import guess_extra_weights, rnn_step
from helpers.checks.exercises_01 import fool_the_latch, guess_nearest_noun, words_between
from helpers.checks.exercises_02 import bptt_step, growing_matrix, guess_share, step_jacobian
from helpers.checks.exercises_03 import first_inf, growth_for, guess_overflow_step
from helpers.checks.exercises_04 import clip_by_norm, guess_angle, train_step
from helpers.checks.exercises_05 import bias_for_span, gru_step, guess_gru_factor
from helpers.checks.exercises_06 import explain_gradients, explain_rnn
from helpers.checks.registry import EXERCISES, Exercise, exercises, progress, table
from helpers.checks.results import Result

__all__ = [
    "EXERCISES",
    "Exercise",
    "Result",
    "bias_for_span",
    "bptt_step",
    "clip_by_norm",
    "exercises",
    "explain_gradients",
    "explain_rnn",
    "first_inf",
    "fool_the_latch",
    "growing_matrix",
    "growth_for",
    "gru_step",
    "guess_angle",
    "guess_extra_weights",
    "guess_gru_factor",
    "guess_nearest_noun",
    "guess_overflow_step",
    "guess_share",
    "progress",
    "rnn_step",
    "step_jacobian",
    "table",
    "train_step",
    "words_between",
]
