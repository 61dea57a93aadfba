"""Checks of the exercises, and guesses: honest answers to every attempt.

In a notebook:

    check = checks.rnn_step(rnn_step)              # a Result: right, or what was seen
    rnn_step = check.use(instead=networks.rnn_step)  # the learner's own where it is right
    check                                          # shown in colour, as text underneath

    checks.guess("share of word 1", guess, measured, unit="%")

How to write a check: helpers/checks/registry.py.
"""

from helpers.checks.guesses import guess
from helpers.checks.notebook_00 import rnn_step, signal
from helpers.checks.notebook_01 import flip_test, words_between
from helpers.checks.notebook_02 import choose_w, fool_the_latch
from helpers.checks.notebook_03 import bptt_step, log_factors, step_jacobian
from helpers.checks.notebook_04 import growing_matrix, growing_step
from helpers.checks.notebook_05 import diagnose, first_inf, log_row, sick_runs
from helpers.checks.notebook_06 import choose_threshold, clip_by_norm, safe_step, train_step
from helpers.checks.notebook_07 import bias_for_span, gru_step, my_run, update_term
from helpers.checks.notebook_08 import coin, my_rnn
from helpers.checks.notebook_09 import beside_model_answer, quiz, statements
from helpers.checks.registry import EXERCISES, progress
from helpers.checks.results import Result
