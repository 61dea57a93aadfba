"""The classifiers against torch's own layers, finite differences and the latch's promise."""

from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

from helpers.measure.signal import signal
from helpers.networks.classifiers import (
    LATCH_GAIN,
    Classifier,
    DeepTanh,
    gain_classifier,
    gru_classifier,
    identity_classifier,
    latch_classifier,
    leaky_classifier,
    lstm_classifier,
    orthogonal_classifier,
    residual_classifier,
    rnn_classifier,
    seeded,
)
from helpers.networks.rnn import RNN
from helpers.task import lecture as examples
from helpers.task.agreement import ATTRACTORS, NOUNS, AgreementTask
from helpers.task.lexicon import vocabulary, word_classes
from helpers.training import accuracy

WORDS = 9
TOKENS = torch.tensor([[0, 4, 8, 2, 2], [3, 3, 1, 7, 5], [6, 0, 5, 4, 1]])


@pytest.mark.parametrize("nonlinearity", ["tanh", "relu"])
def test_rnn_classifier_equals_torchs_modules_step_by_step(nonlinearity):
    model = rnn_classifier(WORDS, hidden=4, nonlinearity=nonlinearity).double()
    twin = nn.ModuleDict(
        {
            "embedding": nn.Embedding(WORDS, 4),
            "layer": nn.RNN(4, 4, batch_first=True, nonlinearity=nonlinearity),
            "readout": nn.Linear(4, 2),
        }
    ).double()
    twin.load_state_dict(model.state_dict())
    h, states = None, []
    for x in twin["embedding"](TOKENS).split(1, dim=1):
        _, h = twin["layer"](x, h)
        states.append(h)
    probe = torch.zeros(*TOKENS.shape, 4, dtype=torch.float64, requires_grad=True)
    found, wanted = model(TOKENS, probe), twin["readout"](h[0])
    torch.testing.assert_close(found, wanted)
    labels = torch.tensor([0, 1, 1])
    gradients = [
        torch.autograd.grad(nn.functional.cross_entropy(logits, labels), leaves)
        for logits, leaves in (
            (found, [*model.parameters(), probe]),
            (wanted, [*twin.parameters(), *states]),
        )
    ]
    count = len(gradients[0]) - 1
    torch.testing.assert_close(gradients[0][:count], gradients[1][:count])
    torch.testing.assert_close(gradients[0][-1], torch.cat(gradients[1][count:]).transpose(0, 1))


def test_embedding_and_readout_take_the_layers_sizes():
    model = Classifier(WORDS, RNN(3, 6))
    assert model.states(TOKENS).shape == (3, 5, 6)
    assert model.state_size == 6


def test_a_single_sentence_is_refused_by_its_shape():
    with pytest.raises(ValueError, match=r"tokens must have shape \(n, steps\); got \(3,\)"):
        rnn_classifier(5)(torch.zeros(3, dtype=torch.int64))


class TestSeeded:
    def test_the_global_generator_is_untouched_also_when_building_fails(self):
        before = torch.get_rng_state()
        with pytest.raises(ZeroDivisionError):
            seeded(3, lambda: (torch.rand(2), 1 / 0))
        assert torch.equal(torch.get_rng_state(), before)

    def test_it_is_the_seed_of_torch_whatever_was_drawn_before(self):
        torch.rand(5)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(11)
            expected = nn.Linear(4, 4).weight
        assert torch.equal(seeded(11, lambda: nn.Linear(4, 4)).weight, expected)

    @pytest.mark.parametrize("seed", [-1, 2**64, "1"])
    def test_no_seed(self, seed):
        with pytest.raises(ValueError, match=r"^seed must be"):
            seeded(seed, lambda: nn.Linear(1, 1))


class TestLatch:
    @pytest.mark.parametrize("nouns", NOUNS)
    @pytest.mark.parametrize("attractors", ATTRACTORS)
    @pytest.mark.parametrize(("gap", "sentences"), [(3, 256), (80, 256), (10_000, 4)])
    def test_is_never_wrong(self, gap, sentences, attractors, nouns):
        task = AgreementTask(gap, attractors, seed=4, nouns=nouns)
        assert accuracy(latch_classifier(word_classes()), task, sentences) == 1

    def test_keeps_the_bit_near_one_at_every_step_of_the_gap(self):
        tokens, labels = AgreementTask(1000, "opposite", seed=1).batch(16)
        states = latch_classifier(word_classes()).states(tokens).detach()[:, -1001:, 1:]
        expected = (1 - 2 * labels)[:, None, None] * torch.tensor([1, -1])
        assert (states * expected > 0.9).all()

    @pytest.mark.parametrize("sentence", examples.MINIMAL_PAIR)
    def test_without_an_opener_nothing_is_written(self, sentence):
        tokens = torch.tensor(vocabulary().encode(sentence.words))[None]
        latch = latch_classifier(word_classes())
        a, s, p = latch.states(tokens)[0, -1].tolist()
        assert a > 0.9
        assert max(s, p) < -0.9
        logits = latch(tokens)[0].detach()
        assert abs(float(logits[0] - logits[1])) < 1e-3

    def test_without_an_opener_a_later_noun_is_taken_for_the_subject(self):
        words = ("the", "cat", ",", "which", "chased", "the", "dogs", ",")
        tokens = torch.tensor(vocabulary().encode(words))[None]
        assert int(latch_classifier(word_classes())(tokens).argmax()) == 1

    @pytest.mark.parametrize("gain", [LATCH_GAIN + 0.01, 1000])
    def test_any_gain_above_the_bound_holds(self, gain):
        latch = latch_classifier(word_classes(), gain=gain)
        assert accuracy(latch, AgreementTask(1000, "opposite", seed=1), 64) == 1

    @pytest.mark.parametrize(("gain", "stays"), [(3.58, False), (LATCH_GAIN, True)])
    def test_the_bound_is_where_a_stays_on(self, gain, stays):
        a = 1.0
        for _ in range(10_000):
            a = np.tanh(gain * (a - 0.5))
        assert (a > 0.5) == stays

    def test_no_gain_and_no_class(self):
        with pytest.raises(ValueError, match=r"^gain must be a finite number above 3\.6"):
            latch_classifier([","], gain=LATCH_GAIN)
        with pytest.raises(ValueError, match=r"^word_classes\[1\] must be one of"):
            latch_classifier([",", "noun", "other"])


class TestDeepTanh:
    def test_is_a_stack_of_linear_and_tanh_and_the_probes_gradient_each_layers(self):
        network = seeded(0, lambda: DeepTanh(6, 5)).double()
        x = torch.linspace(-1, 1, 15, dtype=torch.float64).view(3, 5)
        probe = torch.zeros(3, 6, 5, dtype=torch.float64, requires_grad=True)
        found = network(x, probe)
        assert torch.equal(found, network(x))
        outputs = [x]
        for layer in network.layers:
            outputs.append(torch.tanh(layer(outputs[-1])))
        torch.testing.assert_close(found, outputs[-1])
        (gradient,) = torch.autograd.grad(found[:, 0].sum(), probe)
        expected = torch.autograd.grad(outputs[-1][:, 0].sum(), outputs[1:])
        torch.testing.assert_close(gradient, torch.stack(expected, dim=1))

    def test_a_probe_of_another_shape(self):
        with pytest.raises(ValueError, match=r"^probe must have shape \(3, 4, 5\); got"):
            DeepTanh(4, 5)(torch.zeros(3, 5), torch.zeros(3, 5, 5))


class TestStarts:
    """How each network starts, and what it has from torch's own draw."""

    @pytest.mark.parametrize(
        ("build", "reference", "sets"),
        [
            (rnn_classifier, nn.RNN, ()),
            (partial(gain_classifier, gain=1.5), nn.RNN, ("weight_hh_l0",)),
            (orthogonal_classifier, nn.RNN, ("weight_hh_l0",)),
            (identity_classifier, nn.RNN, ("weight_hh_l0", "bias_ih_l0", "bias_hh_l0")),
            (leaky_classifier, nn.RNN, ()),
            (residual_classifier, nn.RNN, ()),
            (lstm_classifier, nn.LSTM, ("bias_ih_l0", "bias_hh_l0")),
            (gru_classifier, nn.GRU, ()),
        ],
    )
    def test_all_else_is_torchs_draw_of_the_seed(self, build, reference, sets):
        layer = build(WORDS, hidden=6, seed=1).layer
        with torch.random.fork_rng():
            torch.manual_seed(1)
            drawn = dict(reference(6, 6).named_parameters())
        same = {name for name, value in drawn.items() if torch.equal(getattr(layer, name), value)}
        assert same == drawn.keys() - set(sets)
        for size in (0, 2.5):
            with pytest.raises(ValueError, match="hidden must be"):
                build(WORDS, hidden=size)
            with pytest.raises(ValueError, match=r"^vocabulary_size must be"):
                build(size)

    def test_gain(self):
        W = gain_classifier(WORDS, 1.5, hidden=100).layer.weight_hh_l0
        assert W.std().item() == pytest.approx(0.15, rel=0.03)

    def test_orthogonal(self):
        W = orthogonal_classifier(WORDS, hidden=6, seed=3).double().layer.weight_hh_l0
        assert torch.allclose(W @ W.T, torch.eye(6).double(), rtol=0, atol=1e-5)

    def test_identity_keeps_a_state_without_input_and_has_the_sources_draw_if_asked(self):
        layer = identity_classifier(WORDS, hidden=64, input_std=1e-3, seed=0).layer
        h = torch.rand(1, 1, 64)
        _, last = layer(torch.zeros(1, 50, 64), h)
        assert torch.equal(last, h)
        assert layer.weight_ih_l0.std().item() == pytest.approx(1e-3, rel=0.1)

    @pytest.mark.parametrize(
        ("model", "gate", "bias"),
        [
            (lstm_classifier(WORDS, hidden=6), 1, 0),
            (lstm_classifier(WORDS, hidden=6, forget_bias=2.0, input_bias=-2.0), 1, 2),
            (lstm_classifier(WORDS, hidden=6, forget_bias=2.0, input_bias=-2.0), 0, -2),
            (gru_classifier(WORDS, hidden=6, update_bias=2.5), 1, 2.5),
        ],
    )
    def test_gates_have_their_bias(self, model, gate, bias):
        total = model.layer.bias_ih_l0 + model.layer.bias_hh_l0
        assert (total[6 * gate : 6 * gate + 6] == bias).all()

    @pytest.mark.parametrize(
        ("build", "name"), [(lstm_classifier, "forget_bias"), (gru_classifier, "update_bias")]
    )
    @pytest.mark.parametrize("bias", [np.inf, "1"])
    def test_no_bias(self, build, name, bias):
        with pytest.raises(ValueError, match="bias must be a finite number"):
            build(WORDS, **{name: bias})

    def test_an_lstms_state_is_the_pair(self):
        model = lstm_classifier(WORDS, hidden=6).double()
        assert model.state_size == 12
        assert signal(model, TOKENS).shape == TOKENS.shape
