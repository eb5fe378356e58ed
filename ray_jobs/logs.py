"""The log of a command and of its workers."""

import logging
import sys


def setup_logging() -> None:
    """Plain lines on standard output, with the time; libraries only when something is wrong."""
    logging.basicConfig(
        level=logging.WARNING, format="%(asctime)s %(message)s", datefmt="%H:%M:%S", force=True,
        stream=sys.stdout,
    )  # fmt: skip
    logging.raiseExceptions = False  # a line that has lost its reader is not worth a traceback
    for package in ("nmt", "ray_jobs"):
        logging.getLogger(package).setLevel(logging.INFO)
