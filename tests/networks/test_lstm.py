"""helpers.networks.lstm against torch.nn.LSTM and torch.nn.LSTMCell."""

import pytest
import torch

from helpers.networks.lstm import LSTM

X = torch.randn(2, 5, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def layer():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return LSTM(3, 4).double()


def test_without_a_probe_it_is_torchs_layer(layer):
    reference = torch.nn.LSTM(3, 4, batch_first=True).double()
    reference.load_state_dict(layer.state_dict())
    (output, states), (expected, expected_states) = layer(X), reference(X)
    assert all(map(torch.equal, (output, *states), (expected, *expected_states)))


def test_step_by_step_gives_the_same(layer):
    output, states = layer(X, probe=torch.zeros(2, 5, 8, dtype=torch.float64))
    expected, expected_states = layer(X)
    for found, wanted in zip((output, *states), (expected, *expected_states), strict=True):
        assert found.shape == wanted.shape
        assert torch.allclose(found, wanted, rtol=0, atol=1e-13)


def test_the_probes_gradient_is_the_derivative_by_both_states(layer):
    """Here against torch's own cell; the last cell has none, since nothing reads it."""
    probe = torch.zeros(2, 5, 8, dtype=torch.float64, requires_grad=True)
    output, _ = layer(X, probe=probe)
    (gradient,) = torch.autograd.grad(output[:, -1].sum(), probe)
    cell = torch.nn.LSTMCell(3, 4).double()
    cell.load_state_dict({k.removesuffix("_l0"): v for k, v in layer.state_dict().items()})
    state, states = None, []
    for x in X.unbind(1):
        state = [each.clone() for each in cell(x, state)]  # what goes on to the next step
        states += state
    wanted = torch.autograd.grad(state[0].sum(), states, allow_unused=True)
    assert wanted[-1] is None
    wanted = torch.stack([*wanted[:-1], torch.zeros(2, 4)], dim=1)
    assert torch.allclose(gradient, wanted.view(2, 5, 8), rtol=0, atol=1e-14)


def test_a_probe_of_another_shape(layer):
    with pytest.raises(ValueError, match=r"probe must have shape \(2, 5, 8\); got \(2, 5, 4\)"):
        layer(X, probe=torch.zeros(2, 5, 4))
