"""The log of a command and of its workers."""

import logging
import os
import re
import sys
import warnings
from collections.abc import Mapping
from typing import Any

from nmt.errors import NmtError

VERBOSE_VARIABLE = "NMT_VERBOSE"
"""Environment variable that keeps what Ray itself says in the log."""

# Ray's C++ code: `[2026-11-27 03:29:30,104 E 116 200] core_worker.cc:12: …`, `[state-dump] …`.
_RAYS_OWN = re.compile(r"^\[(\d{4}-\d\d-\d\d [\d:,]+ [DIWEF] |state-dump\])")
_RAYS_PROCESSES = ("raylet", "autoscaler")


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


def quiet_ray() -> None:
    """Show the lines of workers as they wrote them, and leave out what Ray says about itself.

    Call this before `ray.init`. With $NMT_VERBOSE the log has all of it.
    """
    from ray._private import worker  # a command without a cluster must not pay for this

    show = worker.print_to_stdstream
    if os.environ.get(VERBOSE_VARIABLE) or show.__module__ == __name__:
        return

    def show_quietly(data: dict[str, Any], ignore_prefix: bool) -> None:
        lines = lines_for_users(data)
        if lines:
            show(data | {"lines": lines}, ignore_prefix=True)

    # Ray has no setting for this: it prints both the lines of workers and its own messages with it.
    worker.print_to_stdstream = show_quietly


def lines_for_users(data: Mapping[str, Any]) -> list[str]:
    """Return the lines of a process that are about the work, and not about Ray.

    A Ray process that is lost writes a dump of some 45 lines, twice. What it means for the work is
    told by the error of the work, or by the line about a lost worker.
    """
    if data.get("pid") in _RAYS_PROCESSES:
        return []
    return [line for line in data.get("lines", []) if not _RAYS_OWN.match(line)]
