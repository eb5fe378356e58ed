"""The templates of the endpoint's paths."""

from collections.abc import Iterable

from starlette.routing import compile_path


class PathTemplates:
    """The templates of paths, such as `/v1/documents/{id}`."""

    def __init__(self, templates: Iterable[str]) -> None:
        names = list(templates)
        # Nearly all requests are to a path without parameters.
        self._plain = frozenset(name for name in names if "{" not in name)
        self._patterns = [(compile_path(name)[0], name) for name in names if "{" in name]

    def template_of(self, path: str) -> str | None:
        """Return the template of a path, or None if the endpoint has nothing there."""
        if path in self._plain:
            return path
        return next((name for pattern, name in self._patterns if pattern.match(path)), None)
