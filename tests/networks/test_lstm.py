"""helpers.networks.lstm against torch.nn.LSTM, finite differences and its own probe."""

import pytest
import torch

from helpers.networks.lstm import LSTM, set_forget_bias

X = torch.randn(2, 5, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def layer():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return LSTM(3, 4).double()


def zero_probe(requires_grad=True):
    return torch.zeros(2, 5, 8, dtype=torch.float64, requires_grad=requires_grad)


def test_is_torchs_layer(layer):
    reference = torch.nn.LSTM(3, 4, batch_first=True).double()
    reference.load_state_dict(layer.state_dict())
    output, (h, c) = layer(X)
    expected, (expected_h, expected_c) = reference(X)
    assert torch.equal(output, expected)
    assert torch.equal(h, expected_h)
    assert torch.equal(c, expected_c)


@pytest.mark.parametrize("start", [False, True])
def test_step_by_step_gives_the_same(layer, start):
    hx = (torch.ones(1, 2, 4).double(), -torch.ones(1, 2, 4).double()) if start else None
    output, states = layer(X, hx, probe=zero_probe())
    expected, expected_states = layer(X, hx)
    for found, wanted in zip((output, *states), (expected, *expected_states), strict=True):
        assert found.shape == wanted.shape
        assert torch.allclose(found, wanted, rtol=0, atol=1e-13)


def test_the_probes_gradient_is_the_derivative_by_both_states(layer):
    probe = zero_probe()
    output, _ = layer(X, probe=probe)
    (gradient,) = torch.autograd.grad(output[:, -1].sum(), probe)
    epsilon = 1e-6
    for index in [(0, 1, 2), (1, 3, 0), (0, 0, 6), (1, 4, 5), (1, 4, 1)]:
        sums = []
        for sign in (1, -1):
            nudged = zero_probe(requires_grad=False)
            nudged[index] = sign * epsilon
            sums.append(layer(X, probe=nudged)[0][:, -1].sum())
        slope = (sums[0] - sums[1]) / (2 * epsilon)
        assert torch.isclose(gradient[index], slope, rtol=1e-6, atol=1e-9), index


def test_the_last_cell_has_no_gradient_since_nothing_reads_it(layer):
    probe = zero_probe()
    output, _ = layer(X, probe=probe)
    (gradient,) = torch.autograd.grad(output[:, -1].sum(), probe)
    assert not gradient[:, -1, 4:].any()
    assert (gradient[:, -1, :4] == 1).all()


def test_a_probe_of_another_shape(layer):
    with pytest.raises(ValueError, match=r"probe must have shape \(2, 5, 8\); got \(2, 5, 4\)"):
        layer(X, probe=torch.zeros(2, 5, 4))


def test_the_forget_bias_counts_once(layer):
    set_forget_bias(layer, 1.5)
    total = layer.bias_ih_l0 + layer.bias_hh_l0
    assert (total[4:8] == 1.5).all()
    assert not torch.equal(total[:4], torch.full((4,), 1.5, dtype=torch.float64))


def test_an_open_forget_gate_keeps_the_cell(layer):
    """With f = 1 and i = 0 the cell at the end is the one at the start."""
    set_forget_bias(layer, 100.0)
    with torch.no_grad():
        layer.bias_hh_l0[:4] = -100.0
    c_0 = torch.tensor([[[0.3, -0.7, 0.1, 0.9]]]).double().expand(1, 2, 4)
    _, (_, c) = layer(X, (torch.zeros_like(c_0), c_0.contiguous()))
    assert torch.allclose(c, c_0, rtol=0, atol=1e-12)


@pytest.mark.parametrize("bias", [float("nan"), float("inf"), "1", None])
def test_no_bias(layer, bias):
    with pytest.raises(ValueError, match="bias must be a finite number"):
        set_forget_bias(layer, bias)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (torch.nn.GRU(3, 4), "layer must be an LSTM; got GRU"),
        (torch.nn.LSTM(3, 4, num_layers=2), "layer must have one layer"),
        (torch.nn.LSTM(3, 4, bidirectional=True), "one direction"),
        (torch.nn.LSTM(3, 4, bias=False), "and biases"),
    ],
)
def test_forget_bias_of_another_layer_is_refused(wrong, message):
    before = [parameter.clone() for parameter in wrong.parameters()]
    with pytest.raises(ValueError, match=message):
        set_forget_bias(wrong, 1.0)
    assert all(map(torch.equal, before, wrong.parameters()))
