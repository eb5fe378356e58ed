"""The log of the operator: one JSON object a line, as collectors of logs want it."""

import json
import logging
import sys
from datetime import UTC, datetime

_FIELDS = ("campaign",)


class JsonLines(logging.Formatter):
    """A line with the time, the level, the message, and what it is about."""

    def format(self, record: logging.LogRecord) -> str:
        """Write a record as one line."""
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line = {"time": time, "level": record.levelname.lower(), "message": record.getMessage()}
        line |= {name: getattr(record, name) for name in _FIELDS if hasattr(record, name)}
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def log_as_json(level: int = logging.INFO) -> None:
    """Send the log of the operator to standard output."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)  # of libraries
    for name in ("k8s", "nmt"):
        logging.getLogger(name).setLevel(level)
