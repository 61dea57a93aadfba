"""The signal beyond float64's range and by forward mode, against autograd and closed forms."""

import numpy as np
import pytest
import torch

from helpers.measure import forward_signal, log_signal, signal
from helpers.networks import gru_classifier, rnn_classifier

TOKENS = torch.randint(0, 20, (3, 100), generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(
    "model",
    [rnn_classifier(20, seed=1), gru_classifier(20, seed=1), gru_classifier(20, update_bias=3.0)],
    ids=["rnn", "gru", "biased gru"],
)
def test_within_float64_it_is_the_logarithm_of_the_signal(model):
    expected = np.log10(signal(model.double(), TOKENS))
    np.testing.assert_allclose(log_signal(model, TOKENS), expected, rtol=0, atol=1e-8)


@pytest.mark.parametrize("gain", [0.001, 1000.0])
def test_of_a_linear_network_it_is_a_straight_line_at_any_length(gain):
    """W = gain * identity: each step back multiplies by the gain, 3 powers of ten."""
    model = rnn_classifier(20, hidden=4, nonlinearity="linear")
    with torch.no_grad():
        model.layer.weight_hh_l0.copy_(gain * torch.eye(4))
        model.layer.weight_ih_l0.zero_()
        model.layer.bias_ih_l0.zero_()
        model.layer.bias_hh_l0.zero_()
        was, were = model.readout.weight
    tokens = torch.zeros(1, 1000, dtype=torch.long)
    expected = np.log10((was - were).detach().double().norm().item()) + np.log10(gain) * np.arange(
        1000
    )
    np.testing.assert_allclose(log_signal(model, tokens)[0, ::-1], expected, atol=1e-3)


def test_a_signal_that_is_exactly_zero_has_no_logarithm():
    model = rnn_classifier(20, nonlinearity="relu")
    with torch.no_grad():
        model.layer.bias_ih_l0.fill_(-100.0)
    logs = log_signal(model, TOKENS)
    assert np.isfinite(logs[:, -1]).all()
    assert np.isneginf(logs[:, :-1]).all()


@pytest.mark.parametrize("nonlinearity", ["tanh", "relu", "linear"])
def test_forward_mode_gives_the_same_signal(nonlinearity):
    model = rnn_classifier(20, nonlinearity=nonlinearity, seed=2).double()
    backward = signal(model, TOKENS)
    for word in (0, 50, 98, 99):
        np.testing.assert_allclose(forward_signal(model, TOKENS, word), backward[:, word], 1e-10)


def test_neither_changes_the_model():
    model = rnn_classifier(20)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    log_signal(model, TOKENS)
    forward_signal(model, TOKENS, 90)
    for name, value in model.state_dict().items():
        assert value.equal(before[name])
    assert all(parameter.grad is None for parameter in model.parameters())
