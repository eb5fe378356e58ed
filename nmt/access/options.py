"""The options of the command `keys`, in a terminal and in a Pod beside the storage."""

import argparse
import re
from collections.abc import Sequence
from dataclasses import dataclass

from nmt.access.scopes import SCOPES, Scope
from nmt.errors import InputError, unknown_action

KEYS = "keys"
"""Name of the command."""
ABOUT = "create, list and revoke the API keys of an endpoint"
ACTIONS = ("create", "list", "revoke")
USAGE = "create NAME|list|revoke ID"

_MAX_NAME = 64
_MAX_DAYS = 36_500


@dataclass(frozen=True, slots=True)
class KeyCommand:
    """A call of the command `keys`."""

    action: str
    """One of `ACTIONS`."""
    operand: str = ""
    """Name of the new key, or id of the key to revoke."""
    scopes: tuple[Scope, ...] = ()
    requests_per_minute: int | None = None
    characters_per_minute: int | None = None
    expires_days: int | None = None
    hashed: str = ""
    """`ID:SHA256` of a key whose secret another process has made; empty: make one."""

    @property
    def writes(self) -> bool:
        """Tell whether the command changes the keys."""
        return self.action != "list"

    def words(self) -> list[str]:
        """Write the command as words of a command line."""
        words = [self.action, *([self.operand] if self.operand else [])]
        words += [f"--scope={scope}" for scope in self.scopes]
        for option, value in self._numbers():
            words += [f"{option}={value}"] if value is not None else []
        return [*words, *([f"--hashed={self.hashed}"] if self.hashed else [])]

    def check(self) -> None:
        """Refuse what the action does not take.

        Raises:
            InputError: names the word or the option.
        """
        if self.action not in ACTIONS:
            raise unknown_action("keys", self.action, ACTIONS)
        if self.action == "create":
            self._check_new()
            return
        if self.hashed:
            raise InputError(f"--hashed is not an option of `keys {self.action}`")
        if self.action == "revoke" and not self.operand:
            raise InputError("keys revoke: which key? give its ID, which `keys list` shows")
        if self.action == "list" and self.operand:
            raise InputError(f"keys list: takes no '{self.operand}'")
        given = [option for option, value in self._numbers() if value is not None]
        given += ["--scope"] if self.scopes else []
        if given:
            raise InputError(f"{given[0]} is an option of `keys create`, not of `{self.action}`")

    def _check_new(self) -> None:
        name = self.operand
        if not name.strip():
            raise InputError("keys create: what is the key for? give it a NAME")
        # It is shown within a line, where a control character would forge another one.
        if not name.isprintable() or len(name) > _MAX_NAME:
            raise InputError(
                f"keys create: a name has at most {_MAX_NAME} characters, all of them printable"
            )
        if self.hashed and not re.fullmatch(r"[0-9a-f]{8}:[0-9a-f]{64}", self.hashed):
            raise InputError("--hashed: must be ID:SHA256 of a key, as `nmt-k8s` makes it")
        for option, value in self._numbers():
            if value is not None and value < 1:
                raise InputError(f"{option} {value}: must be at least 1")
        if self.expires_days is not None and self.expires_days > _MAX_DAYS:
            raise InputError(f"--expires {self.expires_days}: must be at most {_MAX_DAYS} days")

    def _numbers(self) -> list[tuple[str, int | None]]:
        return [
            ("--requests-per-minute", self.requests_per_minute),
            ("--characters-per-minute", self.characters_per_minute),
            ("--expires", self.expires_days),
        ]


def add_key_options(parser: argparse.ArgumentParser) -> None:
    """Add the words and options of the command that a user gives."""
    parser.usage = "%(prog)s {create NAME | list | revoke ID} [options] [key=value ...]"
    add = parser.add_argument_group("options of create").add_argument
    add(
        "--scope",
        action="append",
        default=[],
        choices=SCOPES,
        help="what the key allows; may be repeated (default: translate)",
    )
    number = "maximum number of %s a minute, over all replicas (default: no limit)"
    add("--requests-per-minute", type=int, metavar="N", help=number % "requests")
    add("--characters-per-minute", type=int, metavar="N", help=number % "characters")
    add("--expires", type=int, metavar="DAYS", help="when the key ends (default: never)")


def add_hash_option(parser: argparse.ArgumentParser) -> None:
    """Add the option with which `nmt-k8s` gives a key to the Job beside the storage."""
    parser.add_argument("--hashed", default="", metavar="ID:SHA256", help=argparse.SUPPRESS)


def key_command(options: argparse.Namespace, words: Sequence[str]) -> KeyCommand:
    """Read and check the words and options of a parsed command line.

    Args:
        options: with those of `add_key_options`.
        words: the action, and what it is about.

    Raises:
        InputError: they do not fit.
    """
    action, *operands = words or ("",)
    if not action:
        raise InputError(f"keys: what to do? give {USAGE.replace('|', ' or ')}")
    if len(operands) > 1:
        raise InputError(f"keys {action}: give one word, not {len(operands)}; quote a name")
    # Without duplicates, in the order of the list.
    scopes: tuple[Scope, ...] = tuple(scope for scope in SCOPES if scope in options.scope)
    command = KeyCommand(
        action,
        operands[0] if operands else "",
        scopes,
        options.requests_per_minute,
        options.characters_per_minute,
        options.expires,
        getattr(options, "hashed", ""),
    )
    command.check()
    return command
