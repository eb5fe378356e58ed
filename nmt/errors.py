"""The errors of this project: one line for the user, one exit code for the shell.

Every class takes its message alone, so that it survives pickling between Ray processes.
"""

import difflib
from collections.abc import Iterable


class NmtError(Exception):
    """Anything this project reports without a traceback."""

    exit_code = 1


class InputError(NmtError):
    """What the user gave cannot work: a setting, a file, a missing earlier step."""

    exit_code = 2


class ConfigError(InputError, ValueError):
    """A setting is unknown, malformed or contradicts another."""


class DataError(InputError, ValueError):
    """A corpus cannot be read or holds too little."""


class ModelError(InputError, ValueError):
    """A model, tokenizer or language code does not fit."""


class MissingStepError(InputError):
    """A run, or an earlier step of it, is not there."""


class StepConflictError(InputError):
    """A step exists under this run name with other settings."""


class InUseError(InputError):
    """Another process does the same work on the storage root."""


class WorseThanBaseError(InputError):
    """What was trained is worse than the base it was made from."""


class MissingPackageError(InputError, ImportError):
    """A command needs an extra that is not installed."""


class UnavailableError(InputError):
    """The setting is valid, and what it asks for is not there: a strategy, a hub."""


class ClusterError(NmtError, RuntimeError):
    """The cluster cannot do it: not reachable, not allowed, no room, an image that is not there."""

    exit_code = 3


class UnreachableError(ClusterError):
    """The cluster does not answer; it may again in a while."""


class StorageError(NmtError, RuntimeError):
    """The storage root cannot be read or written."""


class CheckpointError(NmtError, RuntimeError):
    """No usable checkpoint, or one that fails its manifest."""


class TrainingError(NmtError, RuntimeError):
    """Training cannot go on: a loss that is not finite, a lost worker group."""


class PreemptedError(TrainingError):
    """A worker was told to go before its end: the same work goes on from its checkpoint."""


class DivergedError(TrainingError):
    """The loss is no finite number any more: to try again would end the same way."""


class InsufficientMemoryError(NmtError, RuntimeError):
    """The memory does not hold the smallest piece of the work: to try again would end the same."""


class ExportError(NmtError, RuntimeError):
    """What is exported cannot be written, or does not answer as the trained model."""


class TranslationError(NmtError, RuntimeError):
    """An engine could not be loaded or could not translate."""


def install_command(extra: str) -> str:
    """Write how to install the packages of an extra.

    It names the checkout: the name `nmt` on a public package index need not be this project.
    """
    return f"pip install '.[{extra}]' in a checkout of this project"


def shortened(text: str, characters: int = 80) -> str:
    """Cut a value that a message quotes: whoever sent it may have sent a book."""
    return text if len(text) <= characters else f"{text[: characters - 3]}..."


def did_you_mean(word: str, choices: Iterable[str], count: int = 3) -> str:
    """Ending for a message: `` Did you mean 'a' or 'b'?``, or nothing when none is near."""
    near = difflib.get_close_matches(word, list(choices), n=count, cutoff=0.6)
    return f" Did you mean {' or '.join(repr(n) for n in near)}?" if near else ""
