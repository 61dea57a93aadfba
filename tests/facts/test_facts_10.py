"""What notebook 10's small experiments say, with other seeds, by the notebook's own cells."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from cells import cells

from helpers import measure, networks, task

SIZE = len(task.vocabulary())


def run(*ids, **names):
    return cells("10", "imports", *ids, size=SIZE, **names)


def test_10_frames_the_last_frames_are_equal_and_the_states_are_not():
    space = run("frames")
    assert np.array_equal(space["films"]["right"][-1], space["films"]["left"][-1])
    assert float((space["ends"][0] - space["ends"][1]).norm()) > 0.1


@pytest.mark.parametrize("seed", [1, 2])
def test_10_carried_another_readout_changes_predictions_and_no_state(seed):
    model, (tokens, _) = networks.rnn_classifier(SIZE, seed=seed), task.AgreementTask(5).batch(16)
    with torch.no_grad():
        states, said = model.states(tokens), model(tokens).argmax(1)
        for parameter in model.readout.parameters():
            parameter.neg_()
        assert (model(tokens).argmax(1) != said).all()
        assert torch.equal(model.states(tokens), states)


def test_10_sky_and_france():
    assert run("sky")["right"] == 8
    space = run("france")
    assert space["country"] == 1
    assert 0.5 < space["number"] < 0.75


def test_10_own_term_the_first_word_is_in_the_later_terms():
    moved = run("own-term")["moved"]
    assert moved[0] > 0.5
    assert min(moved[:3]) > 0.02


@pytest.mark.parametrize("seed", [1, 2])
def test_10_sums_by_the_notebooks_cell_for_other_networks(seed):
    model = networks.rnn_classifier(SIZE, seed=seed).double()
    assert run("sums", model=model)["off"] < 1e-12


def test_10_conventions_agree():
    space = run("conventions")
    for one, two in space["pairs"].values():
        np.testing.assert_allclose(one, two, rtol=0, atol=1e-14)


def test_10_rounding_repeats_every_23_steps_in_bfloat16():
    g, value, roundings = torch.tensor(1.0625).bfloat16(), torch.tensor(1.0).bfloat16(), []
    for _ in range(92):
        exact = value.double() * 1.0625
        value = value * g
        roundings.append(float(value.double() / exact))
    np.testing.assert_array_equal(roundings[-23:], roundings[-46:-23])


@pytest.mark.parametrize(("dtype", "step"), [(torch.float32, 150), (torch.float16, 25)])
def test_10_rounding_a_half_ends_at_0_and_nine_tenths_does_not(dtype, step):
    assert measure.measured_underflow(0.5, dtype).last == step
    assert measure.measured_underflow(0.9, dtype).value > 0
