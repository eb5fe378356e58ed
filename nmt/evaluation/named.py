"""The test sets and systems that a command names, beside those of an earlier one."""

from collections.abc import Collection


def named_below(user_set: Collection[str], section: str) -> set[str]:
    """Return the names below a section of which the user has set something."""
    prefix = f"{section}."
    return {key.removeprefix(prefix).split(".")[0] for key in user_set if key.startswith(prefix)}
