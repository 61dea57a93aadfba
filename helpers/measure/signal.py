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

import numpy as np
import torch
from torch import Tensor, nn

from helpers.validation import Array, finite_array, integer

TOKEN_DTYPES = (torch.int64, torch.int32)


def signal(model: nn.Module, tokens: Tensor) -> Array:
    """How much of the verb's signal reaches each word: ||d(logit_was - logit_were)/dh_t||.

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
    size = integer("model.state_size", model.state_size, minimum=1)
    like = next(model.parameters(), torch.empty(0))
    with _frozen(model), torch.enable_grad():
        probe = torch.zeros(
            *tokens.shape, size, dtype=like.dtype, device=like.device, requires_grad=True
        )
        logits = model(tokens, probe=probe)
        _check_logits(logits, len(tokens))
        gradient = None
        if logits.requires_grad:
            margin = logits[:, 0] - logits[:, 1]
            (gradient,) = torch.autograd.grad(margin.sum(), probe, allow_unused=True)
    if gradient is None:
        raise ValueError(
            f"{type(model).__name__} does not use its probe: add probe[:, t] to the state h_t"
        )
    return _last_axis_norms(gradient)


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
    """The terms of a weight matrix's gradient, one for each step; their sum is the gradient.

    deltas: dL/da_t (steps, batch, hidden). inputs: what the matrix was applied to at each
    step, (steps, batch, features): x_t for weight_ih (W_hx), h_{t-1} for weight_hh.
    Returns (steps, hidden, features): entry [t] is delta_t^T inputs_t, which sums over the
    batch.
    Raises ValueError if the shapes do not fit or an entry is not finite.
    Source: Pascanu, Mikolov & Bengio 2013, section 2, equation 4.
    """
    delta, seen = _checked_pair(deltas, inputs)
    return delta.transpose(0, 2, 1) @ seen


def terms_by_lag(deltas: Array, inputs: Array) -> Array:
    """Norm of each term of a weight matrix's gradient, by its distance from the last step.

    deltas, inputs: as for terms_by_step. Returns (steps,): entry [k] is the Frobenius norm
    of the term k steps before the last, so [0] is the step where a last-step loss is taken.
    Terms may cancel: the gradient's norm is at most the sum of these.
    Raises ValueError if the shapes do not fit or an entry is not finite.
    Source: Pascanu, Mikolov & Bengio 2013, section 2, equation 4.
    """
    delta, seen = _checked_pair(deltas, inputs)
    norms = [_norm(d.T @ x) for d, x in zip(delta, seen, strict=True)]
    return np.array(norms[::-1])


def shares(terms: Array) -> Array:
    """Each term's norm as a part of the sum of all norms.

    terms: (steps, hidden, features). Returns (steps,), which add up to 1.
    Raises ValueError if an entry is not finite or all terms are zero.
    """
    array = finite_array("terms", terms, ("steps", "hidden", "features")).astype(np.float64)
    norms = np.array([_norm(term) for term in array])
    if not norms.any():
        raise ValueError(f"terms {array.shape} are all zero: they have no shares")
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


def _last_axis_norms(gradient: Tensor) -> Array:
    """Norms in float64 along the last axis, also where the squares would leave its range."""
    if gradient.dtype == torch.float64:
        return np.hypot.reduce(gradient.numpy(), axis=-1)
    array = gradient.float().numpy()
    return np.sqrt(np.einsum("...h,...h->...", array, array, dtype=np.float64))


def _check_tokens(tokens: Tensor) -> None:
    if not isinstance(tokens, Tensor):
        raise ValueError(f"tokens must be a torch tensor; got {type(tokens).__name__}")
    if tokens.ndim != 2 or tokens.numel() == 0:
        raise ValueError(f"tokens must have shape (n, steps), not empty; got {tuple(tokens.shape)}")
    if tokens.dtype not in TOKEN_DTYPES:
        raise ValueError(f"tokens must be integers (torch.long); got {tokens.dtype}")


def _check_logits(logits: Tensor, sentences: int) -> None:
    if not isinstance(logits, Tensor) or logits.shape != (sentences, 2):
        seen = tuple(logits.shape) if isinstance(logits, Tensor) else type(logits).__name__
        raise ValueError(f"the model must return logits of shape ({sentences}, 2); got {seen}")


def _checked_pair(deltas: Array, inputs: Array) -> tuple[Array, Array]:
    """Both in float64, with steps and batch in common and neither empty, or raise."""
    delta = finite_array("deltas", deltas, ("steps", "batch", "hidden"))
    steps, batch, _ = delta.shape
    seen = finite_array("inputs", inputs, (steps, batch, "features"))
    if delta.size == 0 or seen.size == 0:
        raise ValueError(f"deltas and inputs must not be empty; got {delta.shape}, {seen.shape}")
    return delta.astype(np.float64, copy=False), seen.astype(np.float64, copy=False)
