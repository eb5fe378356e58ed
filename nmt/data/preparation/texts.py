"""Texts of many pairs in files, read at any row."""

import mmap
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from typing import overload

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from typing_extensions import override

Rows = NDArray[np.int64]
# Linux maps up to 16 pages around each row that is read: so many rows map 16 MiB at most.
_ROWS_MAPPED = 250


class StoredTexts:
    """One side of all pairs: a file with the bytes of the texts, and one with their places."""

    def __init__(self, folder: Path, name: str) -> None:
        """Create the files of a column.

        Args:
            folder: for the files.
            name: of the column.
        """
        self._paths = folder / f"{name}.bytes", folder / f"{name}.offsets"
        self._open = ExitStack()
        self._bytes, self._offsets = (self._open.enter_context(p.open("wb")) for p in self._paths)
        self._offsets.write(np.zeros(1, np.int64).tobytes())
        self._rows = 0
        self._size = 0
        self._maps: list[mmap.mmap] = []
        self._column: pa.Array | None = None

    def append(self, texts: pa.ChunkedArray) -> None:
        """Add texts at the end."""
        for chunk in texts.chunks:
            if not len(chunk):
                continue
            _, places, content = chunk.buffers()
            offsets = np.frombuffer(places, np.int32)[chunk.offset :][: len(chunk) + 1]
            if content is not None:  # Arrow leaves the buffer out if all texts are empty
                self._bytes.write(content[int(offsets[0]) : int(offsets[-1])])
            self._offsets.write((offsets[1:].astype(np.int64) - offsets[0] + self._size).tobytes())
            self._size += int(offsets[-1] - offsets[0])
            self._rows += len(chunk)

    def take(self, rows: Rows) -> pa.Array:
        """Read the texts of some rows, in their order."""
        column = self._column = self._column or self._mapped()
        taken = [pa.array([], pa.string())]
        for first in range(0, len(rows), _ROWS_MAPPED):
            part = column.take(pa.array(rows[first : first + _ROWS_MAPPED]))
            taken.append(part.cast(pa.string()))
            # Pages of a mapped file count as memory of the process until they are released.
            for mapped in self._maps:
                mapped.madvise(mmap.MADV_DONTNEED)
        return pa.concat_arrays(taken)

    def close(self) -> None:
        """Close the files."""
        self._column = None
        self._maps.clear()
        self._open.close()

    def _mapped(self) -> pa.Array:
        self._open.close()
        content, places = (self._map(path) for path in self._paths)
        # An Arrow array on top of the files: its `take` runs in C++, without a copy of the file.
        buffers = [None, places, content]
        return pa.Array.from_buffers(pa.large_string(), self._rows, buffers)

    def _map(self, path: Path) -> pa.Buffer:
        if not path.stat().st_size:  # nothing can be mapped
            return pa.py_buffer(b"")
        with path.open("rb") as stream:
            mapped = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
        self._maps.append(mapped)
        return pa.py_buffer(mapped)


class _LazyTexts(Sequence[str]):
    """The texts of some rows of one side."""

    # Comparisons of all pairs often look at one side only.
    def __init__(self, stored: StoredTexts, rows: Rows) -> None:
        self._stored, self._rows = stored, rows

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, index: int) -> str: ...

    @overload
    def __getitem__(self, index: slice) -> list[str]: ...

    @override
    def __getitem__(self, index: int | slice) -> str | list[str]:
        return self._read[index]

    @override
    def __iter__(self) -> Iterator[str]:
        return iter(self._read)

    @cached_property
    def _read(self) -> list[str]:
        return self._stored.take(self._rows).to_pylist()


class StoredPairs:
    """Both sides of all pairs in files."""

    def __init__(self, folder: Path) -> None:
        """Create the files in a folder."""
        self.sources, self.targets = StoredTexts(folder, "source"), StoredTexts(folder, "target")

    def append(self, pairs: pa.Table) -> None:
        """Add the columns `source` and `target` of a table at the end."""
        self.sources.append(pairs["source"])
        self.targets.append(pairs["target"])

    def texts(self, rows: Rows) -> tuple[Sequence[str], Sequence[str]]:
        """Return the sources and the targets of some rows, each read when it is first used."""
        return _LazyTexts(self.sources, rows), _LazyTexts(self.targets, rows)

    def close(self) -> None:
        """Close the files."""
        self.sources.close()
        self.targets.close()
