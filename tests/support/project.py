"""Where the repository is, and the pages and settings files in it."""

import re
from pathlib import Path

PROJECT = Path(__file__).parents[2]
PAGES = [*sorted(PROJECT.glob("*.md")), *sorted((PROJECT / "docs").glob("*.md"))]
CONFIGS = sorted((PROJECT / "configs").glob("*.yaml"))

CODE_BLOCK = re.compile(r"^ *```(\w*)\n(.*?)^ *```", re.MULTILINE | re.DOTALL)


def relative(path: Path) -> str:
    """Return a path of the repository as it is written in a page."""
    return path.relative_to(PROJECT).as_posix()
