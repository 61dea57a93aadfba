"""What notebook 10's small experiments say, with other seeds, by the notebook's own cells."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from cells import cells

from helpers import networks, task

SIZE = len(task.vocabulary())


@pytest.mark.parametrize("seed", [1, 2])
def test_10_carried_another_readout_changes_predictions_and_no_state(seed):
    model, (tokens, _) = networks.rnn_classifier(SIZE, seed=seed), task.AgreementTask(5).batch(16)
    with torch.no_grad():
        states, said = model.states(tokens), model(tokens).argmax(1)
        for parameter in model.readout.parameters():
            parameter.neg_()
        assert (model(tokens).argmax(1) != said).all()
        assert torch.equal(model.states(tokens), states)


@pytest.mark.parametrize("seed", [1, 2])
def test_10_sums_by_the_notebooks_cell_for_other_networks(seed):
    model = networks.rnn_classifier(SIZE, seed=seed).double()
    assert cells("10", "imports", "sums", size=SIZE, model=model)["off"] < 1e-12


def test_10_rounding_repeats_every_23_steps_in_bfloat16():
    g, value, roundings = torch.tensor(1.0625).bfloat16(), torch.tensor(1.0).bfloat16(), []
    for _ in range(92):
        exact = value.double() * 1.0625
        value = value * g
        roundings.append(float(value.double() / exact))
    np.testing.assert_array_equal(roundings[-23:], roundings[-46:-23])
