"""Agreement where it is known: a sum of numbers, a network that hears two ways, and the latch."""

import numpy as np
import pytest
import torch

from helpers.measure import agreement
from helpers.networks import gru_classifier, rnn_classifier
from helpers.task import AgreementTask, flip, vocabulary, word_classes

SIZE = len(vocabulary())


def sums_numbers():
    """One unit, h_t = h_{t-1} + (1 at a plural noun, -1 at a singular one)."""
    model = rnn_classifier(SIZE, hidden=1, nonlinearity="linear")
    values = {"singular": -1.0, "plural": 1.0}
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
        column = [[values.get(each, 0.0)] for each in word_classes()]
        model.embedding.weight.copy_(torch.tensor(column))
        for weight in (model.layer.weight_ih_l0, model.layer.weight_hh_l0):
            weight.fill_(1)
        model.readout.weight.copy_(torch.tensor([[-1.0], [1.0]]))
    return model


def test_where_each_sentence_says_the_same_it_is_1():
    """U's gradient is the sum of the numbers: the subject adds the same to it everywhere."""
    tokens, _ = AgreementTask(20, attractors="none", seed=0).batch(16)
    assert agreement(sums_numbers(), tokens, -21) == pytest.approx(1, abs=1e-3)


def by_hand(model, tokens, subject):
    """Sentence by sentence, with the two versions sorted by number."""
    other, plural = flip(tokens, subject)
    effects = []
    for given, changed, is_plural in zip(tokens, other, plural, strict=True):
        versions = (changed, given) if is_plural else (given, changed)
        margins = [
            model(version[None])[0] @ torch.tensor([1.0, -1]).double() for version in versions
        ]
        parts = [torch.autograd.grad(margin, list(model.layer.parameters())) for margin in margins]
        singular, many = (torch.cat([each.flatten() for each in part]).numpy() for part in parts)
        effects.append(singular - many)
    one, two = (np.mean(half, axis=0) for half in np.split(np.array(effects), 2))
    return one @ two / np.linalg.norm(one) / np.linalg.norm(two)


@pytest.mark.parametrize("build", [rnn_classifier, gru_classifier])
def test_equal_to_a_loop_over_sentences(build):
    model, (tokens, _) = build(SIZE).double(), AgreementTask(8, seed=3).batch(12)
    assert agreement(model, tokens, -9) == pytest.approx(by_hand(model, tokens, -9), rel=1e-6)


def test_large_weights_turn_each_sentence_another_way():
    tokens, _ = AgreementTask(20, attractors="none", seed=9).batch(128)
    found = {}
    for gain in (0.5, 3):
        model = gru_classifier(SIZE, update_bias=3.0) if gain < 1 else rnn_classifier(SIZE)
        model.layer.weight_hh_l0.data *= gain
        found[gain] = agreement(model, tokens, -21)
    assert found[0.5] > 0.7 > 0.4 > abs(found[3])


def test_the_model_is_left_as_it_was():
    model, (tokens, _) = rnn_classifier(SIZE), AgreementTask(5).batch(4)
    agreement(model, tokens, -6)
    assert all(p.grad is None and p.dtype == torch.float32 for p in model.parameters())


def test_a_word_that_is_no_noun_is_refused():
    tokens, _ = AgreementTask(5).batch(2)
    with pytest.raises(ValueError, match="sentence 0 has no noun at -7: 'the'"):
        agreement(rnn_classifier(SIZE), tokens, -7)
