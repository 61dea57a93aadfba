"""The networks of the course, written by hand and built for the task."""

from helpers.networks import gru, rnn
from helpers.networks.classifiers import (
    LATCH_CLASSES,
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
from helpers.networks.conventions import (
    Gate,
    Weights,
    cho_step,
    gru_step,
    logistic,
    ng_simplified_to_torch,
    ng_step,
    swap_ng_and_cho,
    torch_step,
)
from helpers.networks.gru import GRU, bias_for_span, hold_gates
from helpers.networks.lstm import LSTM
from helpers.networks.rnn import RNN, rnn_step
from helpers.networks.skip import SkipRNN
