"""How long a batch of long sentences takes to draw: under 50 ms at gap 1,000."""

from helpers.task.agreement import AgreementTask


def test_a_batch_of_32_at_gap_1000(benchmark):
    benchmark(AgreementTask(1000).batch, 32)
