"""The GRU by hand against torch.nn.GRU, finite differences, closed forms, other conventions."""

from __future__ import annotations

import copy
import io
import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from helpers.measure.gates import gate_values, jacobian_terms
from helpers.networks import gru
from helpers.networks.conventions import (
    Gate,
    TorchWeights,
    Weights,
    cho_step,
    logistic,
    ng_simplified_to_torch,
    ng_step,
    reset_counterexample,
    swap_ng_and_cho,
    torch_step,
)
from helpers.networks.gru import GRU, bias_for_span, set_update_bias
from helpers.networks.layer import Gradients, chunk_length

TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-11}
INPUT, HIDDEN = 3, 5


def pair(dtype=torch.float64, *, batch_first=True, size=INPUT, hidden=HIDDEN):
    """torch.nn.GRU and ours with the same parameters."""
    torch.manual_seed(0)
    theirs = nn.GRU(size, hidden, batch_first=batch_first, dtype=dtype)
    ours = GRU(size, hidden, batch_first=batch_first, dtype=dtype)
    ours.load_state_dict(theirs.state_dict())
    return theirs, ours


def assert_close(got: Tensor, want: Tensor) -> None:
    """Equal relative to the largest entry, to the tolerance of the dtype."""
    assert got.shape == want.shape
    assert got.dtype == want.dtype
    assert (got - want).abs().max() <= TOLERANCE[want.dtype] * want.abs().max()


def arrays(seed=0, *, steps=7, batch=2, size=INPUT, hidden=HIDDEN) -> dict[str, np.ndarray]:
    """Arguments of gru.forward."""
    draw = np.random.default_rng(seed).standard_normal
    return {
        "inputs": draw((steps, batch, size)),
        "weight_ih": draw((3 * hidden, size)),
        "weight_hh": draw((3 * hidden, hidden)),
        "bias_ih": draw(3 * hidden),
        "bias_hh": draw(3 * hidden),
        "h0": draw((batch, hidden)),
        "probe": draw((steps, batch, hidden)),
    }


def decaying_chain(steps: int, read: tuple[int, ...] = (), *, keep: float = 0.5) -> np.ndarray:
    """dL/dh_t (steps,), float32, of h_t = keep h_{t-1}, where L sums h_T and the steps read."""
    weight = np.zeros((3, 1), np.float32)
    bias = np.array([0, math.log(keep / (1 - keep)), 0], np.float32)
    inputs = np.zeros((steps, 1, 1), np.float32)
    states, gates = gru.forward(inputs, weight, weight, bias, 0 * bias)
    grad_states = np.zeros_like(inputs)
    grad_states[[*read, -1]] = 1
    return gru.backward(grad_states, inputs, states, gates, weight, weight).states[:, 0, 0]


# Equality with torch.nn.GRU


@pytest.mark.parametrize("batch_first", [True, False])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(
    "shape", [(4, 150, INPUT), (150, INPUT), (1, 1, INPUT), (70, 2, INPUT)], ids=str
)
def test_outputs_and_gradients_equal_torch(shape, dtype, batch_first):
    theirs, ours = pair(dtype, batch_first=batch_first)
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


@pytest.mark.parametrize("loss", ["last", "all", "h_n"])
@pytest.mark.parametrize("batch", [8, 32])
def test_the_benchmarked_passes_equal_torch(batch, loss):
    theirs, ours = pair(torch.float32, size=32, hidden=32)
    x = torch.randn(batch, 130, 32)
    found = []
    for layer in (theirs, ours):
        output, h_n = layer(x)
        {"last": output[:, -1], "all": output, "h_n": h_n}[loss].square().sum().backward()
        found.append([output, h_n, *(p.grad for p in layer.parameters())])
    for want, got in zip(*found, strict=True):
        assert_close(got, want)


def test_without_hx_the_first_state_is_zero():
    theirs, ours = pair()
    x = torch.randn(2, 4, INPUT, dtype=torch.float64)
    assert_close(ours(x)[0], theirs(x)[0])


def test_the_last_step_of_the_output_is_h_n_and_h_n_is_contiguous():
    _, ours = pair()
    output, h_n = ours(torch.randn(2, 4, INPUT, dtype=torch.float64))
    assert torch.equal(output[:, -1], h_n[0])
    assert h_n.is_contiguous()


def test_same_first_draws_as_torch():
    torch.manual_seed(3)
    theirs = nn.GRU(INPUT, HIDDEN)
    torch.manual_seed(3)
    ours = GRU(INPUT, HIDDEN)
    assert [name for name, _ in ours.named_parameters()] == [
        name for name, _ in theirs.named_parameters()
    ]
    for want, got in zip(theirs.parameters(), ours.parameters(), strict=True):
        assert torch.equal(got, want)


def test_state_dict_loads_both_ways():
    theirs, ours = nn.GRU(INPUT, HIDDEN, batch_first=True), GRU(INPUT, HIDDEN)
    theirs.load_state_dict(ours.state_dict())
    x = torch.randn(2, 4, INPUT)
    assert_close(ours(x)[0], theirs(x)[0])
    other = nn.GRU(INPUT, HIDDEN, batch_first=True)
    ours.load_state_dict(other.state_dict())
    assert_close(ours(x)[0], other(x)[0])


def test_representation():
    assert repr(GRU(3, 5)) == repr(nn.GRU(3, 5, batch_first=True))
    assert repr(GRU(3, 5, batch_first=False)) == repr(nn.GRU(3, 5))


def test_deepcopy_and_save():
    layer = GRU(INPUT, HIDDEN)
    x = torch.randn(2, 4, INPUT)
    file = io.BytesIO()
    torch.save(layer, file)
    file.seek(0)
    for twin in (copy.deepcopy(layer), torch.load(file, weights_only=False)):
        assert torch.equal(twin(x)[0], layer(x)[0])


# Gradients by other ways


@pytest.mark.parametrize("probe_scale", [0.0, 1.0])
def test_gradcheck(probe_scale, monkeypatch):
    monkeypatch.setattr(gru, "chunk_length", lambda batch, hidden: 2)
    _, layer = pair(size=2, hidden=3)
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
    cell = nn.GRUCell(INPUT, HIDDEN, dtype=torch.float64)
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


@pytest.mark.parametrize("span", [2, 3, 10, 100, 1000])
def test_bias_for_span_leaves_one_part_in_span_to_write(span):
    assert logistic(bias_for_span(span)) == pytest.approx(1 - 1 / span, abs=1e-14)


def test_bias_for_span_refuses_a_span_below_two():
    with pytest.raises(ValueError, match="span must be 2 or more; got 1"):
        bias_for_span(1)


def test_forward_is_the_plain_step_and_the_probe_added_to_each_state():
    a = arrays()
    got, _ = gru.forward(**a)
    weights = TorchWeights(*(a[name] for name in TorchWeights._fields))
    h = a["h0"]
    for t, x_t in enumerate(a["inputs"]):
        h = np.array([torch_step(x, row, weights) for x, row in zip(x_t, h, strict=True)])
        h += a["probe"][t]
        np.testing.assert_allclose(got[t + 1], h, rtol=1e-12)


def test_powers_of_one_half_down_to_the_smallest_normal_number():
    assert np.array_equal(decaying_chain(127)[::-1], np.float32(0.5) ** np.arange(127))


def test_a_vanished_signal_is_exactly_zero_and_a_later_one_starts_afresh():
    got = decaying_chain(1000, read=(99,))
    assert not got[100:600].any()
    assert np.array_equal(got[:100][::-1], np.float32(0.5) ** np.arange(100))


def test_subnormal_signal_never_lasts_longer_than_a_chunk():
    got = decaying_chain(20_000, keep=0.99)
    subnormal = (got != 0) & (np.abs(got) < np.finfo(np.float32).tiny)
    assert subnormal.sum() <= chunk_length(1, 3)
    assert not got[:100].any()


def test_only_the_wanted_gradients_are_computed():
    a = arrays()
    states, gates = gru.forward(**a)
    given_ = (np.ones_like(states[1:]), a["inputs"], states, gates, a["weight_ih"], a["weight_hh"])
    everything = gru.backward(*given_)
    for name in Gradients._fields:
        found = gru.backward(*given_, wanted=(name,))
        np.testing.assert_array_equal(getattr(found, name), getattr(everything, name))
        assert all(getattr(found, other) is None for other in Gradients._fields if other != name)


def test_the_probe_alone_costs_no_other_gradient(monkeypatch):
    seen = []
    real = gru.backward
    monkeypatch.setattr(gru, "backward", lambda *a, **k: seen.append(k["wanted"]) or real(*a, **k))
    monkeypatch.setattr(gru, "_columns", lambda sequence: pytest.fail("a weight's product"))
    layer = GRU(INPUT, HIDDEN).requires_grad_(False)
    probe = torch.zeros(2, 4, HIDDEN, requires_grad=True)
    layer(torch.randn(2, 4, INPUT), probe=probe)[0].sum().backward()
    assert seen == [{"states"}]


@pytest.mark.parametrize("batch_first", [True, False])
def test_gate_values_rebuild_the_states(batch_first):
    _, layer = pair(batch_first=batch_first)
    x, hx = torch.randn(4, 4, INPUT).double(), torch.randn(1, 4, HIDDEN).double()
    output, _ = layer(x, hx)
    r, z, n = gate_values(layer, x, hx)
    time = 1 if batch_first else 0
    before = torch.cat([hx.transpose(0, time), output.narrow(time, 0, 3)], dim=time)
    assert not z.requires_grad
    assert_close((1 - z) * n + z * before, output)
    w_ih, w_hh, b_ih, b_hh = layer.parameters()
    want = torch.sigmoid((x @ w_ih.T + b_ih + before @ w_hh.T + b_hh)[..., : 2 * HIDDEN])
    assert_close(torch.cat([r, z], dim=-1), want)


def test_gate_values_of_a_single_sentence():
    _, layer = pair()
    x = torch.randn(4, INPUT).double()
    for single, batched in zip(gate_values(layer, x), gate_values(layer, x[None]), strict=True):
        assert single.shape == (4, HIDDEN)
        assert torch.equal(single, batched[0])


# The four terms of the Jacobian


@pytest.mark.parametrize("scale", [1, 8])
def test_the_four_terms_add_up_to_autograds_jacobian(scale):
    theirs, _ = pair()
    with torch.no_grad():
        theirs.weight_hh_l0.mul_(scale)
    x, h0 = torch.randn(30, INPUT).double(), torch.randn(HIDDEN).double()
    weights = [p.detach().numpy() for p in theirs.parameters()]
    terms = jacobian_terms(x.numpy(), *weights, h0.numpy())
    h, want = h0, []
    for x_t in x:

        def step(state, x_t=x_t):
            return theirs(x_t[None], state[None])[1][0]

        want.append(torch.autograd.functional.jacobian(step, h).numpy())
        h = step(h).detach()
    np.testing.assert_allclose(sum(terms), want, rtol=0, atol=1e-10)


def test_each_term_is_its_own_way():
    """Holding the other ways fixed, autograd gives each term alone."""
    theirs, _ = pair()
    w_ih, w_hh, b_ih, b_hh = (p.detach() for p in theirs.parameters())
    x, h = torch.randn(INPUT).double(), torch.randn(HIDDEN).double()

    def step(by_keep, by_z, by_n, by_r):
        a = w_ih @ x + b_ih
        u_r, u_z, u_n = w_hh.split(HIDDEN)
        c_r, c_z, c_n = b_hh.split(HIDDEN)
        a_r, a_z, a_n = a.split(HIDDEN)
        r = torch.sigmoid(a_r + u_r @ by_r + c_r)
        z = torch.sigmoid(a_z + u_z @ by_z + c_z)
        n = torch.tanh(a_n + r * (u_n @ by_n + c_n))
        return (1 - z) * n + z * by_keep

    want = torch.autograd.functional.jacobian(step, (h, h, h, h))
    weights = (each.numpy() for each in (w_ih, w_hh, b_ih, b_hh))
    terms = jacobian_terms(x[None].numpy(), *weights, h.numpy())
    for name, got, ours in zip(terms._fields, terms, want, strict=True):
        np.testing.assert_allclose(got[0], ours.numpy(), rtol=0, atol=1e-12, err_msg=name)


# The update gate's bias


@pytest.mark.parametrize("kind", [GRU, nn.GRU])
@pytest.mark.parametrize("span", [10, 300])
def test_the_bias_sets_the_span_once(kind, span):
    layer = kind(INPUT, HIDDEN)
    before = [p.detach().clone() for p in layer.parameters()]
    set_update_bias(layer, math.log(span - 1))
    rows = slice(HIDDEN, 2 * HIDDEN)
    z = torch.sigmoid((layer.bias_ih_l0 + layer.bias_hh_l0)[rows])
    assert torch.allclose(z, torch.tensor(1 - 1 / span), rtol=0, atol=1e-6)
    assert layer.bias_ih_l0.requires_grad
    for old, new in zip(before[2:], [layer.bias_ih_l0, layer.bias_hh_l0], strict=True):
        old[rows] = new.detach()[rows]
        assert torch.equal(old, new)
    assert torch.equal(before[1], layer.weight_hh_l0)


def test_in_both_biases_the_span_is_squared():
    layer = GRU(1, 1, dtype=torch.float64)
    set_update_bias(layer, math.log(99))
    with torch.no_grad():
        layer.bias_ih_l0[1:2] = layer.bias_hh_l0[1:2]
    z = torch.sigmoid((layer.bias_ih_l0 + layer.bias_hh_l0)[1])
    assert 1 / (1 - z.item()) == pytest.approx(99**2 + 1)


def test_a_bias_for_each_unit():
    layer = GRU(INPUT, HIDDEN)
    set_update_bias(layer, torch.arange(5.0))
    assert torch.equal(layer.bias_hh_l0[HIDDEN : 2 * HIDDEN], torch.arange(5.0))


@pytest.mark.parametrize(
    ("layer", "bias", "message"),
    [
        (nn.RNN(2, 3), 1.0, "layer must be a GRU; got RNN"),
        (nn.GRU(2, 3, num_layers=2), 1.0, "layer must have one layer"),
        (nn.GRU(2, 3, bias=False), 1.0, "one direction and biases"),
        (GRU(2, 3), math.inf, "bias must be finite; got inf"),
        (GRU(2, 3), torch.zeros(2), r"shape \(3,\); got \(2,\)"),
        (GRU(2, 3), "open", "bias must be a number or a tensor of them; got 'open'"),
    ],
)
def test_bad_biases(layer, bias, message):
    with pytest.raises(ValueError, match=message):
        set_update_bias(layer, bias)


# Conventions


def random_weights(seed: int, *, reset: bool) -> tuple[np.ndarray, np.ndarray, Weights]:
    """An input, a state and weights in Ng's or Cho's convention."""
    draw = np.random.default_rng(seed).standard_normal

    def gate() -> Gate:
        return Gate(draw((HIDDEN, INPUT)), draw((HIDDEN, HIDDEN)), draw(HIDDEN))

    return draw(INPUT), np.tanh(draw(HIDDEN)), Weights(gate(), gate(), gate() if reset else None)


@pytest.mark.parametrize("reset", [True, False])
@pytest.mark.parametrize("seed", range(5))
def test_ng_and_cho_by_negating_the_update_gate(seed, reset):
    x, h, weights = random_weights(seed, reset=reset)
    np.testing.assert_allclose(
        cho_step(x, h, swap_ng_and_cho(weights)), ng_step(x, h, weights), rtol=0, atol=1e-14
    )
    assert np.abs(cho_step(x, h, weights) - ng_step(x, h, weights)).max() > 0.01


@pytest.mark.parametrize("seed", range(5))
def test_ngs_simplified_form_in_pytorch(seed):
    x, h, weights = random_weights(seed, reset=False)
    ours = ng_simplified_to_torch(weights)
    np.testing.assert_allclose(torch_step(x, h, ours), ng_step(x, h, weights), rtol=0, atol=1e-14)
    cell = nn.GRUCell(INPUT, HIDDEN, dtype=torch.float64)
    cell.load_state_dict({name: torch.from_numpy(part) for name, part in ours._asdict().items()})
    got = cell(torch.from_numpy(x), torch.from_numpy(h)).detach()
    np.testing.assert_allclose(got, ng_step(x, h, weights), rtol=0, atol=1e-14)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_open_reset_gate_is_exactly_one(dtype):
    assert logistic(dtype(50)) == 1


def test_with_the_same_weights_reset_before_and_after_differ():
    x, h, weights = random_weights(0, reset=True)
    parts = zip(weights.reset, weights.update, weights.candidate, strict=True)
    stacked = [np.concatenate(part) for part in parts]
    after = torch_step(x, h, TorchWeights(*stacked, np.zeros(3 * HIDDEN)))
    assert np.abs(after - cho_step(x, h, weights)).max() > 0.01


def pre_activation(convention: str, x: float, states: np.ndarray, unit: int, weights) -> np.ndarray:
    """The candidate's pre-activation of one unit for each row of states."""
    x = np.array([x])
    if convention == "cho":
        return np.array([weights.candidate(x, logistic(weights.reset(x, h)) * h) for h in states])[
            :, unit
        ]
    reset = np.split(weights.weight_ih, 3)[0] @ x + np.split(weights.bias_ih, 3)[0]
    r = logistic(reset + states @ np.split(weights.weight_hh, 3)[0].T)
    s = states @ np.split(weights.weight_hh, 3)[2].T + np.split(weights.bias_hh, 3)[2]
    return (np.split(weights.weight_ih, 3)[2] @ x + r * s)[:, unit]


@pytest.mark.parametrize("seed", range(5))
def test_no_weights_reset_after_the_product_equal_the_counterexample(seed):
    """Where PyTorch's form cannot move with the state, at any input, Cho's always does."""
    draw = np.random.default_rng(seed).standard_normal
    weights = TorchWeights(draw((6, 1)), draw((6, 2)), draw(6), draw(6))
    u, c = weights.weight_hh[4], weights.bias_hh[4]
    along = np.linspace(-0.5, 0.5, 5)[:, None] * np.array([-u[1], u[0]]) / np.hypot(*u)
    line = -c * u / (u @ u) + along
    for x in (1.0, -1.0):
        assert np.ptp(pre_activation("torch", x, line, 0, weights)) < 1e-12
    # ours moves along a line of any direction, at one of the two inputs at least
    cho = reset_counterexample()
    for angle in np.linspace(0, np.pi, 181):
        line = np.linspace(-0.5, 0.5, 5)[:, None] * np.array([np.cos(angle), np.sin(angle)])
        moved = [np.ptp(pre_activation("cho", x, line, 0, cho)) for x in (1.0, -1.0)]
        assert max(moved) > 0.5


def test_a_reset_gate_is_refused_in_the_conversion():
    _, _, weights = random_weights(0, reset=True)
    with pytest.raises(ValueError, match=r"weights\.reset must be None"):
        ng_simplified_to_torch(weights)


@pytest.mark.parametrize("part", ["x", "h", "b"])
@pytest.mark.parametrize("name", ["update", "candidate"])
def test_bad_weights_in_the_conversion(name, part):
    _, _, weights = random_weights(0, reset=False)
    gate = getattr(weights, name)
    for wrong in (np.full_like(getattr(gate, part), np.nan), np.zeros((2, 7, 2))):
        with pytest.raises(ValueError, match=rf"weights\.(update|candidate)\.{part} must"):
            ng_simplified_to_torch(weights._replace(**{name: gate._replace(**{part: wrong})}))


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


def test_output_changed_in_place_is_refused_not_used():
    output, _ = GRU(INPUT, HIDDEN)(torch.randn(2, 4, INPUT))
    output.detach().mul_(2)
    with pytest.raises(RuntimeError, match="modified inplace"):
        output.sum().backward()


def test_second_derivatives_are_refused():
    x = torch.randn(2, 4, INPUT, requires_grad=True)
    loss = GRU(INPUT, HIDDEN)(x)[0].sum()
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


# inf and NaN


@pytest.mark.parametrize("value", [float("inf"), float("nan")])
def test_non_finite_inputs_propagate_as_in_torch(value):
    theirs, ours = pair(torch.float32)
    x = torch.randn(2, 300, INPUT)
    x[1, 0, 0] = value
    found = []
    for layer in (theirs, ours):
        output, _ = layer(x)
        output[:, -1].sum().backward()
        found.append([output, *(p.grad for p in layer.parameters())])
    for want, got in zip(*found, strict=True):
        assert torch.equal(got.isfinite(), want.isfinite())
    assert not found[0][1].isfinite().all()


# Bad input


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"input_size": 0, "hidden_size": 2}, "input_size must be at least 1; got 0"),
        ({"input_size": 2, "hidden_size": -1}, "hidden_size must be at least 1; got -1"),
        ({"input_size": 2.5, "hidden_size": 2}, "input_size must be an integer"),
    ],
)
def test_bad_layers(arguments, message):
    with pytest.raises(ValueError, match=message):
        GRU(**arguments)


BAD_CALLS = [
    ((torch.zeros(3),), r"input must have shape \(batch, steps, 3\).*got \(3,\)"),
    ((torch.zeros(2, 4, 2),), r"input must have shape .*got \(2, 4, 2\)"),
    ((torch.zeros(2, 0, 3),), "at least one step"),
    ((torch.zeros(2, 4, 3).double(),), "mixed dtypes: input is torch.float64"),
    ((np.zeros((2, 4, 3)),), "input must be a torch.Tensor; got ndarray"),
    ((torch.zeros(2, 4, 3), torch.zeros(2, 5)), r"hx must have shape \(1, 2, 5\)"),
    ((torch.zeros(2, 4, 3), torch.zeros(1, 2, 5).double()), "hx is torch.float64"),
]


@pytest.mark.parametrize(("call", "message"), BAD_CALLS)
def test_bad_calls(call, message):
    layer = GRU(INPUT, HIDDEN)
    with pytest.raises(ValueError, match=message):
        layer(*call)
    with pytest.raises(ValueError, match=message):
        gate_values(layer, *call)


def test_bad_probe():
    with pytest.raises(ValueError, match=r"probe must have shape \(2, 4, 5\); got \(2, 3, 5\)"):
        GRU(INPUT, HIDDEN)(torch.zeros(2, 4, INPUT), probe=torch.zeros(2, 3, HIDDEN))


@settings(max_examples=40, deadline=None)
@given(
    name=st.sampled_from(["weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"]),
    value=st.sampled_from([float("inf"), float("-inf"), float("nan")]),
    place=st.integers(0, 10_000),
)
def test_a_non_finite_parameter_is_named_with_its_place(name, value, place):
    layer = GRU(INPUT, HIDDEN)
    parameter = layer.get_parameter(name)
    index = np.unravel_index(place % parameter.numel(), parameter.shape)
    with torch.no_grad():
        parameter[index] = value
    where = f"({', '.join(str(int(i)) for i in index)}{',' if len(index) == 1 else ''})"
    with pytest.raises(ValueError, match=name.removesuffix("_l0")) as error:
        layer(torch.zeros(2, 4, INPUT))
    assert f"entry {where} is {value}" in str(error.value)


ROLES = ["inputs", "weight_ih", "weight_hh", "bias_ih", "bias_hh", "h0", "probe"]


@settings(max_examples=60, deadline=None)
@given(name=st.sampled_from(ROLES), axis=st.integers(0, 2), extra=st.integers(1, 3))
def test_forward_refuses_a_wrong_shape(name, axis, extra):
    a = arrays()
    axis %= a[name].ndim
    width = [(0, extra if i == axis else 0) for i in range(a[name].ndim)]
    a[name] = np.pad(a[name], width)
    with pytest.raises(ValueError, match="must have shape"):
        gru.forward(**a)


@settings(max_examples=20, deadline=None)
@given(name=st.sampled_from(ROLES[1:]))
def test_forward_refuses_mixed_dtypes(name):
    a = arrays()
    a[name] = a[name].astype(np.float32)
    with pytest.raises(ValueError, match="mixed dtypes"):
        gru.forward(**a)


@pytest.mark.parametrize("name", ["grad_states", "inputs", "states", "gates", "grad_last"])
def test_backward_refuses_a_wrong_shape_or_dtype(name):
    a = arrays()
    states, gates = gru.forward(**a)
    given_ = {key: a[key] for key in ("inputs", "weight_ih", "weight_hh")}
    given_ |= {"states": states, "gates": gates, "grad_states": states[1:]}
    given_["grad_last"] = states[-1]
    with pytest.raises(ValueError, match="must have shape"):
        gru.backward(**given_ | {name: given_[name][..., :-1]})
    with pytest.raises(ValueError, match="mixed dtypes"):
        gru.backward(**given_ | {name: given_[name].astype(np.float32)})
    with pytest.raises(ValueError, match="wanted must be one of"):
        gru.backward(**given_, wanted=("bias",))


@settings(max_examples=40, deadline=None)
@given(name=st.sampled_from(ROLES[:-1]), value=st.sampled_from(["shape", np.inf, np.nan]))
def test_jacobian_terms_refuse_bad_arrays(name, value):
    a = arrays(batch=1)
    a.pop("probe")
    a["inputs"], a["h0"] = a["inputs"][:, 0], a["h0"][0]
    if value == "shape":
        a[name] = np.concatenate([a[name], a[name]], axis=-1)
        with pytest.raises(ValueError, match="must have shape"):
            jacobian_terms(**a)
    else:
        a[name][..., 0] = value
        with pytest.raises(ValueError, match="finite"):
            jacobian_terms(**a)


def test_pytorchs_other_arguments_are_taken_at_their_one_value():
    ours = GRU(3, 4, 1, bias=True, dropout=0.0, bidirectional=False, device="cpu")
    theirs = nn.GRU(3, 4)
    for name in ("num_layers", "bias", "dropout", "bidirectional"):
        assert getattr(ours, name) == getattr(theirs, name)
    assert ours.flatten_parameters() is None


@pytest.mark.parametrize(
    "asked",
    [
        {"num_layers": 2},
        {"bias": False},
        {"dropout": 0.5},
        {"bidirectional": True},
        {"device": "meta"},
        {"dtype": torch.float16},
    ],
)
def test_what_is_not_here_is_refused_by_name(asked):
    (name,) = asked
    with pytest.raises(ValueError, match=f"^{name} must be "):
        GRU(3, 4, **asked)
