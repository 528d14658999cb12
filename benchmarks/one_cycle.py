"""The length of training by which several benchmarks were measured: one cycle of the schedule.

The estimators train in several cycles, and stop when size and loss have settled. Rows of fits at
penalties that were chosen by hand come from one cycle of 15,000 steps of 200 rows, or of 2,000
steps below 1,000 rows.
"""


def one_cycle(n_rows):
    """Return `batch_size` and `max_iter` of one cycle."""
    steps = 15_000 if n_rows >= 1000 else 2000
    return {"batch_size": 200, "max_iter": -(-steps // -(-n_rows // 200))}
