"""Where the repository is, and the pages and settings files in it."""

import importlib.util
import re
from pathlib import Path
from types import ModuleType

PROJECT = Path(__file__).parents[2]
PAGES = [
    *sorted(PROJECT.glob("*.md")),
    *sorted((PROJECT / "docs").glob("*.md")),
    *sorted((PROJECT / "helm" / "nmt").glob("*.md")),
]
CONFIGS = sorted((PROJECT / "configs").glob("*.yaml"))

CODE_BLOCK = re.compile(r"^ *```(\w*)\n(.*?)^ *```", re.MULTILINE | re.DOTALL)


def relative(path: Path) -> str:
    """Return a path of the repository as it is written in a page."""
    return path.relative_to(PROJECT).as_posix()


def load_script(path: Path) -> ModuleType:
    """Import a script that is in no package."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
