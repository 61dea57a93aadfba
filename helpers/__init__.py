"""What a notebook imports.

task         the sentences: agreement, baselines, the hand-written evaluation set
networks     the networks: RNN and GRU by hand, LSTM, and how each is built for the task
measure      what is measured: the signal, Jacobians, overflow, clipping, gates
figures      the pictures, of which each takes results and shows one message
checks       the exercises: what a learner's answer gives, and what it suggests
training     one training loop for every notebook
record       the recorded runs behind the scoreboard
claims       the claims of the lecture and what the course found
environment  what is installed here
validation   checks of arguments, for all the others

Imports run one way: validation; then task, networks, environment and claims; then measure;
then training and record; then figures; then checks. Each imports only from the groups before
its own.
"""

__version__ = "0.2.0"
