"""Which words the gradient reaches, and which steps a weight's gradient comes from.

`signal` takes any recurrent classifier that keeps this protocol:
- model(tokens, probe=None) gives logits (n, 2), was before were, of tokens (n, steps);
- probe (n, steps, model.state_size) is added to each state h_t, so that the gradient at
  a probe of zeros is the total derivative with respect to h_t, by way of all later steps.

The term functions take plain arrays of one backward pass, in the layout of helpers.networks.rnn:
a row for each sentence. With a_t = h_{t-1} W^T + x_t U^T + b (batch, hidden) and
delta_t = dL/da_t = dL/dh_t * phi'(a_t), the chain rule adds one term for each step,
    dL/dW = sum_t delta_t^T h_{t-1},        dL/dU = sum_t delta_t^T x_t,
and of the two factors only delta_t knows how far away the loss is.

Source: Pascanu, Mikolov & Bengio 2013, section 2, equations 3 to 5.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from helpers.validation import Array


def signal(model: nn.Module, tokens: Tensor) -> Array:
    """Return how much of the verb's signal reaches each word.

    That is the norm of d(logit_was - logit_were)/dh_t.

    model: keeps the protocol above. tokens: (n, steps), word numbers.
    Returns (n, steps) float64, one row for each sentence, with no mean over the batch.
    One forward and one backward pass in the model's dtype, which ask for no gradient but
    the probe's: parameters, their .grad and the model's mode stay as they were. A signal
    below the dtype's range is 0 (about 1e-38 in float32, 1e-308 in float64: model.double()
    reaches farther), above it inf or NaN.
    Raises ValueError if the tokens are no such tensor, or the model breaks the protocol.
    Source: Pascanu, Mikolov & Bengio 2013, section 2, for dL/dh_t as a product of
    Jacobians; the margin takes the place of L so that the measure does not shrink with it.
    """
    _check_tokens(tokens)
    if not hasattr(model, "state_size"):
        raise ValueError(f"{type(model).__name__} has no state_size: give it the size of a state")
    dtype = next((each.dtype for each in model.parameters()), torch.float32)
    with _frozen(model), torch.enable_grad():
        shape = (*tokens.shape, cast(int, model.state_size))
        probe = torch.zeros(shape, dtype=dtype, requires_grad=True)
        logits = model(tokens, probe=probe)
        if logits.shape != (len(tokens), 2):
            raise ValueError(
                f"the model must return logits of shape ({len(tokens)}, 2); "
                f"got {tuple(logits.shape)}"
            )
        gradient = None
        if logits.requires_grad:
            margin = logits[:, 0] - logits[:, 1]
            (gradient,) = torch.autograd.grad(margin.sum(), probe, allow_unused=True)
    if gradient is None:
        raise ValueError(
            f"{type(model).__name__} does not use its probe: add probe[:, t] to the state h_t"
        )
    return np.hypot.reduce(gradient.double().numpy(), axis=-1)  # no square under- or overflows


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


def terms_by_step(deltas: Array, inputs: Array) -> Array:
    """Return the terms of a weight matrix's gradient, one for each step; their sum is the gradient.

    deltas: dL/da_t (steps, batch, hidden). inputs: what the matrix was applied to at each
    step, (steps, batch, features): x_t for weight_ih (W_hx), h_{t-1} for weight_hh.
    Returns (steps, hidden, features): entry [t] is delta_t^T inputs_t, which sums over the
    batch.
    Source: Pascanu, Mikolov & Bengio 2013, section 2, equation 4.
    """
    delta, seen = np.asarray(deltas, np.float64), np.asarray(inputs, np.float64)
    return delta.transpose(0, 2, 1) @ seen


def term_norms(model: Any, tokens: Tensor, labels: Tensor, factor: float = 1.0) -> Array:
    """Return the norm of each step's term of d(factor * loss)/dW, W being weight_hh.

    model: a Classifier with a tanh RNN; tokens (n, steps), labels (n,); loss: the mean
    cross-entropy. Returns (steps,) float64; the terms themselves add up to the gradient.
    """
    like = next(model.parameters())
    shape = (*tokens.shape, model.state_size)
    probe = torch.zeros(shape, dtype=like.dtype, requires_grad=True)
    h = model.states(tokens).detach()
    loss = factor * nn.functional.cross_entropy(model(tokens, probe), labels)
    delta = (1 - h**2) * torch.autograd.grad(loss, probe)[0]
    before = nn.functional.pad(h, (0, 0, 1, 0))[:, :-1]
    terms = terms_by_step(delta.transpose(0, 1).numpy(), before.transpose(0, 1).numpy())
    return np.array([_norm(term) for term in terms])


def shares(terms: Array) -> Array:
    """Return each term's norm as a part of the sum of all norms.

    terms: (steps, hidden, features). Returns (steps,), which add up to 1.
    """
    norms = np.array([_norm(term) for term in np.asarray(terms, np.float64)])
    return norms / norms.sum()


@contextmanager
def _frozen(model: nn.Module) -> Iterator[None]:
    """Keep a backward pass from computing any parameter's gradient."""
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    for parameter in trained:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in trained:
            parameter.requires_grad_(True)


def _norm(matrix: Array) -> float:
    """Frobenius norm, also where the squares of the entries would underflow or overflow."""
    largest = np.abs(matrix).max()
    return float(largest * np.linalg.norm(matrix / largest)) if largest > 0 else 0.0


def _check_tokens(tokens: Tensor) -> None:
    if not isinstance(tokens, Tensor):
        raise ValueError(f"tokens must be a torch tensor; got {type(tokens).__name__}")
    if tokens.ndim != 2 or tokens.numel() == 0:
        raise ValueError(f"tokens must have shape (n, steps), not empty; got {tuple(tokens.shape)}")
    if tokens.dtype not in (torch.int64, torch.int32):
        raise ValueError(f"tokens must be integers (torch.long); got {tokens.dtype}")
