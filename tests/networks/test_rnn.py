"""The RNN by hand against torch.nn.RNN, finite differences and closed forms."""

from __future__ import annotations

import copy
import io
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from helpers.networks import rnn
from helpers.networks.layer import Gradients, chunk_length
from helpers.networks.rnn import RNN

TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-11}
INPUT, HIDDEN = 3, 5


def pair(dtype=torch.float64, *, nonlinearity="tanh", batch_first=True, size=INPUT, hidden=HIDDEN):
    """torch.nn.RNN and ours with the same parameters."""
    torch.manual_seed(0)
    kind = {"nonlinearity": nonlinearity, "batch_first": batch_first, "dtype": dtype}
    theirs = torch.nn.RNN(size, hidden, **kind)
    ours = RNN(size, hidden, **kind)
    ours.load_state_dict(theirs.state_dict())
    return theirs, ours


def assert_close(got: Tensor, want: Tensor) -> None:
    """Equal relative to the largest entry, to the tolerance of the dtype."""
    assert got.shape == want.shape
    assert got.dtype == want.dtype
    assert (got - want).abs().max() <= TOLERANCE[want.dtype] * want.abs().max()


def arrays(seed=0, *, steps=7, batch=2, size=INPUT, hidden=HIDDEN) -> dict[str, np.ndarray]:
    """Arguments of rnn.forward."""
    draw = np.random.default_rng(seed).standard_normal
    return {
        "inputs": draw((steps, batch, size)),
        "weight_ih": draw((hidden, size)),
        "weight_hh": draw((hidden, hidden)),
        "bias_ih": draw(hidden),
        "bias_hh": draw(hidden),
        "h0": draw((batch, hidden)),
        "probe": draw((steps, batch, hidden)),
    }


def linear_chain(weight: float, steps: int, dtype: type, read: tuple[int, ...] = ()):
    """dL/dh_t (steps,) of h_t = weight h_{t-1} + 1, where L sums h_T and the steps read."""
    one = np.ones((1, 1), dtype)
    inputs = np.ones((steps, 1, 1), dtype)
    weight_hh = np.full((1, 1), weight, dtype)
    zero = np.zeros(1, dtype)
    states = rnn.forward(inputs, one, weight_hh, zero, zero, nonlinearity="linear")
    grad_states = np.zeros_like(inputs)
    grad_states[[*read, -1]] = 1
    found = rnn.backward(grad_states, inputs, states, one, weight_hh, nonlinearity="linear")
    return found.states[:, 0, 0]


# Equality with torch.nn.RNN


@pytest.mark.parametrize("batch_first", [True, False])
@pytest.mark.parametrize("nonlinearity", ["tanh", "relu"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("shape", [(4, 150, INPUT), (150, INPUT), (1, 1, INPUT)], ids=str)
def test_outputs_and_gradients_equal_torch(shape, dtype, nonlinearity, batch_first):
    theirs, ours = pair(dtype, nonlinearity=nonlinearity, batch_first=batch_first)
    torch.manual_seed(1)
    x = torch.randn(shape, dtype=dtype)
    state = (1, x.shape[0 if batch_first else 1], HIDDEN) if len(shape) == 3 else (1, HIDDEN)
    hx = torch.randn(state, dtype=dtype)
    factor = torch.randn(*shape[:-1], HIDDEN, dtype=dtype)
    found = []
    for layer in (theirs, ours):
        leaves = [x.clone().requires_grad_(), hx.clone().requires_grad_()]
        output, h_n = layer(*leaves)
        loss = (output * factor).sum() + h_n.square().sum()
        gradients = torch.autograd.grad(loss, [*leaves, *layer.parameters()])
        found.append([output, h_n, *gradients])
    for want, got in zip(*found, strict=True):
        assert_close(got, want)


def test_without_hx_the_first_state_is_zero():
    theirs, ours = pair()
    x = torch.randn(2, 4, INPUT, dtype=torch.float64)
    assert_close(ours(x)[0], theirs(x)[0])


def test_loss_on_h_n_alone():
    theirs, ours = pair()
    x = torch.randn(2, 90, INPUT, dtype=torch.float64)
    for layer in (theirs, ours):
        layer(x)[1].square().sum().backward()
    for want, got in zip(theirs.parameters(), ours.parameters(), strict=True):
        assert_close(got.grad, want.grad)


def test_the_last_step_of_the_output_is_h_n():
    _, ours = pair()
    output, h_n = ours(torch.randn(2, 4, INPUT, dtype=torch.float64))
    assert torch.equal(output[:, -1], h_n[0])


def test_same_first_draws_as_torch():
    torch.manual_seed(3)
    theirs = torch.nn.RNN(INPUT, HIDDEN)
    torch.manual_seed(3)
    ours = RNN(INPUT, HIDDEN)
    assert [name for name, _ in ours.named_parameters()] == [
        name for name, _ in theirs.named_parameters()
    ]
    for want, got in zip(theirs.parameters(), ours.parameters(), strict=True):
        assert torch.equal(got, want)


def test_state_dict_loads_both_ways():
    theirs, ours = torch.nn.RNN(INPUT, HIDDEN, batch_first=True), RNN(INPUT, HIDDEN)
    theirs.load_state_dict(ours.state_dict())
    x = torch.randn(2, 4, INPUT)
    assert_close(ours(x)[0], theirs(x)[0])
    other = torch.nn.RNN(INPUT, HIDDEN, batch_first=True)
    ours.load_state_dict(other.state_dict())
    assert_close(ours(x)[0], other(x)[0])


def test_representation():
    assert repr(RNN(3, 5)) == repr(torch.nn.RNN(3, 5, batch_first=True))
    assert repr(RNN(3, 5, batch_first=False)) == repr(torch.nn.RNN(3, 5))
    assert repr(RNN(3, 5, nonlinearity="relu")) == "RNN(3, 5, batch_first=True, nonlinearity=relu)"


def test_deepcopy_and_save():
    layer = RNN(INPUT, HIDDEN, nonlinearity="relu")
    x = torch.randn(2, 4, INPUT)
    file = io.BytesIO()
    torch.save(layer, file)
    file.seek(0)
    for twin in (copy.deepcopy(layer), torch.load(file, weights_only=False)):
        assert torch.equal(twin(x)[0], layer(x)[0])


# Gradients by other ways


@pytest.mark.parametrize("probe_scale", [0.0, 1.0])
@pytest.mark.parametrize("nonlinearity", ["tanh", "relu", "linear"])
def test_gradcheck(nonlinearity, probe_scale, monkeypatch):
    monkeypatch.setattr(rnn, "chunk_length", lambda batch, hidden: 2)
    _, layer = pair(nonlinearity="tanh", size=2, hidden=3)
    layer.nonlinearity = nonlinearity
    names = [name for name, _ in layer.named_parameters()]
    torch.manual_seed(0)
    x, hx = torch.randn(2, 5, 2), torch.randn(1, 2, 3)
    probe = probe_scale * torch.randn(2, 5, 3)
    leaves = [t.double().requires_grad_() for t in (x, hx, probe)]

    def call(x, hx, probe, *parameters):
        named = dict(zip(names, parameters, strict=True))
        return torch.func.functional_call(layer, named, (x, hx), {"probe": probe})

    assert torch.autograd.gradcheck(call, (*leaves, *layer.parameters()))


def test_probe_gradient_is_the_total_derivative_of_each_state():
    theirs, ours = pair()
    x = torch.randn(2, 70, INPUT, dtype=torch.float64)
    cell = torch.nn.RNNCell(INPUT, HIDDEN, dtype=torch.float64)
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


def test_probe_is_added_to_each_state():
    a = arrays()
    got = rnn.forward(**a)
    h = a["h0"]
    for t, x_t in enumerate(a["inputs"]):
        pre = x_t @ a["weight_ih"].T + a["bias_ih"] + a["bias_hh"] + h @ a["weight_hh"].T
        h = np.tanh(pre) + a["probe"][t]
        np.testing.assert_allclose(got[t + 1], h, rtol=1e-12)


@pytest.mark.parametrize("batched", [True, False])
def test_probe_has_the_shape_of_the_output(batched):
    layer = RNN(INPUT, HIDDEN)
    shape = (2, 4) if batched else (4,)
    probe = torch.zeros(*shape, HIDDEN, requires_grad=True)
    output, _ = layer(torch.randn(*shape, INPUT), probe=probe)
    output.sum().backward()
    assert probe.grad.shape == output.shape


def test_powers_of_one_half_down_to_the_smallest_normal_number():
    got = linear_chain(0.5, 1020, np.float64)[::-1]
    assert np.array_equal(got, 0.5 ** np.arange(1020))
    got = linear_chain(0.5, 127, np.float32)[::-1]
    assert np.array_equal(got, np.float32(0.5) ** np.arange(127))


def test_a_vanished_signal_is_exactly_zero_and_a_later_one_starts_afresh():
    got = linear_chain(0.5, 1000, np.float32, read=(99,))
    assert not got[100:600].any()
    assert np.array_equal(got[:100][::-1], np.float32(0.5) ** np.arange(100))


def test_subnormal_signal_never_lasts_longer_than_a_chunk():
    got = linear_chain(0.99, 20_000, np.float32)
    subnormal = (got != 0) & (np.abs(got) < np.finfo(np.float32).tiny)
    assert subnormal.sum() <= chunk_length(1, 1)
    assert not got[:100].any()


def test_only_the_wanted_gradients_are_computed():
    a = arrays()
    states = rnn.forward(**a)
    given_ = (np.ones_like(states[1:]), a["inputs"], states, a["weight_ih"], a["weight_hh"])
    everything = rnn.backward(*given_, probe=a["probe"])
    for name in Gradients._fields:
        found = rnn.backward(*given_, probe=a["probe"], wanted=(name,))
        np.testing.assert_array_equal(getattr(found, name), getattr(everything, name))
        assert all(getattr(found, other) is None for other in Gradients._fields if other != name)


def test_the_probe_alone_costs_no_other_gradient(monkeypatch):
    seen = []
    real = rnn.backward
    monkeypatch.setattr(rnn, "backward", lambda *a, **k: seen.append(k["wanted"]) or real(*a, **k))
    layer = RNN(INPUT, HIDDEN).requires_grad_(False)
    probe = torch.zeros(2, 4, HIDDEN, requires_grad=True)
    layer(torch.randn(2, 4, INPUT), probe=probe)[0].sum().backward()
    assert seen == [{"states"}]


# Behaviour in PyTorch's graph


def test_two_forwards_before_a_backward_and_two_backwards_of_one():
    theirs, ours = pair()
    x, y = torch.randn(2, 2, 70, INPUT, dtype=torch.float64)
    found = []
    for layer in (theirs, ours):
        first, second = layer(x)[0].sum(), layer(y)[0].square().sum()
        first.backward(retain_graph=True)
        second.backward()
        first.backward()
        found.append([p.grad for p in layer.parameters()])
    for want, got in zip(*found, strict=True):
        assert_close(got, want)


def test_the_graph_is_freed_after_a_backward():
    loss = RNN(INPUT, HIDDEN)(torch.randn(2, 4, INPUT))[0].sum()
    loss.backward()
    with pytest.raises(RuntimeError, match="second time"):
        loss.backward()


def test_the_two_biases_do_not_share_a_gradient():
    layer = RNN(INPUT, HIDDEN)
    layer(torch.randn(2, 4, INPUT))[0].sum().backward()
    want = layer.bias_ih_l0.grad.clone()
    layer.bias_hh_l0.grad.zero_()
    assert torch.equal(layer.bias_ih_l0.grad, want)


def test_no_grad_keeps_no_graph():
    with torch.no_grad():
        output, h_n = RNN(INPUT, HIDDEN)(torch.randn(2, 4, INPUT))
    assert output.grad_fn is None
    assert h_n.grad_fn is None


def test_output_changed_in_place_is_refused_not_used():
    output, _ = RNN(INPUT, HIDDEN)(torch.randn(2, 4, INPUT))
    with pytest.raises(RuntimeError, match="modified inplace"):
        output.mul_(2)
    output, _ = RNN(INPUT, HIDDEN)(torch.randn(2, 4, INPUT))
    output.detach().mul_(2)
    with pytest.raises(RuntimeError, match="modified inplace"):
        output.sum().backward()


def test_weights_changed_in_place_before_the_backward_are_refused():
    layer = RNN(INPUT, HIDDEN)
    loss = layer(torch.randn(2, 4, INPUT))[0].sum()
    with torch.no_grad():
        layer.weight_hh_l0.mul_(2)
    with pytest.raises(RuntimeError, match="inplace operation"):
        loss.backward()


def test_second_derivatives_are_refused():
    x = torch.randn(2, 4, INPUT, requires_grad=True)
    loss = RNN(INPUT, HIDDEN)(x)[0].sum()
    with pytest.raises(RuntimeError, match="first derivatives only"):
        torch.autograd.grad(loss, x, create_graph=True)


def test_threads_do_not_disturb_each_other():
    _, layer = pair()
    batches = torch.randn(8, 4, 100, INPUT, dtype=torch.float64)

    def gradient(x: Tensor) -> Tensor:
        return torch.autograd.grad(layer(x)[0].sum(), layer.weight_hh_l0)[0]

    want = [gradient(x) for x in batches]
    with ThreadPoolExecutor(2) as pool:
        got = list(pool.map(gradient, batches))
    assert all(torch.equal(a, b) for a, b in zip(got, want, strict=True))


# inf, NaN and overflow


@pytest.mark.parametrize("nonlinearity", ["tanh", "relu"])
@pytest.mark.parametrize("value", [float("inf"), float("nan")])
def test_non_finite_inputs_propagate_as_in_torch(nonlinearity, value):
    theirs, ours = pair(torch.float32, nonlinearity=nonlinearity)
    x = torch.randn(2, 300, INPUT)
    x[1, 0, 0] = value
    found = []
    for layer in (theirs, ours):
        output, _ = layer(x)
        output[:, -1].sum().backward()
        found.append([output, *(p.grad for p in layer.parameters())])
    for want, got in zip(*found, strict=True):
        assert torch.equal(got.isfinite(), want.isfinite())
    assert found[0][1].isnan().any()


def test_overflow_is_silent_and_falls_on_the_same_step_as_in_torch():
    theirs, ours = pair(torch.float32, nonlinearity="relu")
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


# Bad input


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"input_size": 0, "hidden_size": 2}, "input_size must be at least 1; got 0"),
        ({"input_size": 2, "hidden_size": -1}, "hidden_size must be at least 1; got -1"),
        ({"input_size": 2.5, "hidden_size": 2}, "input_size must be an integer"),
        ({"input_size": 2, "hidden_size": 2, "nonlinearity": "gelu"}, "nonlinearity must be one"),
    ],
)
def test_bad_layers(arguments, message):
    with pytest.raises(ValueError, match=message):
        RNN(**arguments)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ((torch.zeros(3),), r"input must have shape \(batch, steps, 3\).*got \(3,\)"),
        ((torch.zeros(2, 4, 2),), r"input must have shape .*got \(2, 4, 2\)"),
        ((torch.zeros(2, 0, 3),), "at least one step"),
        ((torch.zeros(2, 4, 3).double(),), "mixed dtypes: input is torch.float64"),
        ((torch.zeros(2, 4, 3).int(),), "input must be float32 or float64; got torch.int32"),
        ((np.zeros((2, 4, 3)),), "input must be a torch.Tensor; got ndarray"),
        ((torch.zeros(2, 4, 3, device="meta"),), "input must be on the CPU; got meta"),
        ((torch.zeros(2, 4, 3), torch.zeros(2, 5)), r"hx must have shape \(1, 2, 5\)"),
        ((torch.zeros(4, 3), torch.zeros(1, 1, 5)), r"hx must have shape \(1, 5\)"),
        ((torch.zeros(2, 4, 3), torch.zeros(1, 2, 5).double()), "hx is torch.float64"),
        ((torch.zeros(2, 4, 3), [0.0]), "hx must be a torch.Tensor; got list"),
    ],
)
def test_bad_calls(call, message):
    with pytest.raises(ValueError, match=message):
        RNN(INPUT, HIDDEN)(*call)


def test_bad_probe():
    with pytest.raises(ValueError, match=r"probe must have shape \(2, 4, 5\); got \(2, 3, 5\)"):
        RNN(INPUT, HIDDEN)(torch.zeros(2, 4, INPUT), probe=torch.zeros(2, 3, HIDDEN))


@settings(max_examples=40)
@given(
    name=st.sampled_from(["weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"]),
    value=st.sampled_from([float("inf"), float("-inf"), float("nan")]),
    place=st.integers(0, 10_000),
)
def test_a_non_finite_parameter_is_named_with_its_place(name, value, place):
    layer = RNN(INPUT, HIDDEN)
    parameter = layer.get_parameter(name)
    index = np.unravel_index(place % parameter.numel(), parameter.shape)
    with torch.no_grad():
        parameter[index] = value
    where = f"({', '.join(str(int(i)) for i in index)}{',' if len(index) == 1 else ''})"
    with pytest.raises(ValueError, match=name.removesuffix("_l0")) as error:
        layer(torch.zeros(2, 4, INPUT))
    assert f"entry {where} is {value}" in str(error.value)


ROLES = ["inputs", "weight_ih", "weight_hh", "bias_ih", "bias_hh", "h0", "probe"]


@settings(max_examples=60)
@given(name=st.sampled_from(ROLES), axis=st.integers(0, 2), extra=st.integers(1, 3))
def test_forward_refuses_a_wrong_shape(name, axis, extra):
    a = arrays()
    axis %= a[name].ndim
    width = [(0, extra if i == axis else 0) for i in range(a[name].ndim)]
    a[name] = np.pad(a[name], width)
    if (name, axis) in {("inputs", 0), ("inputs", 1)}:
        a["probe"] = a["h0"] = None
        assert rnn.forward(**a).shape[:2] == (a["inputs"].shape[0] + 1, a["inputs"].shape[1])
        return
    with pytest.raises(ValueError, match=r"must have shape"):
        rnn.forward(**a)


@settings(max_examples=20)
@given(name=st.sampled_from(ROLES[1:]))
def test_forward_refuses_mixed_dtypes(name):
    a = arrays()
    a[name] = a[name].astype(np.float32)
    with pytest.raises(ValueError, match="mixed dtypes"):
        rnn.forward(**a)


@pytest.mark.parametrize("name", ["grad_states", "inputs", "states", "grad_last", "probe"])
def test_backward_refuses_a_wrong_shape_or_dtype(name):
    a = arrays()
    states = rnn.forward(**a)
    given_ = {key: a[key] for key in ("inputs", "weight_ih", "weight_hh", "probe")}
    given_ |= {"states": states, "grad_states": states[1:], "grad_last": states[-1]}
    with pytest.raises(ValueError, match="must have shape"):
        rnn.backward(**given_ | {name: given_[name][..., :-1]})
    with pytest.raises(ValueError, match="mixed dtypes"):
        rnn.backward(**given_ | {name: given_[name].astype(np.float32)})
    with pytest.raises(ValueError, match="wanted must be one of"):
        rnn.backward(**given_, wanted=("bias",))


def test_unknown_nonlinearity():
    a = arrays()
    with pytest.raises(ValueError, match="nonlinearity must be one of 'tanh', 'relu', 'linear'"):
        rnn.forward(**a, nonlinearity="sigmoid")


def test_a_step_of_one_sentence_is_torchs_cell_and_the_layers_own():
    theirs, _ = pair()
    weights = {name: value.detach().numpy() for name, value in theirs.named_parameters()}
    W, U = weights["weight_hh_l0"], weights["weight_ih_l0"]
    b = weights["bias_ih_l0"] + weights["bias_hh_l0"]
    x = np.random.default_rng(0).standard_normal((4, INPUT))
    h = np.zeros(HIDDEN)
    for x_t, wanted in zip(x, theirs(torch.from_numpy(x))[0].detach().numpy(), strict=True):
        h = rnn.rnn_step(x_t, h, W, U, b)
        np.testing.assert_allclose(h, wanted, atol=1e-12)
