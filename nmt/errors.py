"""The errors of this project, each with a one-line message and an exit code.

Every class takes only its message, so that it survives pickling between Ray processes.
"""

import difflib
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import ValidationError


class NmtError(Exception):
    """An error that is reported without a traceback."""

    exit_code = 1


class InputError(NmtError):
    """An error in what the user gave, such as a setting, a file or a missing earlier step."""

    exit_code = 2


class ConfigError(InputError, ValueError):
    """An unknown, malformed or contradictory setting."""


class DataError(InputError, ValueError):
    """A corpus that cannot be read or is too small."""


class ModelError(InputError, ValueError):
    """A model, tokenizer or language code that does not fit."""


class MissingStepError(InputError):
    """A missing run, or a missing earlier step of a run."""


class StepConflictError(InputError):
    """A step that already exists under this run name with other settings."""


class InUseError(InputError):
    """Work on the storage root that another process is already doing."""


class WorseThanBaseError(InputError):
    """A trained model that is worse than the base it was made from."""


class NotAcceptedError(InputError):
    """An engine that the gate has not accepted."""


class MissingPackageError(InputError, ImportError):
    """A package of an extra that is needed but not installed."""


class UnavailableError(InputError):
    """A valid setting whose strategy, hub or service is not available."""


class ClusterError(NmtError, RuntimeError):
    """A cluster that is unreachable, forbids the request or lacks the resources or the image."""

    exit_code = 3


class UnreachableError(ClusterError):
    """A cluster that does not answer; it may answer again later."""


class StorageError(NmtError, RuntimeError):
    """A storage root that cannot be read or written."""


class DamagedRecordError(StorageError):
    """A file of the storage root that can be read and does not hold what it should."""


class SignatureError(NmtError, RuntimeError):
    """An engine that no accepted key has signed, or that differs from what was signed."""


class CheckpointError(NmtError, RuntimeError):
    """A missing checkpoint, or one that fails its manifest."""


class TrainingError(NmtError, RuntimeError):
    """A training that cannot continue, because of its loss or a lost worker group."""


class PreemptedError(TrainingError):
    """A worker stopped early by its host; the work resumes from its checkpoint."""


class DivergedError(TrainingError):
    """A loss that is no longer finite; a retry would end the same way."""


class InsufficientMemoryError(NmtError, RuntimeError):
    """Too little memory for the smallest unit of work; a retry would end the same way."""


class ExportError(NmtError, RuntimeError):
    """An export that cannot be written, or whose output differs from the trained model's."""


class RolledBackError(NmtError, RuntimeError):
    """An engine whose rollout has ended without its promotion."""


class TranslationError(NmtError, RuntimeError):
    """An engine that cannot be loaded or cannot translate."""


def install_command(extra: str) -> str:
    """Write the command that installs the packages of an extra."""
    # The checkout is named because `nmt` on a public package index need not be this project.
    return f"pip install '.[{extra}]' in a checkout of this project"


def shortened(text: str, characters: int = 80) -> str:
    """Cut a value to a length that fits in a message."""
    return text if len(text) <= characters else f"{text[: characters - 3]}..."


def did_you_mean(word: str, choices: Iterable[str], count: int = 3) -> str:
    """Suggest the choices that are spelt like a word, as the ending of a message."""
    return suggest(difflib.get_close_matches(word, list(choices), n=count, cutoff=0.6))


def unknown_action(command: str, action: str, actions: Sequence[str]) -> InputError:
    """Explain that a command has no such action."""
    known = f"choose one of {', '.join(actions)}.{did_you_mean(action, actions)}"
    return InputError(f"{command}: '{action}' is not an action: {known}")


def suggest(names: Iterable[str]) -> str:
    """Write `` Did you mean 'a' or 'b'?`` as the ending of a message; empty without names."""
    quoted = [repr(name) for name in names]
    return f" Did you mean {' or '.join(quoted)}?" if quoted else ""


def first_validation_error(error: "ValidationError", prefix: str = "") -> str:
    """Write the first error that pydantic found as `key: rule`.

    Args:
        error: the error.
        prefix: the key of the value that was validated, if it was a part of a larger one.
    """
    first = error.errors(include_url=False, include_input=False)[0]
    rule = first["msg"].removeprefix("Value error, ")
    key = ".".join(str(part) for part in ([prefix] if prefix else []) + list(first["loc"]))
    return f"{key}: {rule}" if key else rule
