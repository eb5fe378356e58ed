"""The log of a command and of its workers."""

import logging
import sys
import warnings

from nmt.errors import NmtError


def setup_logging() -> None:
    """Log plain lines with the time to standard output, and of libraries only warnings."""
    logging.basicConfig(
        level=logging.WARNING, format="%(asctime)s %(message)s", datefmt="%H:%M:%S", force=True,
        stream=sys.stdout,
    )  # fmt: skip
    logging.raiseExceptions = False  # a line that has lost its reader is not worth a traceback
    for package in ("nmt", "ray_jobs"):
        logging.getLogger(package).setLevel(logging.INFO)


def quiet_libraries() -> None:
    """Turn off the progress bars and the advice of the libraries."""
    from transformers.utils import logging as transformers_logging

    transformers_logging.disable_progress_bar()
    transformers_logging.set_verbosity_error()
    for package in ("transformers", "torch.distributed"):
        warnings.filterwarnings("ignore", category=FutureWarning, module=package)


def quiet_expected_failures() -> None:
    """Log expected failures of a worker as one line, without a traceback."""
    logging.getLogger("ray.train.v2._internal.util").addFilter(_without_traceback)


def _without_traceback(record: logging.LogRecord) -> bool:
    """Replace the traceback of an expected error by its message."""
    # Ray logs an error of the training while it handles it, with the traceback in the text.
    error = sys.exc_info()[1]
    if isinstance(error, NmtError):
        record.msg, record.args = str(error), ()
    elif isinstance(error, RuntimeError) and "gloo/transport" in str(error):
        record.msg, record.args = "the connection to another worker was lost", ()
    return True
