# The part of pyarrow that nmt/storage uses: pyarrow itself has no types. Other names stay `Any`.
from typing import Any

class ArrowException(Exception): ...

def __getattr__(name: str) -> Any: ...  # noqa: ANN401 - untyped
