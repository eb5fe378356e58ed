from enum import IntEnum
from typing import Any, BinaryIO, overload

class FileType(IntEnum):
    NotFound = 0
    Unknown = 1
    File = 2
    Directory = 3

class FileInfo:
    path: str
    base_name: str
    type: FileType
    size: int
    mtime_ns: int | None

class FileSelector:
    def __init__(
        self, base_dir: str, allow_not_found: bool = False, recursive: bool = False
    ) -> None: ...

class FileSystem:
    @staticmethod
    def from_uri(uri: str) -> tuple[FileSystem, str]: ...
    @overload
    def get_file_info(self, paths_or_selector: str) -> FileInfo: ...
    @overload
    def get_file_info(self, paths_or_selector: FileSelector) -> list[FileInfo]: ...
    def open_input_stream(self, path: str) -> BinaryIO: ...
    def open_input_file(self, path: str) -> BinaryIO: ...
    def open_output_stream(self, path: str) -> BinaryIO: ...
    def open_append_stream(self, path: str) -> BinaryIO: ...
    def copy_file(self, src: str, dest: str) -> None: ...
    def delete_file(self, path: str) -> None: ...
    def delete_dir(self, path: str) -> None: ...

class LocalFileSystem(FileSystem): ...

class S3FileSystem(FileSystem):
    region: str

def __getattr__(name: str) -> Any: ...  # noqa: ANN401 - untyped
