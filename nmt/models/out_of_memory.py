"""Out-of-memory errors of a GPU or of this machine, as one exception."""

from collections.abc import Callable
from typing import TypeVar

import torch

Result = TypeVar("Result")


class DoesNotFitError(Exception):
    """Memory ran out while a number of rows was processed."""

    def __init__(self, rows: int) -> None:
        super().__init__(rows)
        self.rows = rows


def attempt(work: Callable[[], Result], rows: int) -> Result:
    """Run work on a number of rows and return its result.

    Raises:
        DoesNotFitError: memory ran out; the tensors that the work made are freed.
    """
    try:
        return work()
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
    # Outside of the except block the traceback is gone, and with it the failed work's tensors.
    # Only now can the cache return their memory.
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    raise DoesNotFitError(rows)


def is_out_of_memory(error: RuntimeError) -> bool:
    """Tell whether an error means that a GPU, or this machine, ran out of memory."""
    # The CPU allocator and cuBLAS raise a plain RuntimeError.
    return isinstance(error, torch.OutOfMemoryError) or any(
        words in str(error) for words in ("can't allocate memory", "CUBLAS_STATUS_ALLOC_FAILED")
    )
