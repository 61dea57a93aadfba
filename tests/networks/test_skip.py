"""helpers.networks.skip against steps written out and torch.nn.RNN."""

import pytest
import torch

from helpers.networks import SkipRNN, leaky_classifier, residual_classifier
from helpers.task import AgreementTask, vocabulary

X = torch.randn(2, 5, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def layer(keep, write):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return SkipRNN(3, 4, keep=keep, write=write).double()


def test_without_a_skip_it_is_torchs_rnn():
    ours = layer(0.0, 1.0)
    reference = torch.nn.RNN(3, 4, batch_first=True).double()
    reference.load_state_dict(ours.state_dict())
    for found, wanted in zip(ours(X), reference(X), strict=True):
        assert torch.allclose(found, wanted, rtol=0, atol=1e-14)


def test_two_steps_and_their_probe_written_out():
    ours = layer(0.75, 0.5)
    W, U = ours.weight_ih_l0, ours.weight_hh_l0
    b = ours.bias_ih_l0 + ours.bias_hh_l0
    probe = torch.randn(1, 2, 4, dtype=torch.float64)
    first = 0.5 * torch.tanh(X[0, 0] @ W.T + b) + probe[0, 0]
    second = 0.75 * first + 0.5 * torch.tanh(X[0, 1] @ W.T + b + first @ U.T) + probe[0, 1]
    output, last = ours(X[:1, :2], probe=probe)
    assert torch.allclose(output[0], torch.stack([first, second]), rtol=0, atol=1e-14)
    assert torch.equal(last[0], output[:, -1])


@pytest.mark.parametrize(
    ("build", "keep", "write"), [(leaky_classifier, 0.9, 0.1), (residual_classifier, 1.0, 0.1)]
)
def test_the_builders_step(build, keep, write):
    model = build(len(vocabulary()), hidden=8)
    assert (model.layer.keep, model.layer.write) == (keep, write)
    tokens, _ = AgreementTask(40, seed=0).batch(4)
    largest = model.states(tokens).abs().max()
    assert largest <= (1 if keep < 1 else write * tokens.shape[1])
