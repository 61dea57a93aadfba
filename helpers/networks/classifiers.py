"""The networks of the course: one recurrent layer between an embedding and a readout."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from helpers.networks.gru import GRU
from helpers.networks.layer import set_gate_bias
from helpers.networks.lstm import LSTM
from helpers.networks.rnn import RNN
from helpers.networks.skip import SkipRNN
from helpers.validation import choice, integer, number_above

Built = TypeVar("Built")
LATCH_CLASSES = (",", "singular", "plural", "other")
LATCH_GAIN = 3.6  # above tanh(gain (a - 1/2))'s second pair of fixed points, born at 3.588


class Classifier(nn.Module):
    """Embedding, recurrent layer, linear readout of the last state.

    vocabulary_size: number of words.
    layer: a recurrent layer of this course, called as layer(x, probe=probe); its
    input_size sets the embedding's width, its hidden_size the readout's.
    Raises ValueError if vocabulary_size is below 1.
    """

    def __init__(self, vocabulary_size: int, layer: Any) -> None:
        super().__init__()
        size = integer("vocabulary_size", vocabulary_size, minimum=1)
        self.embedding = nn.Embedding(size, layer.input_size)
        self.layer: Any = layer
        self.readout = nn.Linear(layer.hidden_size, 2)

    @property
    def state_size(self) -> int:
        """Entries of one state h_t, which is the size of a probe's last axis."""
        return getattr(self.layer, "state_size", self.layer.hidden_size)

    def forward(self, tokens: Tensor, probe: Tensor | None = None) -> Tensor:
        """Logits (n, 2), was before were, of tokens (n, steps).

        probe: (n, steps, state_size), added to each state; with zeros that require a
        gradient, its gradient is the total derivative with respect to the state.
        """
        return self.readout(self.states(tokens, probe)[:, -1])

    def states(self, tokens: Tensor, probe: Tensor | None = None) -> Tensor:
        """States h_1 ... h_T (n, steps, hidden) of tokens (n, steps); probe: as for a call.

        Raises ValueError if tokens have another shape, or as the layer does.
        """
        if tokens.ndim != 2:
            raise ValueError(f"tokens must have shape (n, steps); got {tuple(tokens.shape)}")
        output, _ = self.layer(self.embedding(tokens), probe=probe)
        return output


def seeded(seed: int, build: Callable[[], Built]) -> Built:
    """Return build() with torch's CPU generator at seed, and the generator as it was.

    Raises ValueError if seed is no integer from 0 to 2^64 - 1.
    """
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(integer("seed", seed, minimum=0, maximum=2**64 - 1))
        return build()


def _around(
    layer: Callable[[int, int], Any], vocabulary_size: int, hidden: int, seed: int
) -> Classifier:
    """Build a classifier around layer(hidden, hidden), with an embedding as wide as the state."""
    integer("hidden", hidden, minimum=1)
    return seeded(seed, lambda: Classifier(vocabulary_size, layer(hidden, hidden)))


def rnn_classifier(
    vocabulary_size: int, *, hidden: int = 32, nonlinearity: str = "tanh", seed: int = 0
) -> Classifier:
    """Build a vanilla RNN with PyTorch's default initialisation, embedding as wide as the state.

    Raises ValueError if a size is below 1 or the nonlinearity is unknown, as all of these do.
    """
    return _around(partial(RNN, nonlinearity=nonlinearity), vocabulary_size, hidden, seed)


def gain_classifier(
    vocabulary_size: int,
    gain: float,
    *,
    hidden: int = 32,
    nonlinearity: str = "tanh",
    seed: int = 0,
) -> Classifier:
    """Build a vanilla RNN whose W is drawn from N(0, gain^2 / hidden); all else is PyTorch's draw.

    Source: Sompolinsky, Crisanti & Sommers 1988, "Chaos in random neural networks", for the
    gain as the number that decides.
    """
    model = rnn_classifier(vocabulary_size, hidden=hidden, nonlinearity=nonlinearity, seed=seed)
    seeded(seed, lambda: nn.init.normal_(model.layer.weight_hh_l0, 0, gain / hidden**0.5))
    return model


def orthogonal_classifier(vocabulary_size: int, *, hidden: int = 32, seed: int = 0) -> Classifier:
    """Build a tanh RNN whose W starts as a random orthogonal matrix: all singular values are 1.

    Source: Saxe, McClelland & Ganguli 2014, "Exact solutions to the nonlinear dynamics of
    learning in deep linear neural networks".
    """
    model = rnn_classifier(vocabulary_size, hidden=hidden, seed=seed)
    seeded(seed, lambda: nn.init.orthogonal_(model.layer.weight_hh_l0))
    return model


def identity_classifier(
    vocabulary_size: int, *, hidden: int = 32, input_std: float | None = None, seed: int = 0
) -> Classifier:
    """Build a ReLU RNN whose W starts as the identity and whose biases start at 0.

    input_std: standard deviation of a Gaussian draw of U, 0.001 in the source; None keeps
    PyTorch's draw, which is larger.
    Source: Le, Jaitly & Hinton 2015, "A simple way to initialize recurrent networks of
    rectified linear units".
    """
    model = rnn_classifier(vocabulary_size, hidden=hidden, nonlinearity="relu", seed=seed)
    nn.init.eye_(model.layer.weight_hh_l0)
    nn.init.zeros_(model.layer.bias_ih_l0)
    nn.init.zeros_(model.layer.bias_hh_l0)
    if input_std is not None:
        seeded(seed, lambda: nn.init.normal_(model.layer.weight_ih_l0, std=input_std))
    return model


def leaky_classifier(
    vocabulary_size: int, *, hidden: int = 32, leak: float = 0.1, seed: int = 0
) -> Classifier:
    """Build a tanh RNN that moves by the share `leak` a step: h = (1 - leak) h + leak tanh(...)."""
    layer = partial(SkipRNN, keep=1 - leak, write=leak)
    return _around(layer, vocabulary_size, hidden, seed)


def residual_classifier(
    vocabulary_size: int, *, hidden: int = 32, write: float = 0.1, seed: int = 0
) -> Classifier:
    """Build a tanh RNN that adds to its state: h = h + write tanh(...)."""
    return _around(partial(SkipRNN, keep=1.0, write=write), vocabulary_size, hidden, seed)


def lstm_classifier(
    vocabulary_size: int,
    *,
    hidden: int = 32,
    forget_bias: float = 0.0,
    input_bias: float | None = None,
    seed: int = 0,
) -> Classifier:
    """Build an LSTM with PyTorch's default initialisation but for one or two gates' biases.

    input_bias: None keeps PyTorch's draw. forget_bias log(gap) with input_bias -log(gap)
    makes a fresh LSTM keep for about gap steps, and write so little that it does not fill up.
    Raises ValueError if a bias is not finite.
    Source: Gers, Schmidhuber & Cummins 2000; Jozefowicz, Zaremba & Sutskever 2015, "An empirical
    exploration of recurrent network architectures", section 4, for forget bias 1; Tallec &
    Ollivier 2018, "Can recurrent neural networks warp time?", equation 16, for both biases.
    """
    model = _around(LSTM, vocabulary_size, hidden, seed)
    set_gate_bias(model.layer, 1, forget_bias)
    if input_bias is not None:
        set_gate_bias(model.layer, 0, input_bias)
    return model


def gru_classifier(
    vocabulary_size: int, *, hidden: int = 32, update_bias: float | None = None, seed: int = 0
) -> Classifier:
    """Build a GRU with PyTorch's default initialisation, and a bias on its update gate if given.

    log(gap) makes the fresh gate keep a state for about gap steps: z = 1 - 1 / (gap + 1).
    Raises ValueError if the bias is not finite.
    Source: Tallec & Ollivier 2018, section 2, for the bias.
    """
    model = _around(GRU, vocabulary_size, hidden, seed)
    if update_bias is not None:
        set_gate_bias(model.layer, 1, update_bias)
    return model


def latch_classifier(word_classes: Sequence[str], *, gain: float = 5.0) -> Classifier:
    """Build an RNN of three hidden units with weights set by hand that never forgets the subject.

    word_classes: for each word of the vocabulary one of LATCH_CLASSES. Each unit is near -1
    (off) or +1 (on). Unit a turns on at the first comma, which ends the opener; s or p turns
    on at the first singular or plural noun after it, and each keeps itself on and the other off:
        a_t = tanh(gain (a + 2 [comma] - 1/2))
        s_t = tanh(gain (s + a - p + 2 [singular] - 2))
        p_t = tanh(gain (p + a - s + 2 [plural] - 2))
    with a, s, p the values at t - 1. So the latch is written once: nouns before the
    subject and nouns after it change nothing. Without an opener, as in the lecture's own
    sentences, a comes on after the subject: nothing is written, or the wrong noun.
    Raises ValueError if a class is unknown or the gain is not above LATCH_GAIN: below
    that unit a cannot stay on, and the latch forgets.
    """
    for index, word_class in enumerate(word_classes):
        choice(f"word_classes[{index}]", word_class, LATCH_CLASSES)
    number_above("gain", gain, LATCH_GAIN)
    model = seeded(0, lambda: Classifier(len(word_classes), RNN(4, 3)))
    recurrent = torch.tensor([[1.0, 0.0, 0.0], [1.0, 1.0, -1.0], [1.0, -1.0, 1.0]])
    written = torch.tensor([[2.0, 0.0, 0.0, 0.0], [0.0, 2.0, 0.0, 0.0], [0.0, 0.0, 2.0, 0.0]])
    classes = torch.tensor([LATCH_CLASSES.index(word_class) for word_class in word_classes])
    with torch.no_grad():
        model.embedding.weight.copy_(nn.functional.one_hot(classes, 4))
        model.layer.weight_hh_l0.copy_(gain * recurrent)
        model.layer.weight_ih_l0.copy_(gain * written)
        model.layer.bias_ih_l0.copy_(gain * torch.tensor([-0.5, -2.0, -2.0]))
        model.layer.bias_hh_l0.zero_()
        model.readout.weight.copy_(torch.tensor([[0.0, 1.0, -1.0], [0.0, -1.0, 1.0]]))
        model.readout.bias.zero_()
    return model


class DeepTanh(nn.Module):
    """A plain feed-forward network: `layers` times (Linear, tanh), all of one width.

    PyTorch's default initialisation, without skips and without normalisation.
    Raises ValueError if layers or width is below 1.
    """

    def __init__(self, layers: int, width: int) -> None:
        super().__init__()
        integer("layers", layers, minimum=1)
        integer("width", width, minimum=1)
        self.layers = nn.ModuleList(nn.Linear(width, width) for _ in range(layers))

    def forward(self, x: Tensor, probe: Tensor | None = None) -> Tensor:
        """Output (n, width) of x (n, width); probe (n, layers, width) is added to each layer's.

        Raises ValueError if the probe has another shape.
        """
        shape = (len(x), len(self.layers), x.shape[-1])
        if probe is not None and probe.shape != shape:
            raise ValueError(f"probe must have shape {shape}; got {tuple(probe.shape)}")
        for index, layer in enumerate(self.layers):
            x = torch.tanh(layer(x))
            if probe is not None:
                x = x + probe[:, index]
        return x
