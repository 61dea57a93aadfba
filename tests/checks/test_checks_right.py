"""Right answers written differently: NumPy, torch, loops, in place; each must pass its check."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from helpers import checks
from helpers.checks.results import RIGHT

FEWEST = 3


def step_in_loops(x, h, W, U, b):
    new = []
    for i in range(len(b)):
        a = float(b[i])
        for j in range(len(h)):
            a += W[i, j] * h[j]
        for j in range(len(x)):
            a += U[i, j] * x[j]
        new.append(math.tanh(a))
    return new


def step_in_place(x, h, W, U, b):
    a = W @ h
    a += U @ x
    a += b
    return np.tanh(a, out=a)


def step_by_module(x, h, W, U, b):
    cell = torch.nn.RNNCell(len(x), len(h))
    given = {"weight_hh": W, "weight_ih": U, "bias_hh": b, "bias_ih": 0 * b}
    cell.load_state_dict({name: torch.as_tensor(each) for name, each in given.items()})
    return cell(torch.as_tensor(x).float()[None], torch.as_tensor(h).float()[None])[0]


def count_in_a_loop(words, subject):
    for count, word in enumerate(words[subject + 1 :]):
        if word in {"was", "were"}:
            return torch.tensor(count)
    return None


def growth_in_float32(step, largest):
    with np.errstate(over="ignore"):
        return np.float32(largest) ** np.float32(1 / (step - 0.5))


def first_inf_in_loops(states):
    for step in range(len(states)):
        for entry in states[step]:
            if entry in (math.inf, -math.inf):
                return step
    return None


def first_inf_in_torch(states):
    found = torch.nonzero(torch.isinf(torch.as_tensor(states)).any(dim=1))
    return found[0] if len(found) else None


def clip_in_place(gradients, c):
    norm = torch.linalg.vector_norm(torch.cat([g.flatten() for g in gradients]))
    if norm > c:
        for g in gradients:
            g *= c / norm
    return gradients


def clip_by_torch(gradients, c):
    weights = [torch.nn.Parameter(torch.zeros_like(g)) for g in gradients]
    for weight, g in zip(weights, gradients, strict=True):
        weight.grad = g.clone()
    torch.nn.utils.clip_grad_norm_(weights, c)
    return (weight.grad for weight in weights)


def clip_in_numpy(gradients, c):
    arrays = [np.asarray(g, dtype=np.float32) for g in gradients]
    factor = min(1, c / (np.sqrt(sum(np.sum(a**2) for a in arrays)) + 1e-6))
    return tuple(factor * a for a in arrays)


def loop_by_torch(model, loss, optimizer, c):
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), c)
    optimizer.step()


def loop_by_model(model, loss, optimizer, c):
    model.zero_grad(set_to_none=False)
    loss.backward()
    norm = math.sqrt(sum(float(p.grad.square().sum()) for p in model.parameters()))
    for p in model.parameters():
        p.grad *= min(1, c / norm)
    optimizer.step()
    return norm


def loop_by_hand(model, loss, optimizer, c):
    weights = [model.weight, model.bias]
    for p in weights:
        p.grad = None
    for p, g in zip(weights, torch.autograd.grad(loss, weights), strict=True):
        p.grad = g
    torch.nn.utils.clip_grad_norm_(weights, c)
    optimizer.step()


def loop_that_clears_twice(model, loss, optimizer, c):
    loop_by_torch(model, loss, optimizer, c)
    optimizer.zero_grad()


def loop_with_closure(model, loss, optimizer, c):
    def closure():
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), c)
        return loss

    assert optimizer.step(closure) is loss


def loop_that_looks_at_the_optimizer(model, loss, optimizer, c):
    assert isinstance(optimizer, torch.optim.Optimizer)
    optimizer.load_state_dict(optimizer.state_dict())
    optimizer.param_groups[0]["lr"] = 0.01
    loop_by_torch(model, loss, optimizer, c)


def gru_in_numpy(x, h, W_ih, W_hh, b_ih, b_hh):
    n = len(h)
    a, s = W_ih @ x + b_ih, W_hh @ h + b_hh
    gates = 1 / (1 + np.exp(-(a + s)[: 2 * n]))
    candidate = np.tanh(a[2 * n :] + gates[:n] * s[2 * n :])
    return candidate + gates[n:] * (h - candidate)


def gru_in_torch(x, h, W_ih, W_hh, b_ih, b_hh):
    (i_r, i_z, i_n), (h_r, h_z, h_n) = (W_ih @ x + b_ih).chunk(3), (W_hh @ h + b_hh).chunk(3)
    r, z = torch.sigmoid(i_r + h_r), torch.sigmoid(i_z + h_z)
    return ((1 - z) * torch.tanh(i_n + r * h_n) + z * h).float()


def gru_by_module(x, h, W_ih, W_hh, b_ih, b_hh):
    cell = torch.nn.GRUCell(len(x), len(h)).double()
    given = {"weight_ih": W_ih, "weight_hh": W_hh, "bias_ih": b_ih, "bias_hh": b_hh}
    cell.load_state_dict({name: torch.as_tensor(each) for name, each in given.items()})
    return cell(torch.as_tensor(x)[None], torch.as_tensor(h)[None])[0]


ANSWERS = {
    "rnn_step": [
        lambda x, h, W, U, b: np.tanh(W @ h + U @ x + b),
        lambda x, h, W, U, b: torch.tanh(W @ h + U @ x + b),
        lambda x, h, W, U, b: np.tanh(np.hstack([W, U]) @ np.concatenate([h, x]) + b).tolist(),
        step_in_loops,
        step_in_place,
        step_by_module,
    ],
    "words_between": [
        lambda words, subject: (
            [word in ("was", "were") for word in words].index(True) - subject - 1
        ),
        count_in_a_loop,
        lambda words, subject: float(
            max(words.index(verb) for verb in ("was", "were") if verb in words) - subject - 1
        ),
    ],
    "fool_the_latch": [
        lambda: ("the cat , which saw the dogs ,", "was"),
        lambda: [("the", "old", "cats", "which", "ate", "near", "the", "dog"), "were"],
        lambda: ("near the dogs , which saw the birds , the cat which often ate", "was"),
        lambda: (["the", "Dogs", ",", "which", "liked", "the", "cat"], "WERE"),
        lambda: ("the cat , often outside ,", "was"),
        lambda: ("the cat that the dogs saw", "was"),
        lambda: ("the cat , near the dogs , which ate and then slept ,", "was"),
    ],
    "choose_w": [
        lambda: 1.52,
        lambda: np.array([1.48]),
        lambda: torch.tensor(1.55, requires_grad=True),
        lambda: [1.5],
    ],
    "growing_matrix": [
        lambda: [[0.999, 10], [0, 0.999]],
        lambda: torch.tensor([[0.998, 0.0], [9.9, 0.998]], requires_grad=True),
        lambda: np.array([[-0.9995, 10], [0, -0.9995]], dtype=np.float32),
    ],
    "growth_for": [
        lambda step, largest: largest ** (1 / (step - 0.5)),
        lambda step, largest: math.exp(math.log(largest) / (step - 0.3)),
        lambda step, largest: (
            torch.tensor(10.0, dtype=torch.float64) ** (math.log10(largest) / (step - 0.7))
        ),
        lambda step, largest: np.exp2([np.log2(largest) / (step - 0.5)]),
        lambda step, largest: torch.tensor(largest) ** (1 / (step - 0.5)),
        growth_in_float32,
    ],
    "first_inf": [
        first_inf_in_loops,
        first_inf_in_torch,
        lambda states: next((t for t, row in enumerate(states) if np.isinf(row).any()), None),
    ],
    "clip_by_norm": [clip_in_place, clip_by_torch, clip_in_numpy],
    "train_step": [
        loop_by_torch,
        loop_by_model,
        loop_by_hand,
        loop_that_clears_twice,
        loop_with_closure,
        loop_that_looks_at_the_optimizer,
    ],
    "gru_step": [gru_in_numpy, gru_in_torch, gru_by_module],
    "bias_for_span": [
        lambda T: math.log(T - 1),
        lambda T: torch.logit(torch.tensor(1 - 1 / T, dtype=torch.float64)),
        lambda T: np.log([(1 - 1 / T) / (1 / T)]),
    ],
}
CASES = [(name, answer) for name, answers in ANSWERS.items() for answer in answers]


@pytest.mark.parametrize(
    ("name", "answer"), CASES, ids=[f"{n}-{i}" for i, (n, _) in enumerate(CASES)]
)
def test_a_right_answer_passes_however_it_is_written(name, answer):
    result = getattr(checks, name)(answer)
    exercise = checks.EXERCISES[name]
    assert result.passed, str(result)
    assert result.status == RIGHT
    assert result.points == exercise.points


def test_every_exercise_has_three_right_answers_here_or_in_a_file_for_its_notebook():
    others = "".join(path.read_text() for path in Path(__file__).parent.glob("test_notebook_*.py"))
    assert set(ANSWERS) <= set(checks.EXERCISES)
    for name in checks.EXERCISES:
        assert len(ANSWERS.get(name, ())) >= FEWEST or f"checks.{name}(" in others, name


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda step, largest: largest ** (1 / (step - 0.5)), "Right for all 15 steps and"),
        (growth_in_float32, "the 5 cases whose `largest` is inf there were left out"),
    ],
)
def test_a_growth_is_judged_in_its_own_format(answer, said):
    assert said in str(checks.growth_for(answer))
