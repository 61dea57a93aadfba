"""The classifiers against torch's own layers, finite differences and the latch's promise."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from helpers.measure.signal import signal
from helpers.networks.classifiers import (
    LATCH_CLASSES,
    LATCH_GAIN,
    Classifier,
    DeepTanh,
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
from helpers.task.agreement import ATTRACTORS, NOUNS, AgreementTask, vocabulary, word_classes
from helpers.training import accuracy

WORDS = 9
TOKENS = torch.tensor([[0, 4, 8, 2, 2], [3, 3, 1, 7, 5], [6, 0, 5, 4, 1]])
NO_SIZE = (0, 2.5, None)


def small(nonlinearity="tanh", seed=0):
    return rnn_classifier(WORDS, hidden=4, nonlinearity=nonlinearity, seed=seed).double()


def zero_probe(model, tokens=TOKENS):
    shape = (*tokens.shape, model.state_size)
    return torch.zeros(shape, dtype=torch.float64, requires_grad=True)


def by_hand(model):
    """The same weights in torch's own modules, in one nn.ModuleDict."""
    hidden = model.state_size
    modules = {
        "embedding": nn.Embedding(WORDS, hidden),
        "layer": nn.RNN(hidden, hidden, batch_first=True, nonlinearity=model.layer.nonlinearity),
        "readout": nn.Linear(hidden, 2),
    }
    twin = nn.ModuleDict(modules).double()
    twin.load_state_dict(model.state_dict())
    return twin


class TestClassifier:
    def test_shapes(self):
        model = Classifier(WORDS, RNN(3, 6))
        assert model(TOKENS).shape == (3, 2)
        assert model.states(TOKENS).shape == (3, 5, 6)
        assert model.state_size == 6
        assert model.embedding.weight.shape == (WORDS, 3)

    def test_logits_read_the_last_state_alone(self):
        model = small()
        states = model.states(TOKENS)
        expected = states[:, -1] @ model.readout.weight.T + model.readout.bias
        torch.testing.assert_close(model(TOKENS), expected)

    @pytest.mark.parametrize("nonlinearity", ["tanh", "relu"])
    def test_probe_gradient_is_autograds_through_torchs_own_steps(self, nonlinearity):
        model = small(nonlinearity)
        probe = zero_probe(model)
        (gradient,) = torch.autograd.grad(model(TOKENS, probe)[:, 1].sum(), probe)
        twin = by_hand(model)
        h, states = None, []
        for x in twin["embedding"](TOKENS).split(1, dim=1):
            _, h = twin["layer"](x, h)
            states.append(h)
        expected = torch.autograd.grad(twin["readout"](h[0])[:, 1].sum(), states)
        torch.testing.assert_close(gradient, torch.cat(expected).transpose(0, 1))


class TestSeeded:
    def test_the_global_generator_is_untouched(self):
        before = torch.get_rng_state()
        seeded(3, lambda: nn.Linear(4, 4))
        assert torch.equal(torch.get_rng_state(), before)

    def test_also_when_building_fails(self):
        before = torch.get_rng_state()
        with pytest.raises(ZeroDivisionError):
            seeded(3, lambda: (torch.rand(2), 1 / 0))
        assert torch.equal(torch.get_rng_state(), before)

    def test_a_seed_is_one_set_of_weights_whatever_was_drawn_before(self):
        def weights(seed):
            return seeded(seed, lambda: nn.Linear(4, 4)).weight

        first = weights(3)
        torch.rand(5)
        assert torch.equal(weights(3), first)
        assert not torch.equal(weights(4), first)

    def test_it_is_the_seed_of_torch(self):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(11)
            expected = nn.Linear(4, 4).weight
        assert torch.equal(seeded(11, lambda: nn.Linear(4, 4)).weight, expected)

    @pytest.mark.parametrize("seed", [-1, 2**64, "1"])
    def test_no_seed(self, seed):
        with pytest.raises(ValueError, match=r"^seed must be"):
            seeded(seed, lambda: nn.Linear(1, 1))


class TestRnnClassifier:
    @pytest.mark.parametrize("nonlinearity", ["tanh", "relu"])
    def test_equals_torchs_modules_with_the_same_state_dict(self, nonlinearity):
        model = small(nonlinearity)
        twin = by_hand(model)
        logits = model(TOKENS)
        expected = twin["readout"](twin["layer"](twin["embedding"](TOKENS))[0][:, -1])
        torch.testing.assert_close(logits, expected)
        labels = torch.tensor([0, 1, 1])
        for scores in (logits, expected):
            nn.functional.cross_entropy(scores, labels).backward()
        theirs = dict(twin.named_parameters())
        for name, parameter in model.named_parameters():
            torch.testing.assert_close(parameter.grad, theirs[name].grad)

    def test_default_sizes_and_initialisation(self):
        model = rnn_classifier(50, seed=2)
        assert model.embedding.weight.shape == (50, 32)
        assert model.layer.weight_hh_l0.shape == (32, 32)
        largest = max(float(p.detach().abs().max()) for p in model.layer.parameters())
        assert 0.95 / np.sqrt(32) < largest <= 1 / np.sqrt(32)
        assert float(model.embedding.weight.detach().std()) == pytest.approx(1, abs=0.1)

    def test_seeds(self):
        first, again, other = (small(seed=seed).state_dict() for seed in (1, 1, 2))
        assert all(torch.equal(first[name], again[name]) for name in first)
        assert not any(torch.equal(first[name], other[name]) for name in first)

    @pytest.mark.parametrize("size", NO_SIZE)
    def test_no_sizes(self, size):
        with pytest.raises(ValueError, match=r"^hidden must be"):
            rnn_classifier(WORDS, hidden=size)
        with pytest.raises(ValueError, match=r"^vocabulary_size must be"):
            rnn_classifier(size)

    def test_unknown_nonlinearity(self):
        with pytest.raises(ValueError, match=r"^nonlinearity must be one of.*'gelu'"):
            rnn_classifier(WORDS, nonlinearity="gelu")


class TestLatch:
    @pytest.mark.parametrize("nouns", NOUNS)
    @pytest.mark.parametrize("attractors", ATTRACTORS)
    @pytest.mark.parametrize(("gap", "sentences"), [(3, 256), (80, 256), (1000, 64), (10_000, 4)])
    def test_is_never_wrong(self, gap, sentences, attractors, nouns):
        task = AgreementTask(gap, attractors, seed=4, nouns=nouns)
        assert accuracy(latch_classifier(word_classes()), task, sentences) == 1

    def test_has_three_hidden_units_and_knows_classes_not_words(self):
        latch = latch_classifier(word_classes())
        assert latch.state_size == 3
        assert len(latch.embedding.weight.unique(dim=0)) == len(LATCH_CLASSES)

    def test_keeps_the_bit_near_one_at_every_step_of_the_gap(self):
        tokens, labels = AgreementTask(1000, "opposite", seed=1).batch(16)
        states = latch_classifier(word_classes()).states(tokens).detach()[:, -1001:, 1:]
        expected = (1 - 2 * labels)[:, None, None] * torch.tensor([1, -1])
        assert (states * expected > 0.9).all()

    @pytest.mark.parametrize("sentence", examples.LECTURE_SENTENCES)
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

    @pytest.mark.parametrize("gain", [LATCH_GAIN + 0.01, 4, 20, 1000])
    def test_any_gain_above_the_bound_holds(self, gain):
        latch = latch_classifier(word_classes(), gain=gain)
        for gap in (3, 1000):
            assert accuracy(latch, AgreementTask(gap, "opposite", seed=1), 64) == 1

    @pytest.mark.parametrize(("gain", "stays"), [(3.58, False), (LATCH_GAIN, True)])
    def test_the_bound_is_where_a_stays_on(self, gain, stays):
        a = 1.0
        for _ in range(10_000):
            a = np.tanh(gain * (a - 0.5))
        assert (a > 0.5) == stays

    @pytest.mark.parametrize("gain", [LATCH_GAIN, np.inf, None])
    def test_no_gain(self, gain):
        with pytest.raises(ValueError, match=r"^gain must be a finite number above 3\.6"):
            latch_classifier([","], gain=gain)

    @pytest.mark.parametrize("word_class", ["noun", None])
    def test_unknown_class(self, word_class):
        with pytest.raises(ValueError, match=r"^word_classes\[1\] must be one of"):
            latch_classifier([",", word_class, "other"])


class TestDeepTanh:
    def test_is_a_stack_of_linear_and_tanh(self):
        network = seeded(0, lambda: DeepTanh(4, 5))
        assert len(network.layers) == 4
        assert sum(p.numel() for p in network.parameters()) == 4 * (5 * 5 + 5)
        plain = nn.Sequential(*(m for layer in network.layers for m in (layer, nn.Tanh())))
        x = torch.linspace(-1, 1, 15).view(3, 5)
        assert network(x).shape == (3, 5)
        torch.testing.assert_close(network(x), plain(x))
        torch.testing.assert_close(network(x, torch.zeros(3, 4, 5)), plain(x))

    def test_probe_gradient_is_each_layers(self):
        network = seeded(0, lambda: DeepTanh(6, 5)).double()
        x = torch.linspace(-1, 1, 15, dtype=torch.float64).view(3, 5)
        probe = torch.zeros(3, 6, 5, dtype=torch.float64, requires_grad=True)
        (gradient,) = torch.autograd.grad(network(x, probe)[:, 0].sum(), probe)
        outputs = []
        h = x
        for layer in copy.deepcopy(network).layers:
            h = torch.tanh(layer(h))
            outputs.append(h)
        expected = torch.autograd.grad(h[:, 0].sum(), outputs)
        torch.testing.assert_close(gradient, torch.stack(expected, dim=1))

    @pytest.mark.parametrize("shape", [(3, 5, 5), (4, 5)])
    def test_a_probe_of_another_shape(self, shape):
        with pytest.raises(ValueError, match=r"^probe must have shape \(3, 4, 5\); got"):
            DeepTanh(4, 5)(torch.zeros(3, 5), torch.zeros(shape))


class TestOtherStarts:
    """The networks that differ from the vanilla RNN only in how they start."""

    def test_orthogonal(self):
        W = orthogonal_classifier(WORDS, hidden=6, seed=3).double().layer.weight_hh_l0
        assert torch.allclose(W @ W.T, torch.eye(6).double(), rtol=0, atol=1e-5)

    def test_identity_keeps_a_state_without_input(self):
        layer = identity_classifier(WORDS, hidden=6, seed=0).layer
        h = torch.rand(1, 1, 6)
        _, last = layer(torch.zeros(1, 50, 6), h)
        assert torch.equal(last, h)

    def test_identity_with_the_sources_draw(self):
        layer = identity_classifier(WORDS, hidden=64, input_std=1e-3, seed=0).layer
        assert layer.weight_ih_l0.std().item() == pytest.approx(1e-3, rel=0.1)
        assert torch.equal(layer.weight_hh_l0, torch.eye(64))

    def test_lstm_input_bias_beside_the_forget_bias(self):
        layer = lstm_classifier(WORDS, hidden=6, forget_bias=2.0, input_bias=-2.0).layer
        total = layer.bias_ih_l0 + layer.bias_hh_l0
        assert (total[:6] == -2).all()
        assert (total[6:12] == 2).all()
        other = lstm_classifier(WORDS, hidden=6, forget_bias=2.0).layer
        assert torch.equal(layer.bias_hh_l0[12:], other.bias_hh_l0[12:])

    @pytest.mark.parametrize("bias", [0.0, 1.0])
    def test_lstm_forget_bias(self, bias):
        layer = lstm_classifier(WORDS, hidden=6, forget_bias=bias).layer
        assert ((layer.bias_ih_l0 + layer.bias_hh_l0)[6:12] == bias).all()

    def test_lstm_state_is_the_pair(self):
        model = lstm_classifier(WORDS, hidden=6).double()
        assert model.state_size == 12
        assert signal(model, TOKENS).shape == TOKENS.shape
        logits = model(TOKENS)
        assert torch.allclose(model(TOKENS, zero_probe(model)), logits, rtol=0, atol=1e-12)

    def test_gru_default_is_torchs(self):
        layer = gru_classifier(WORDS, hidden=6, seed=1).layer
        with torch.random.fork_rng():
            torch.manual_seed(1)
            reference = nn.GRU(6, 6)
        for name, parameter in reference.named_parameters():
            assert torch.equal(getattr(layer, name), parameter), name

    def test_gru_bias(self):
        layer = gru_classifier(WORDS, hidden=6, update_bias=2.5).layer
        assert ((layer.bias_ih_l0 + layer.bias_hh_l0)[6:12] == 2.5).all()

    @pytest.mark.parametrize(
        "build",
        [
            orthogonal_classifier,
            identity_classifier,
            leaky_classifier,
            residual_classifier,
            lstm_classifier,
            gru_classifier,
        ],
    )
    @pytest.mark.parametrize("hidden", NO_SIZE)
    def test_no_size(self, build, hidden):
        with pytest.raises(ValueError, match="hidden must be"):
            build(WORDS, hidden=hidden)


def test_a_single_sentence_is_refused_by_its_shape():
    with pytest.raises(ValueError, match=r"tokens must have shape \(n, steps\); got \(3,\)"):
        rnn_classifier(5)(torch.zeros(3, dtype=torch.int64))
