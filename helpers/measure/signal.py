"""Which words the gradient reaches, and which steps a weight's gradient comes from.

`signal` takes any recurrent classifier that keeps this protocol:
- model(tokens, probe=None) gives logits (n, 2), was before were, of tokens (n, steps);
- probe (n, steps, model.state_size) is added to each state h_t, so that the gradient at
  a probe of zeros is the total derivative with respect to h_t, by way of all later steps.

With a_t = W h_{t-1} + U x_t + b and delta_t = dL/da_t = dL/dh_t * phi'(a_t), the chain rule adds
one term to a weight's gradient for each step,
    dL/dW = sum_t delta_t h_{t-1}^T,        dL/dU = sum_t delta_t x_t^T,
and of the two factors only delta_t knows how far away the loss is.

Source: Pascanu, Mikolov & Bengio 2013, section 2, equations 3 to 5.
"""

from __future__ import annotations

import copy
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functional_call

from helpers.measure.jacobians import slopes
from helpers.networks import Classifier
from helpers.task import flip
from helpers.validation import Array

STEPS_AT_ONCE = 32  # of `log_signal`


def signal(model: nn.Module, tokens: Tensor) -> Array:
    """Return how much of the verb's signal reaches each word.

    That is the norm of d(logit_was - logit_were)/dh_t.

    model: keeps the protocol above. tokens: (n, steps), word numbers.
    Returns (n, steps) float64, one row for each sentence, with no mean over the batch.
    One forward and one backward pass in the model's dtype, which ask for no gradient but
    the probe's. A signal below the dtype's range is 0 (about 1e-38 in float32, 1e-308 in
    float64: model.double() reaches farther), above it inf or NaN.
    Raises ValueError if the tokens are no such tensor, or the model breaks the protocol.
    Source: Pascanu, Mikolov & Bengio 2013, section 2, for dL/dh_t as a product of
    Jacobians; the margin takes the place of L so that the measure does not shrink with it.
    """
    _check_tokens(tokens)
    if not hasattr(model, "state_size"):
        raise ValueError(f"{type(model).__name__} has no state_size: give it the size of a state")
    parameters = {name: each.detach() for name, each in model.named_parameters()}
    dtype = next((each.dtype for each in parameters.values()), torch.float32)
    shape = (*tokens.shape, cast(int, model.state_size))
    probe = torch.zeros(shape, dtype=dtype, requires_grad=True)
    with torch.enable_grad():
        logits = functional_call(model, parameters, (tokens,), {"probe": probe})
        if logits.shape != (len(tokens), 2):
            raise ValueError(
                f"the model must return logits of shape ({len(tokens)}, 2); "
                f"got {tuple(logits.shape)}"
            )
        margin = (logits[:, 0] - logits[:, 1]).sum()
        gradient = None
        if margin.requires_grad:
            (gradient,) = torch.autograd.grad(margin, probe, allow_unused=True)
    if gradient is None:
        raise ValueError(
            f"{type(model).__name__} does not use its probe: add probe[:, t] to the state h_t"
        )
    if dtype == torch.float32:  # whose squares float64 holds
        return torch.linalg.vector_norm(gradient, dim=-1, dtype=torch.float64).numpy()
    return np.hypot.reduce(gradient.double().numpy(), axis=-1)  # no square under- or overflows


def log_signal(model: Classifier, tokens: Tensor) -> Array:
    """Return log10 of `signal`, however small or large it is; -inf where it is exactly 0.

    Over hundreds of words a signal can fall to 10^-680, which float64 rounds to 0. So the way
    back is taken a few steps at a time, and the length divided out.
    model: a Classifier whose layer's state is its output: RNN or GRU, not LSTM.
    tokens: (n, steps). Returns (n, steps), from a copy of the model in float64.
    """
    model = copy.deepcopy(model).double()
    with torch.no_grad():
        x = model.embedding(tokens)
        states, _ = model.layer(x)
        was, were = model.readout.weight
    logs = np.empty(tokens.shape)
    gradient, scale = _unit(torch.broadcast_to(was - were, states[:, -1].shape).detach())
    for stop in range(tokens.shape[1], 0, -STEPS_AT_ONCE):
        start = max(0, stop - STEPS_AT_ONCE)
        before = states[:, start - 1] if start else torch.zeros_like(states[:, 0])
        before = before[None].requires_grad_()
        probe = torch.zeros_like(states[:, start:stop]).requires_grad_()
        output, _ = model.layer(x[:, start:stop], before, probe=probe)
        reached = (output[:, -1] * gradient).sum()
        to_before, to_probe = torch.autograd.grad(reached, [before, probe])
        with np.errstate(divide="ignore"):
            logs[:, start:stop] = scale[:, None] + np.log10(to_probe.norm(dim=2).numpy())
        gradient, further = _unit(to_before[0])
        scale = scale + further
    return logs


def forward_signal(model: Classifier, tokens: Tensor, word: int) -> Array:
    """Return `signal` at one word by forward mode, without a backward pass.

    The derivative is carried along with the states, dh_t/dh_k = J_t dh_{t-1}/dh_k from the
    identity at t = k. It is the very number that back-propagation finds: a signal that
    vanishes is a property of the derivative, not of the way it is computed.
    model: a Classifier with an RNN. tokens: (n, steps); word: its index k, from 0.
    Returns (n,), in float64.
    Source: Williams & Zipser 1989, "A learning algorithm for continually running fully
    recurrent neural networks".
    """
    model = copy.deepcopy(model).double()
    with torch.no_grad():
        states = model.states(tokens).numpy()
        weight = model.layer.weight_hh_l0.numpy()
        was, were = model.readout.weight.numpy()
    slope = slopes(states, model.layer.nonlinearity)
    derivative = np.broadcast_to(np.eye(len(weight)), (len(tokens), *weight.shape))
    for t in range(word + 1, tokens.shape[1]):
        derivative = slope[:, t, :, None] * (weight @ derivative)
    return np.linalg.norm((was - were) @ derivative, axis=1)


def bptt_step(
    h_t: Array, h_before: Array, x_t: Array, W: Array, dL_dh: Array
) -> tuple[Array, Array, Array]:
    """Take one step of back-propagation through time, for one sentence.

    h_t, h_before: h_t and h_{t-1} (hidden,). x_t: (input,). W: (hidden, hidden).
    dL_dh: dL/dh_t (hidden,).
    Returns dL/dh_{t-1} (hidden,) as far as it comes by way of h_t, and this step's terms
    of dL/dW (hidden, hidden) and dL/dU (hidden, input).
    Source: Werbos 1990, "Backpropagation through time: what it does and how to do it".
    """
    delta = (1 - h_t**2) * dL_dh
    return W.T @ delta, np.outer(delta, h_before), np.outer(delta, x_t)


def term_norms(model: Classifier, tokens: Tensor, labels: Tensor, factor: float = 1.0) -> Array:
    """Return the norm of each step's term of d(factor * loss)/dW, W being weight_hh.

    model: with a tanh RNN. tokens (n, steps), labels (n,); loss: the mean cross-entropy.
    Returns (steps,) float64; the terms themselves add up to the gradient.
    """
    h = model.states(tokens).detach()
    probe = torch.zeros_like(h, requires_grad=True)
    loss = factor * nn.functional.cross_entropy(model(tokens, probe), labels)
    delta = (1 - h**2) * torch.autograd.grad(loss, probe)[0]
    before = nn.functional.pad(h, (0, 0, 1, 0))[:, :-1]
    terms = torch.einsum("nti,ntj->tij", delta.double(), before.double()).numpy()
    return np.hypot.reduce(terms.reshape(len(terms), -1), axis=1)


def agreement(model: Classifier, tokens: Tensor, subject: int) -> float:
    """Return how far two halves of the sentences agree on what the subject's number changes.

    Of each sentence there are two versions that differ in nothing but the subject's number. The
    difference of their gradients, was minus were, is what a step of training can learn of it.
    The other words turn it, each sentence in a direction of its own.

    model: a classifier of the course. tokens: (n, steps), n even; subject: its position in all
    of them, -gap - 1. A cosine: near 1 the sentences say the same to the recurrent layer's
    parameters, near 0 each says something else. It grows with n unless it is 0.
    """
    model = copy.deepcopy(model).double()
    other, plural = flip(tokens, subject)
    sign = 1 - 2 * torch.tensor(plural).double()
    given, changed = (logits[:, 0] - logits[:, 1] for logits in (model(tokens), model(other)))
    parameters = list(model.layer.parameters())
    halves = (sign * (given - changed)).chunk(2)
    gradients = [torch.autograd.grad(h.mean(), parameters, retain_graph=True) for h in halves]
    one, two = (torch.cat([part.flatten() for part in parts]) for parts in gradients)
    return nn.functional.cosine_similarity(one, two, dim=0, eps=1e-12).item()


def _check_tokens(tokens: Tensor) -> None:
    if not isinstance(tokens, Tensor):
        raise ValueError(f"tokens must be a torch tensor; got {type(tokens).__name__}")
    if tokens.ndim != 2 or tokens.numel() == 0:
        raise ValueError(f"tokens must have shape (n, steps), not empty; got {tuple(tokens.shape)}")
    if tokens.dtype not in (torch.int64, torch.int32):
        raise ValueError(f"tokens must be integers (torch.long); got {tokens.dtype}")


def _unit(gradient: Tensor) -> tuple[Tensor, Array]:
    """Rows (n, hidden) of length 1, and log10 of their lengths (n,); a row of 0 stays 0."""
    length = gradient.norm(dim=1)
    with np.errstate(divide="ignore"):
        logs = np.log10(length.numpy())
    return gradient / torch.where(length > 0, length, 1)[:, None], logs
