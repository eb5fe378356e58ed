"""The training loop and its parts: loss, optimizer, strategies, checkpoints, progress.

Knows nothing of Ray: a run reports through a callback and obeys the signal it returns.
"""
