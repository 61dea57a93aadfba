"""Signal to noise where both are known: a linear network that forgets, and the latch."""

import numpy as np
import pytest
import torch

from helpers.measure import signal_to_noise
from helpers.networks import latch_classifier, rnn_classifier
from helpers.task import AgreementTask, flip, vocabulary, word_classes


def sums_numbers(keep: float):
    """One unit, h_t = keep * h_{t-1} + (1 at a plural noun, -1 at a singular one)."""
    model = rnn_classifier(len(vocabulary()), hidden=1, nonlinearity="linear")
    values = {"singular": -1.0, "plural": 1.0}
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
        column = [[values.get(each, 0.0)] for each in word_classes()]
        model.embedding.weight.copy_(torch.tensor(column))
        model.layer.weight_ih_l0.fill_(1)
        model.layer.weight_hh_l0.fill_(keep)
        model.readout.weight.copy_(torch.tensor([[-1.0], [1.0]]))
    return model


@pytest.mark.parametrize("keep", [1.0, 0.5])
def test_of_a_sum_of_numbers_it_is_known(keep):
    """The subject leaves 2 keep^gap; the other nouns' numbers are independent coins."""
    gap, n = 8, 4000
    tokens, _ = AgreementTask(gap, seed=0).batch(n)
    place = tokens.shape[1] - gap - 1
    coins = np.array([each in ("singular", "plural") for each in word_classes()])[tokens.numpy()]
    coins[:, place] = False
    back = keep ** np.arange(tokens.shape[1])[::-1]
    noise = np.sqrt((coins * back**2).sum(axis=1).mean())
    assert signal_to_noise(sums_numbers(keep), tokens, place) == pytest.approx(
        2 * keep**gap / noise, rel=0.05
    )


def test_a_latch_hears_nothing_but_the_subject():
    tokens, _ = AgreementTask(20, seed=0).batch(64)
    assert signal_to_noise(latch_classifier(word_classes()), tokens, -21) > 100


def test_it_vanishes_with_the_gap_in_state_and_gradient():
    model = rnn_classifier(len(vocabulary())).double()
    ratios = {}
    for gap in (3, 30):
        tokens, _ = AgreementTask(gap, seed=0).batch(32)
        ratios[gap] = [signal_to_noise(model, tokens, -gap - 1, of) for of in ("state", "gradient")]
    assert all(near > 1e6 * far > 0 for near, far in zip(*ratios.values(), strict=True))


def test_both_versions_of_a_sentence_give_the_same():
    model = rnn_classifier(len(vocabulary())).double()
    tokens, _ = AgreementTask(5, seed=0).batch(16)
    other, plural = flip(tokens, -6)
    for of in ("state", "gradient"):
        given = signal_to_noise(model, tokens, -6, of)
        assert given == pytest.approx(signal_to_noise(model, other, -6, of), rel=1e-12)
    assert plural.sum() == 8
    assert flip(other, -6)[0].equal(tokens)


def test_a_word_that_is_no_noun_is_refused():
    tokens, _ = AgreementTask(5).batch(2)
    with pytest.raises(ValueError, match="sentence 0 has no noun at -7: 'the'"):
        signal_to_noise(rnn_classifier(len(vocabulary())), tokens, -7)
    with pytest.raises(ValueError, match="of must be one of 'state', 'gradient'"):
        signal_to_noise(rnn_classifier(len(vocabulary())), tokens, -6, of="loss")
