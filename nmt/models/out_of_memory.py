"""Work that the memory of a GPU, or of this machine, may not hold."""

from collections.abc import Callable
from typing import TypeVar

import torch

Result = TypeVar("Result")


class DoesNotFitError(Exception):
    """The memory did not hold the work on so many rows."""

    def __init__(self, rows: int) -> None:
        super().__init__(rows)
        self.rows = rows


def attempt(work: Callable[[], Result], rows: int) -> Result:
    """The result of the work on so many rows.

    Raises:
        DoesNotFitError: it ran out of memory; what it had made is free again.
    """
    try:
        return work()
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
    # Here the failed work's tensors are free.
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    raise DoesNotFitError(rows)


def is_out_of_memory(error: RuntimeError) -> bool:
    """Whether a GPU, or this machine, had no memory left."""
    return isinstance(error, torch.OutOfMemoryError) or any(
        words in str(error) for words in ("can't allocate memory", "CUBLAS_STATUS_ALLOC_FAILED")
    )
