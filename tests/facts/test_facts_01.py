"""What notebook 01 says in words and rounded numbers, measured and held to a tolerance.

Each test names the notebook and cell whose text it holds. Stored outputs are compared by
nbval; here the numbers behind them are asserted, for more seeds than the notebook shows.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from runs import MIXED, subject_flipped, trained

from helpers import measure as gradients
from helpers import training
from helpers.networks import classifiers as models
from helpers.task import baselines
from helpers.task import lecture as examples
from helpers.task.agreement import ATTRACTORS, AgreementTask, flipped, vocabulary, word_classes

SEEDS = range(4)
NEAR = {"steps": 600, "learning_rate": 3e-3, "target": 0.99}
FAR_RATES = (3e-3, 1e-2, 3e-2)


@pytest.mark.parametrize("seed", SEEDS)
def test_01_learn_near_gap_5_is_learned_and_raises_the_signal_tenfold(seed):
    model, history = trained(5, seed, **NEAR)
    assert history.stopped == "learned"
    assert history.learned_at <= 400
    fresh = models.rnn_classifier(len(vocabulary()), seed=seed)
    tokens, _ = AgreementTask(5, seed=2).batch(64)
    before, after = (gradients.signal(m, tokens) for m in (fresh, model))
    assert np.median(after[:, -6]) > 15 * np.median(before[:, -6])
    share_before, share_after = (np.median(s[:, -6] / s[:, -1]) for s in (before, after))
    assert share_after > 8 * share_before


def test_01_learn_near_gap_5_is_learned_by_counting_back():
    for seed in range(3):
        model, _ = trained(5, seed, **NEAR)
        assert training.accuracy(model, AgreementTask(4, seed=7), 1024) < 0.25
        assert training.accuracy(model, AgreementTask(6, seed=7), 1024) < 0.35
        for gap, right_way in ((4, False), (5, True), (6, False)):
            tokens, labels = AgreementTask(gap, seed=3).batch(256)
            margins = [
                (logits[:, 0] - logits[:, 1]) * (1 - 2 * labels)
                for logits in (model(tokens), model(subject_flipped(tokens, gap)))
            ]
            pushed = (margins[0] > margins[1]).float().mean()
            assert pushed > 0.9 if right_way else pushed < 0.2
    fourth, _ = trained(5, 3, **NEAR)
    assert training.accuracy(fourth, AgreementTask(3, seed=7), 1024) < 0.25


def far_accuracy(rate: float) -> float:
    """Share right at gap 80 after 400 steps on it at this rate, with a seed not shown in 01."""
    model, history = trained(80, 5, steps=400, learning_rate=rate)
    assert history.stopped == "budget"
    return training.accuracy(model, AgreementTask(80, seed=7), 1024)


def test_01_learn_far_no_rate_finds_what_a_latch_by_hand_can_do():
    for rate in FAR_RATES:
        assert abs(far_accuracy(rate) - 0.5) < 0.08
    latch = models.latch_classifier(word_classes())
    assert training.accuracy(latch, AgreementTask(1000, seed=7), 128) == 1


def test_01_learn_far_no_rate_finds_what_mixed_gaps_teach():
    for rate in FAR_RATES:
        assert abs(far_accuracy(rate) - 0.5) < 0.08
    model, _ = trained((3, 15), 1, **MIXED)
    assert training.accuracy(model, AgreementTask(1000, seed=7), 128) > 0.93


@pytest.mark.parametrize("rate", [3e-3, 1e-2])
def test_01_curve_all_seeds_learn_gap_5_and_none_gap_10_or_20(rate):
    for seed in (3, 4, 5):
        runs = {gap: trained(gap, seed, steps=400, learning_rate=rate)[1] for gap in (5, 10, 20)}
        assert runs[5].stopped == "learned"
        for gap in (10, 20):
            assert runs[gap].stopped == "budget"
            assert runs[gap].accuracy < 0.65


def test_01_curve_the_break_depends_on_the_rate():
    outcomes = {
        (gap, rate): trained(gap, 0, steps=400, learning_rate=rate)[1].stopped
        for gap, rate in [(3, 3e-3), (3, 1e-2), (6, 3e-3), (10, 3e-3), (10, 1e-2)]
    }
    assert [key for key, stopped in outcomes.items() if stopped == "learned"] == [
        (3, 3e-3),
        (3, 1e-2),
        (6, 3e-3),
    ]


@pytest.mark.parametrize(("seed", "learned"), [(0, True), (3, False)])
def test_01_curve_a_slow_rate_learns_gap_8_with_some_seeds(seed, learned):
    """Of seeds 0 to 4, 0 and 1 learn it (step 780 and 1,280), the others not by step 1,600."""
    _, history = trained(8, seed, steps=1600, learning_rate=1e-3)
    assert (history.stopped == "learned") == learned
    if learned:
        assert 500 <= history.learned_at <= 1400
    else:
        assert history.accuracy < 0.65


@pytest.mark.parametrize("seed", SEEDS)
def test_01_lean_where_a_near_word_will_do_the_far_one_is_not_learned(seed):
    model, history = trained(20, seed, "same", steps=400, learning_rate=3e-3)
    assert history.learned_at <= 100
    assert training.accuracy(model, AgreementTask(20, "opposite", seed=7), 1024) < 0.15


@pytest.mark.parametrize("seed", SEEDS)
def test_01_strip_a_fresh_network_loses_a_factor_a_word(seed):
    model = models.rnn_classifier(len(vocabulary()), seed=seed).double()
    tokens, _ = AgreementTask(40, seed=0).batch(16)
    logs = np.log10(gradients.signal(model, tokens))[:, -41:]
    slopes = [np.polyfit(np.arange(41), row, 1)[0] for row in logs]
    straight = [np.corrcoef(np.arange(41), row)[0, 1] for row in logs]
    assert 0.3 < 10 ** -np.median(slopes) < 0.65
    assert min(straight) > 0.99


@pytest.mark.parametrize("attractors", ATTRACTORS)
def test_01_theory_the_latch_is_right_at_gap_1000(attractors):
    latch = models.latch_classifier(word_classes())
    assert training.accuracy(latch, AgreementTask(1000, attractors, seed=9), 128) == 1


def test_01_theory_the_latch_needs_an_opener():
    latch = models.latch_classifier(word_classes())
    for sentence in examples.LECTURE_SENTENCES:
        tokens = torch.tensor(vocabulary().encode(sentence.words))[None]
        margin = latch(tokens)[0]
        assert abs(margin[0] - margin[1]) < 0.1


@pytest.mark.parametrize("seed", range(3))
def test_01_theory_lottery_luck_does_not_find_a_latch(seed):
    best = baselines.random_weight_guessing(
        lambda draw: models.rnn_classifier(len(vocabulary()), hidden=8, seed=draw),
        task=AgreementTask(20, seed=2 * seed),
        fresh=AgreementTask(20, seed=2 * seed + 1),
        tries=200,
    )
    assert best.chosen > 0.54
    assert abs(best.fresh - 0.5) < 0.12


@pytest.mark.parametrize("seed", SEEDS)
def test_01_practice_holding_a_bit_costs_the_gradient(seed):
    rng = np.random.default_rng(seed)
    kept, largest = {}, {}
    for w in (0.5, 2.0):
        h, log_slope = np.full(2000, 0.9), np.zeros(2000)
        for _ in range(1000):
            h = np.tanh(w * h + rng.normal(0, 0.3, 2000))
            log_slope += np.log10(w * (1 - h**2))
        kept[w], largest[w] = (h > 0).mean(), log_slope.max()
    assert 0.4 < kept[0.5] < 0.6
    assert kept[2.0] > 0.995
    assert max(largest.values()) < -200


@pytest.mark.parametrize("seed", range(3))
def test_01_flip_only_the_subject_moves_the_verb(seed):
    model, _ = trained(5, seed, **NEAR)
    words, classes = vocabulary(), word_classes()

    def p_was(sentence: tuple[str, ...]) -> float:
        return model(torch.tensor(words.encode(sentence))[None]).softmax(1)[0, 0].item()

    for draw in range(20):
        sentence = AgreementTask(5, seed=100 + draw).sentence()
        for place, number in enumerate(words.encode(sentence.words)):
            if classes[number] in ("singular", "plural"):
                moved = abs(p_was(flipped(sentence.words, place)) - p_was(sentence.words))
                assert moved > 0.5 if place == sentence.subject else moved < 0.25


def test_01_flip_measure_the_verb_follows_a_near_and_a_far_subject():
    latch = models.latch_classifier(word_classes())
    near = [trained(5, seed, **NEAR)[0] for seed in SEEDS]
    for gap, networks in ((1000, [latch]), (5, near)):
        tokens, labels = AgreementTask(gap, seed=3).batch(128)
        for model in networks:
            verbs = model(tokens).argmax(1)
            other_verbs = model(subject_flipped(tokens, gap)).argmax(1)
            assert (verbs == labels).float().mean() > 0.93
            assert (verbs != other_verbs).float().mean() > 0.93


@pytest.mark.parametrize("seed", SEEDS)
def test_01_others_sky_eight_lines_are_learned(seed):
    pairs = examples.clouds_and_sky()
    words = sorted({word for line, _ in pairs for word in line})
    x = torch.tensor([[words.index(word) for word in line] for line, _ in pairs])
    target = torch.arange(len(pairs))
    torch.manual_seed(seed)
    embedding, readout = torch.nn.Embedding(len(words), 16), torch.nn.Linear(16, len(pairs))
    layer = torch.nn.RNN(16, 16, batch_first=True)
    parameters = [p for part in (embedding, layer, readout) for p in part.parameters()]
    stepper = torch.optim.Adam(parameters, lr=1e-2)
    with training.one_thread():
        for _ in range(150):
            logits = readout(layer(embedding(x))[0][:, -1])
            stepper.zero_grad()
            torch.nn.functional.cross_entropy(logits, target).backward()
            stepper.step()
    assert (logits.softmax(1)[target, target] > 0.6).all()


def test_01_others_a_bag_of_words_solves_france_and_not_agreement():
    for seed in SEEDS:
        assert examples.bag_of_words_accuracy(examples.CountryTask(40, seed=seed)) == 1
        assert 0.52 < examples.bag_of_words_accuracy(AgreementTask(40, seed=seed)) < 0.7
