"""What notebook 04 says in words and rounded numbers, for more seeds than it shows.

The functions under test are the notebook's own cells.
"""

from __future__ import annotations

import copy
import functools

import numpy as np
import pytest
from cells import cells, functions, stage

from helpers import measure, networks, task

SEEDS = range(4)
WORDS = task.vocabulary()


@functools.cache
def fresh(seed):
    return networks.rnn_classifier(len(WORDS), seed=seed).double()


STAGE = stage(vocabulary=WORDS, fresh=fresh(0))


def run(*ids, **more):
    """Names that cells of notebook 04 leave."""
    return cells("04", *ids, **{**STAGE, **more})


def own(*ids, **more):
    """Functions that they define."""
    return functions("04", *ids, **{**STAGE, **more})


@functools.cache
def trained(gaps):
    """The notebook's network with another seed."""
    return own("twist-train")["train_on"](gaps, seed=1)


@pytest.mark.parametrize("seed", range(10))
def test_04_sigma_is_above_1_and_the_network_vanishes(seed):
    sigma, rho, factor = own("guess-sigma-answer")["numbers"](seed)
    assert 1 < sigma < 1.2
    assert 0.5 < rho < 0.75
    assert 0.38 < factor < 0.52
    assert factor < rho


@pytest.mark.parametrize("g", [0.5, 1.0, 1.5, 2.0, 3.0])
@pytest.mark.parametrize("s", [0.1, 1.0])
def test_04_gain_theory_meets_measurement(g, s):
    factor_of = own("guess-gain-answer")["factor_of"]
    assert factor_of(g, s) == pytest.approx(measure.mean_field_factor(g, s), rel=0.06)


@pytest.mark.parametrize("seed", SEEDS)
def test_04_sum_the_far_terms_vanish_and_the_sum_stays(seed):
    parts = own("guess-sum-answer", fresh=fresh(seed))["parts_of_gradient"]
    wholes = []
    for gap in (5, 50, 500):
        terms, whole = parts(gap, seed=seed)
        wholes.append(whole)
        assert terms[gap] < terms[0] * 0.65**gap
        assert 0.7 < whole / terms[0] < 1.6
    assert 0 < terms[500] < 1e-140
    assert max(wholes) < 2.5 * min(wholes)


@pytest.mark.parametrize("seed", SEEDS)
def test_04_truncated_ten_steps_hold_nearly_all_of_a_fresh_gradient(seed):
    space = run("truncated-cut", fresh=fresh(seed))
    off = [
        ((space["gradient_of_W"](k) - space["full"]).norm() / space["full"].norm()).item()
        for k in (2, 5, 10)
    ]
    assert off[0] > off[1] > off[2]
    assert off[2] < 0.005


@pytest.mark.slow
def test_04_twist_right_at_gap_1000_with_a_signal_of_0():
    model = trained((3, 15))
    space = run("guess-twist-answer", mixed=model)
    assert space["percent_right"](model, 1000) > 93
    assert space["follows"] > 0.9
    assert space["in_float64"].max() == 0
    tokens, _ = task.AgreementTask(1000, seed=3).batch(8)
    assert measure.signal(copy.deepcopy(model).double(), tokens)[:, -1001].max() == 0


@pytest.mark.slow
def test_04_signal_the_trained_network_has_less_of_it():
    tokens, _ = task.AgreementTask(400, seed=3).batch(16)
    found = [
        np.median(measure.log_signal(model, tokens)[:, -401])
        for model in (fresh(1), trained((3, 15)))
    ]
    assert -150 < found[0] < -110
    assert -320 < found[1] < -160
    assert found[1] < found[0] - 30


@pytest.mark.slow
def test_04_ablation_short_and_longer_gaps_are_needed_in_this_budget():
    percent_right = own("guess-twist-answer")["percent_right"]
    assert abs(percent_right(trained((10, 15)), 12) - 50) < 12
    short = trained((3, 6))
    assert percent_right(short, 5) > 95
    assert percent_right(short, 1000) < 62
    assert percent_right(short, 100) < percent_right(trained((3, 15)), 100) - 10
