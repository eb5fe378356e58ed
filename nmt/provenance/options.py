"""The options of the command `provenance`."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass

from nmt.errors import InputError, unknown_action

PROVENANCE = "provenance"
"""Name of the command."""
ABOUT = "sign an engine with the record of its origin, verify it, or show the record"
ACTIONS = ("sign", "verify", "show")
_DIGEST_CHARACTERS = frozenset("0123456789abcdef")


@dataclass(frozen=True, slots=True)
class ProvenanceCommand:
    """A call of the command `provenance`."""

    action: str
    """One of `ACTIONS`."""
    engine: str | None = None
    """Digest of the engine; None: that of the run."""


def add_provenance_options(parser: argparse.ArgumentParser) -> None:
    """Add the words and options of the command."""
    parser.usage = "%(prog)s {sign | verify | show} [--engine DIGEST] [key=value ...]"
    about = "engine to verify or show (default: that of run=NAME)"
    parser.add_argument("--engine", metavar="DIGEST", help=about)


def provenance_command(options: argparse.Namespace, words: Sequence[str]) -> ProvenanceCommand:
    """Read and check the words and options of a parsed command line.

    Raises:
        InputError: they do not fit.
    """
    action, *others = words or ("",)
    if action not in ACTIONS:
        raise unknown_action("provenance", action, ACTIONS)
    if others:
        raise InputError(f"provenance {action}: takes no '{others[0]}'; name a run by run=NAME")
    engine: str | None = options.engine
    if engine is not None:
        if action == "sign":
            raise InputError("--engine is not an option of `provenance sign`: give run=NAME")
        # It becomes a part of a path.
        if not engine or not _DIGEST_CHARACTERS.issuperset(engine):
            raise InputError(f"--engine {engine}: the digest of an engine is hexadecimal")
    return ProvenanceCommand(action, engine)
