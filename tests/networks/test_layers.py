"""The RNN and the GRU by hand against torch's layers, finite differences and closed forms."""

from __future__ import annotations

import math
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from helpers.networks import gru, rnn
from helpers.networks.conventions import gru_step, logistic, torch_step
from helpers.networks.gru import GRU, bias_for_span
from helpers.networks.layer import Gradients, set_gate_bias
from helpers.networks.lstm import LSTM
from helpers.networks.rnn import RNN, rnn_step

TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-11}
INPUT, HIDDEN = 3, 5
PARAMETERS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
MODULE = {RNN: rnn, GRU: gru}
both = pytest.mark.parametrize("kind", [RNN, GRU])
kinds = pytest.mark.parametrize(
    ("kind", "options"), [(RNN, {}), (RNN, {"nonlinearity": "relu"}), (GRU, {})]
)


def twins(kind, dtype=torch.float64, **options):
    """torch's layer and ours with the same parameters."""
    torch.manual_seed(0)
    theirs = {RNN: nn.RNN, GRU: nn.GRU}[kind](INPUT, HIDDEN, batch_first=True, **options).to(dtype)
    ours = kind(INPUT, HIDDEN, **options).to(dtype)
    ours.load_state_dict(theirs.state_dict())
    return theirs, ours


def assert_close(got: Tensor, want: Tensor) -> None:
    """Equal relative to the largest entry; numbers too small for the dtype may be 0 in one."""
    assert got.shape == want.shape
    assert got.dtype == want.dtype
    lost = 100 * torch.finfo(want.dtype).tiny
    assert (got - want).abs().max() <= TOLERANCE[want.dtype] * want.abs().max() + lost


def arrays(kind, *, steps=7, batch=2) -> dict[str, np.ndarray]:
    """Arguments of a layer's forward pass."""
    draw = np.random.default_rng(0).standard_normal
    rows = kind.gates * HIDDEN
    shapes = {
        "inputs": (steps, batch, INPUT),
        "weight_ih": (rows, INPUT),
        "weight_hh": (rows, HIDDEN),
        "bias_ih": rows,
        "bias_hh": rows,
        "h0": (batch, HIDDEN),
        "probe": (steps, batch, HIDDEN),
    }
    return {name: draw(shape) for name, shape in shapes.items()}


def decaying_chain(kind, keep, steps, read=()) -> np.ndarray:
    """dL/dh_t (steps,) of h_t = keep * h_{t-1} + constant, where L sums h_T and the steps read."""
    dtype = np.float32
    inputs = np.ones((steps, 1, 1), dtype)
    direct = np.zeros_like(inputs)
    direct[[*read, -1]] = 1
    if kind is RNN:
        weights = np.ones((1, 1), dtype), np.full((1, 1), keep, dtype)
        bias = np.zeros(1, dtype)
        states = rnn.forward(inputs, *weights, bias, bias, nonlinearity="linear")
        found = rnn.backward(direct, inputs, states, *weights, nonlinearity="linear")
    else:
        weight = np.zeros((3, 1), dtype)
        bias = np.array([0, math.log(keep / (1 - keep)), 0], dtype)
        states, gates = gru.forward(inputs, weight, weight, bias, 0 * bias)
        found = gru.backward(direct, inputs, states, gates, weight, weight)
    return found.states[:, 0, 0]


# Equality with torch's layers


def loss_of(which, output, h_n):
    """A loss that reads some of what a layer returns."""
    weight = torch.linspace(-1, 1, output.numel(), dtype=output.dtype).view_as(output)
    return {
        "all": (output * weight).sum() + h_n.square().sum(),
        "last": output[:, -1].square().sum(),
        "h_n": h_n.square().sum(),
    }[which]


@kinds
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(
    ("shape", "loss"), [((4, 150), "all"), ((1, 1), "all"), ((8, 130), "last"), ((32, 70), "h_n")]
)
def test_outputs_and_gradients_equal_torch(kind, options, dtype, shape, loss):
    layers = twins(kind, dtype, **options)
    x, hx = torch.randn(*shape, INPUT, dtype=dtype), torch.randn(1, shape[0], HIDDEN, dtype=dtype)
    found = []
    for layer in layers:
        leaves = [x.clone().requires_grad_(), hx.clone().requires_grad_()]
        output, h_n = layer(*leaves)
        wanted = [*leaves, *layer.parameters()]
        gradients = torch.autograd.grad(loss_of(loss, output, h_n), wanted)
        found.append([output, h_n, layer(x)[0], *gradients])
    for want, got in zip(*found, strict=True):
        assert_close(got, want)


@both
def test_same_names_and_first_draws_as_torch(kind):
    drawn = []
    for maker in ({RNN: nn.RNN, GRU: nn.GRU}[kind], kind):
        torch.manual_seed(3)
        drawn.append(dict(maker(INPUT, HIDDEN).named_parameters()))
    assert list(drawn[0]) == list(drawn[1])
    for name, want in drawn[0].items():
        assert torch.equal(drawn[1][name], want)


@both
def test_forward_is_the_plain_step_and_the_probe_added_to_each_state(kind):
    a = arrays(kind)
    got = MODULE[kind].forward(**a)
    states = got if kind is RNN else got[0]
    U, W, b, b_h = (a[name] for name in PARAMETERS)
    h = a["h0"]
    for t, x_t in enumerate(a["inputs"]):
        rows = zip(x_t, h, strict=True)
        if kind is RNN:
            h = np.array([rnn_step(x, row, W, U, b + b_h) for x, row in rows])
        else:
            h = np.array([gru_step(x, row, W, U, b, b_h) for x, row in rows])
        h += a["probe"][t]
        np.testing.assert_allclose(states[t + 1], h, rtol=1e-12)


def test_the_gru_step_in_both_orders_of_arguments():
    a = arrays(GRU)
    weights = tuple(a[name] for name in PARAMETERS)
    x, h = a["inputs"][0, 0], a["h0"][0]
    cell = nn.GRUCell(INPUT, HIDDEN).double()
    cell.load_state_dict({name: torch.from_numpy(a[name]) for name in PARAMETERS})
    want = cell(torch.from_numpy(x), torch.from_numpy(h)).detach().numpy()
    np.testing.assert_allclose(torch_step(x, h, weights), want, rtol=0, atol=1e-14)


# Gradients by other ways


@pytest.mark.parametrize("probe_scale", [0.0, 1.0])
@pytest.mark.parametrize("kind", ["tanh", "relu", "linear", "GRU"])
def test_gradcheck(kind, probe_scale, monkeypatch):
    for module in (rnn, gru):
        monkeypatch.setattr(module, "chunk_length", lambda batch, hidden: 2)
    torch.manual_seed(0)
    layer = (GRU(2, 3) if kind == "GRU" else RNN(2, 3, nonlinearity=kind)).double()
    names = [name for name, _ in layer.named_parameters()]
    drawn = torch.randn(2, 5, 2), torch.randn(1, 2, 3), probe_scale * torch.randn(2, 5, 3)
    leaves = [each.double().requires_grad_() for each in drawn]

    def call(x, hx, probe, *parameters):
        named = dict(zip(names, parameters, strict=True))
        return torch.func.functional_call(layer, named, (x, hx), {"probe": probe})

    assert torch.autograd.gradcheck(call, (*leaves, *layer.parameters()))


@both
def test_probe_gradient_is_the_total_derivative_of_each_state(kind):
    theirs, ours = twins(kind)
    x = torch.randn(2, 70, INPUT).double()
    cell = {RNN: nn.RNNCell, GRU: nn.GRUCell}[kind](INPUT, HIDDEN).double()
    cell.load_state_dict({k.removesuffix("_l0"): v for k, v in theirs.state_dict().items()})
    states = []
    for t in range(70):
        states.append(cell(x[:, t], states[-1] if states else None))
        states[-1].retain_grad()
    sum((t + 1) * h.square().sum() for t, h in enumerate(states)).backward()
    probe = torch.zeros(2, 70, HIDDEN, dtype=torch.float64, requires_grad=True)
    output, _ = ours(x, probe=probe)
    output.retain_grad()
    (output.square().sum((0, 2)) * torch.arange(1, 71)).sum().backward()
    assert_close(probe.grad, torch.stack([h.grad for h in states], dim=1))
    assert not torch.allclose(output.grad, probe.grad)


@both
def test_a_vanished_signal_is_exactly_zero_and_a_later_one_starts_afresh(kind):
    """Down to the smallest normal number, 2^-126, each power of one half is exact."""
    got = decaying_chain(kind, 0.5, 1000, read=(99,))[::-1]
    assert np.array_equal(got[:127], np.float32(0.5) ** np.arange(127))
    assert not got[127:900].any()
    assert np.array_equal(got[900:], np.float32(0.5) ** np.arange(100))


@both
def test_no_subnormal_signal_is_left_and_the_processor_is_as_before(kind):
    got = decaying_chain(kind, 0.99, 20_000)
    assert not ((got != 0) & (np.abs(got) < np.finfo(np.float32).tiny)).any()
    assert not got[:100].any()
    for flushes in (True, False):
        torch.set_flush_denormal(flushes)
        decaying_chain(kind, 0.5, 10)
        assert (torch.tensor(1e-40) * 1 == 0) == flushes


@both
def test_only_the_wanted_gradients_are_computed(kind):
    a = arrays(kind)
    a["probe"] = None
    kept = MODULE[kind].forward(**a)
    kept = (kept,) if kind is RNN else kept
    given = (np.ones_like(kept[0][1:]), a["inputs"], *kept, a["weight_ih"], a["weight_hh"])
    everything = MODULE[kind].backward(*given)
    for name in Gradients._fields:
        found = MODULE[kind].backward(*given, wanted=(name,))
        np.testing.assert_array_equal(getattr(found, name), getattr(everything, name))
        assert all(getattr(found, other) is None for other in Gradients._fields if other != name)


# Behaviour in PyTorch's graph


@both
def test_two_forwards_before_a_backward_and_two_backwards_of_one(kind):
    layers = twins(kind)
    x, y = torch.randn(2, 2, 70, INPUT, dtype=torch.float64)
    found = []
    for layer in layers:
        first, second = layer(x)[0].sum(), layer(y)[0].square().sum()
        first.backward(retain_graph=True)
        second.backward()
        first.backward()
        found.append([p.grad for p in layer.parameters()])
    for want, got in zip(*found, strict=True):
        assert_close(got, want)


@both
def test_the_two_biases_do_not_share_a_gradient(kind):
    layer = kind(INPUT, HIDDEN)
    layer(torch.randn(2, 4, INPUT))[0].sum().backward()
    want = layer.bias_ih_l0.grad.clone()
    layer.bias_hh_l0.grad.zero_()
    assert torch.equal(layer.bias_ih_l0.grad, want)


@both
@pytest.mark.parametrize("changed", ["input", "weight", "output"])
def test_what_changes_before_the_backward_is_refused_not_used(kind, changed):
    layer, x = kind(INPUT, HIDDEN), torch.randn(1, 4, INPUT)
    output, _ = layer(x)
    loss = output.sum()
    {"input": x, "weight": layer.weight_hh_l0, "output": output}[changed].detach().mul_(2)
    with pytest.raises(RuntimeError, match=r"modified (inplace|by an inplace operation)"):
        loss.backward()


@both
def test_second_derivatives_are_refused(kind):
    x = torch.randn(2, 4, INPUT, requires_grad=True)
    loss = kind(INPUT, HIDDEN)(x)[0].sum()
    with pytest.raises(RuntimeError, match="first derivatives only"):
        torch.autograd.grad(loss, x, create_graph=True)


@both
def test_threads_do_not_disturb_each_other(kind):
    _, layer = twins(kind)
    batches = torch.randn(8, 4, 100, INPUT, dtype=torch.float64)

    def gradient(x: Tensor) -> Tensor:
        return torch.autograd.grad(layer(x)[0].sum(), layer.weight_hh_l0)[0]

    want = [gradient(x) for x in batches]
    with ThreadPoolExecutor(2) as pool:
        got = list(pool.map(gradient, batches))
    assert all(torch.equal(a, b) for a, b in zip(got, want, strict=True))


# inf, NaN and overflow


@kinds
@pytest.mark.parametrize("value", [math.inf, math.nan])
def test_non_finite_inputs_propagate_as_in_torch(kind, options, value):
    layers = twins(kind, torch.float32, **options)
    x = torch.randn(2, 300, INPUT)
    x[1, 0, 0] = value
    found = []
    for layer in layers:
        output, _ = layer(x)
        output[:, -1].sum().backward()
        found.append([output, *(p.grad for p in layer.parameters())])
    for want, got in zip(*found, strict=True):
        assert torch.equal(got.isfinite(), want.isfinite())
    assert not found[0][1].isfinite().all()


def test_overflow_is_silent_and_falls_on_the_same_step_as_in_torch():
    theirs, ours = twins(RNN, torch.float32, nonlinearity="relu")
    with torch.no_grad():
        for layer in (theirs, ours):
            layer.weight_hh_l0.copy_(2 * torch.eye(HIDDEN))
    x = torch.ones(1, 300, INPUT)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        output, _ = ours(x)
        output.sum().backward()
    assert torch.equal(output.isfinite(), theirs(x)[0].isfinite())
    assert not output[:, -1].isfinite().all()


# The door


@both
@pytest.mark.parametrize(
    ("sizes", "message"),
    [((0, 2), "input_size must be at least 1; got 0"), ((2, 2.5), "hidden_size must be an int")],
)
def test_bad_sizes(kind, sizes, message):
    with pytest.raises(ValueError, match=message):
        kind(*sizes)


def test_unknown_nonlinearity():
    with pytest.raises(ValueError, match="nonlinearity must be one of 'tanh', 'relu', 'linear'"):
        RNN(2, 3, nonlinearity="gelu")


X = torch.zeros(2, 4, INPUT)


@both
@pytest.mark.parametrize(
    ("call", "message"),
    [
        ({"input": X[0]}, r"input must have shape \(batch, steps, 3\).*got \(4, 3\)"),
        ({"input": X[..., :2]}, r"input must have shape .*got \(2, 4, 2\)"),
        ({"input": X[:, :0]}, "at least one step"),
        ({"input": X.double()}, r"input must be torch\.float32.*got torch\.float64"),
        ({"input": X, "hx": torch.zeros(2, 5)}, r"hx must have shape \(1, 2, 5\)"),
        ({"input": X, "hx": torch.zeros(1, 2, 5).double()}, r"hx must be torch\.float32"),
        ({"input": X, "probe": torch.zeros(2, 3, 5)}, r"probe must have shape \(2, 4, 5\); got"),
    ],
)
def test_bad_calls(kind, call, message):
    with pytest.raises(ValueError, match=message):
        kind(INPUT, HIDDEN)(**call)


# The update gate's bias


@pytest.mark.parametrize("span", [2, 300])
def test_bias_for_span_leaves_one_part_in_span_to_write(span):
    assert logistic(bias_for_span(span)) == pytest.approx(1 - 1 / span, abs=1e-14)


def test_bias_for_span_refuses_a_span_below_two():
    with pytest.raises(ValueError, match="span must be 2 or more; got 1"):
        bias_for_span(1)


@pytest.mark.parametrize(("kind", "gates"), [(GRU, 3), (LSTM, 4)])
@pytest.mark.parametrize("gate", [0, 1])
def test_a_gates_bias_counts_once_and_nothing_else_changes(kind, gates, gate):
    layer = kind(INPUT, HIDDEN)
    before = [p.detach().clone() for p in layer.parameters()]
    set_gate_bias(layer, gate, 1.5)
    rows = torch.arange(gates * HIDDEN) // HIDDEN == gate
    assert ((layer.bias_ih_l0 + layer.bias_hh_l0)[rows] == 1.5).all()
    for old, new in zip(before[2:], [layer.bias_ih_l0, layer.bias_hh_l0], strict=True):
        assert torch.equal(old[~rows], new[~rows])
    assert all(map(torch.equal, before[:2], [layer.weight_ih_l0, layer.weight_hh_l0]))
