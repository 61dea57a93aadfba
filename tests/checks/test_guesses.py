"""Guesses are told near or far, by what their kind of quantity can be; none is ever solved."""

from __future__ import annotations

import math
import re

import nbformat
import numpy as np
import pytest
import torch
from cells import SOLUTIONS

from helpers import checks
from helpers.checks.lessons import LESSONS

TOLD = [
    # guess, measured, unit, status, words
    (25, 8.53, "%", "far", "you wrote 25 %, measured ≈ 8.53 %.\n  Far: ~ 16 points too high."),
    (5, 8.53, "%", "near", "Near: ~ 3.5 points too low."),
    (8.53, 8.53, "%", "near", "Near: that is what was measured."),
    (0.08, 8.53, "%", "far", "Did you write a share of 1? The answer is in percent."),
    (45, 1e-6, "degrees", "far", "measured 0 degrees.\n  Far: ~ 45 degrees too high."),
    (1.0, 0.98, "per word", "far", "yours loses nothing per word, the measured one loses ~ 2.0 %"),
    (0.97, 0.98, "per word", "far", "loses ~ 3.0 % per word, the measured one loses ~ 2.0 %"),
    (0.982, 0.98, "per step", "near", "loses ~ 1.8 % per step"),
    (0.5, 0.43, "per word", "near", "loses ~ 50 % per word"),
    (0, 0.43, "per word", "far", "yours leaves nothing"),
    (0.5, 1.5, "per word", "far", "yours loses ~ 50 % per word, the measured one gains ~ 50 %"),
    (4, 0.43, "per word", "far", "yours multiplies by ~ 4.0 per word"),
    (218.83, 219, "steps", "near", "you wrote 218.83 steps, measured 219 steps.\n  Near: 0.17 too"),
    (218.83, 219, "", "near", "Only a whole number can be exact here."),
    (219, np.int64(219), "", "near", "exactly what was measured"),
    (2219, 219, "", "far", "you wrote 2,219, measured 219.\n  Far: 2,000 too large."),
    (96, 0, "weights", "far", "Far: 96 too large."),
    (2, 3, "", "far", "Far: 1 too small."),
    (40, 38.7, "", "near", "Near: ~ 3.4 % too large."),
    (100, 38.7, "", "far", "Far: ~ 2.6 times too large."),
    (1e-3, 4.2e-17, "", "far", "measured ≈ 4.20e-17.\n  Far: ~ 10^13 times too large."),
    (0, 38.7, "", "far", "it is not exactly 0"),
    (2, 0.0, "", "far", "it is exactly 0"),
    (-3, 3.0, "", "far", "the other sign"),
]


@pytest.mark.parametrize(("guess", "measured", "unit", "status", "words"), TOLD)
def test_a_guess_is_told_how_far_it_was(guess, measured, unit, status, words):
    result = checks.guess("it", guess, measured, unit=unit)
    assert result.status == status
    assert words in str(result)
    assert not result.passed


def test_no_guess_gets_the_measured_value_alone():
    result = checks.guess("share of word 1", None, 8.53, unit="%")
    assert str(result) == "share of word 1: measured ≈ 8.53 %."
    assert not result.passed


def test_what_the_distance_teaches_comes_last():
    result = checks.guess("share of word 1", 25, 8.53, unit="%")
    assert str(result).splitlines()[-1] == f"  {LESSONS['share of word 1']}"


def test_every_lesson_belongs_to_a_guess_of_a_notebook():
    asked = set()
    for path in SOLUTIONS.glob("[01]*.ipynb"):
        for cell in nbformat.read(path, 4).cells:
            asked.update(re.findall(r'checks\.guess\(\s*"([^"]+)"', cell.source))
    assert len(asked) > 30
    assert set(LESSONS) <= asked


@pytest.mark.parametrize("guess", [np.float32(25), torch.tensor([25.0]), np.array([[25]])])
def test_a_single_number_may_come_in_any_wrapping(guess):
    assert "you wrote 25 %" in str(checks.guess("share", guess, 8.53, unit="%"))


@pytest.mark.parametrize(
    ("guess", "said"),
    [
        ("25 %", "Your guess is '25 %': write one number, in %, such as 12.5, without quotes"),
        (True, "Your guess is True"),
        (math.nan, "Your guess is nan"),
        (math.inf, "Your guess is inf"),
        ([1, 2], "Your guess is [1, 2]"),
        (torch.ones(2), "Your guess is tensor([1., 1.])"),
        (2 + 1j, "Your guess is (2+1j)"),
    ],
)
def test_what_is_no_number_is_named_and_the_value_is_not_given_away(guess, said):
    result = checks.guess("share", guess, 8.53, unit="%")
    assert result.status == "failed to run"
    assert said in str(result)
    assert "8.53" not in str(result)
