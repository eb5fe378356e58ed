"""Log levels of third-party libraries that warn while they are imported."""

import logging


def quiet_libraries() -> None:
    """Hide warnings that do not concern this project's users."""
    # It warns about a CPU kernel that is not used here.
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)
    # It warns that there is no GPU. A filter is used because DeepSpeed sets its own level later.
    logging.getLogger("DeepSpeed").addFilter(lambda record: record.levelno >= logging.ERROR)
