"""A line about each request, as JSON, without its text.

`docs/monitoring.md` lists the fields.
"""

import atexit
import hashlib
import json
import logging
import secrets
import sys
import threading
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path

from nmt.serving.monitoring.metrics import METHODS, OTHER, PATHS

_LOG = logging.getLogger(__name__)
_FLUSH_SECONDS = 0.5
_MAX_BYTES = 16 * 2**20
_MAX_FILES = 5
# A disk that hangs must not fill the memory: further lines are counted and dropped.
_MAX_BUFFERED_BYTES = 4 * 2**20
# In ASCII: control characters and line separators are escaped, and every text can be encoded.
_encode = json.JSONEncoder(separators=(",", ":")).encode


class AccessLog:
    """A rotating file to which a thread appends, so that no request waits for the disk."""

    def __init__(
        self, path: Path, *, max_bytes: int = _MAX_BYTES, max_files: int = _MAX_FILES
    ) -> None:
        """Start the thread.

        Args:
            path: the current file, in a folder that exists; `.1` is the one before it, and so on.
            max_bytes: size at which a new file is begun.
            max_files: number of files, the current one included.
        """
        # Opened with the first lines.
        self._file = _RotatingFile(
            path, maxBytes=max_bytes, backupCount=max_files - 1, encoding="ascii", delay=True
        )
        # Another key in each process, so that addresses cannot be found by hashing all of them.
        self._key = secrets.token_bytes(16)
        self._lines: list[str] = []
        self._buffered = self._dropped = 0
        self._lock = threading.Lock()
        self._has_lines = threading.Event()
        self._is_closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="access log", daemon=True)
        self._thread.start()
        atexit.register(self.close)

    def write(
        self,
        *,
        request_id: str,
        method: str,
        path: str | None,
        status: int,
        seconds: float,
        key: str = "",
        client: str = "",
        code: str = "",
        engine: str = "",
        route: str = "",
        texts: int = 0,
        characters: int = 0,
        source_tokens: int = 0,
        target_tokens: int = 0,
        cached: int = 0,
    ) -> None:
        """Add a line about a request; it is in the file within a second.

        Args:
            request_id: id that the answer has.
            method: HTTP method; an unknown one is written as `other`.
            path: template of the route. The path itself is not written, as it may hold anything.
            status: HTTP status of the answer.
            seconds: time from the arrival of the request to its answer.
            key: id of the API key.
            client: who asked; written as a hash that is the same for as long as the process lives.
            code: code of the error, if the answer is one.
            engine: digest of the engine that translated.
            route: key in the traffic file.
            texts: number of texts.
            characters: number of characters of all texts.
            source_tokens: tokens of all sentences.
            target_tokens: tokens of their translations.
            cached: number of sentences whose translation was remembered.
        """
        record = {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "request_id": request_id,
            "key": key,
            "client": self._hash(client) if client else "",
            "method": method if method in METHODS else OTHER,
            "path": path if path in PATHS else OTHER,
            "status": status,
            "milliseconds": round(1000 * seconds, 1),
            "code": code,
            "engine": engine,
            "route": route,
            "texts": texts,
            "characters": characters,
            "source_tokens": source_tokens,
            "target_tokens": target_tokens,
            "cached": cached,
        }
        self._append(_encode(record))

    def close(self) -> None:
        """Write the lines that are left and end the thread."""
        self._is_closed.set()
        self._has_lines.set()
        self._thread.join(timeout=5)
        self._file.close()
        atexit.unregister(self.close)

    def _hash(self, client: str) -> str:
        content = client.encode(errors="surrogatepass")
        return hashlib.blake2b(content, key=self._key, digest_size=8).hexdigest()

    def _append(self, line: str) -> None:
        with self._lock:
            if self._buffered > _MAX_BUFFERED_BYTES:
                self._dropped += 1
                return
            self._lines.append(line)
            self._buffered += len(line) + 1
        self._has_lines.set()

    def _run(self) -> None:
        while not self._is_closed.is_set():
            self._has_lines.wait()
            # More lines come meanwhile, and are written together.
            self._is_closed.wait(_FLUSH_SECONDS)
            self._has_lines.clear()
            self._flush()
        self._flush()

    def _flush(self) -> None:
        """Append the lines to the file; if that fails, they are lost."""
        with self._lock:
            lines, self._lines, self._buffered = self._lines, [], 0
            dropped, self._dropped = self._dropped, 0
        if dropped:
            lines.append(_encode({"dropped": dropped}))
        if lines:
            # As one record: the handler looks at the file's size, and flushes, for each of them.
            self._file.append("\n".join(lines))


class _RotatingFile(RotatingFileHandler):
    """The file and the earlier ones, with an error of the disk as one warning."""

    _error: BaseException | None = None

    def append(self, text: str) -> None:
        """Append a text and a line break."""
        before, self._error = self._error, None
        self.handle(logging.makeLogRecord({"msg": text}))
        if self._error and not before:
            _LOG.warning("the access log %s cannot be written: %s", self.baseFilename, self._error)

    def handleError(self, record: logging.LogRecord) -> None:
        """Keep the error, instead of printing a traceback for each attempt."""
        self._error = sys.exc_info()[1]
