"""The engine card `engine.json`, which export writes and serving reads."""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from nmt.errors import TranslationError, first_validation_error, shortened
from nmt.languages import languages
from nmt.models.sources.fingerprint import Fingerprint

CARD_FILE = "engine.json"

EngineFormat = Literal["ctranslate2", "torch"]


class Golden(BaseModel):
    """A sentence and its greedy translation at export, to compare with after loading."""

    model_config = ConfigDict(frozen=True)

    source: str = Field(min_length=1)
    target: str = Field(min_length=1)


class EngineCard(BaseModel):
    """Content of `engine.json`, in a folder named by the engine's digest."""

    model_config = ConfigDict(frozen=True)

    format: EngineFormat = "ctranslate2"
    """Library that loads `model/`: CTranslate2, or transformers with torch."""
    has_adapter: bool = False
    """True if there is an `adapter/`, and `model/` is the base; only with torch."""
    run: str
    """Run that trained the model."""
    base: str
    """Model that the run started from."""
    base_fingerprint: Fingerprint | None = None
    """Fingerprint of that model's files; None in cards of earlier releases."""
    license: str
    """Licence of the base, which the engine inherits."""
    source_language: str
    """FLORES-200 code."""
    target_language: str
    """FLORES-200 code."""
    max_source_tokens: int = Field(gt=2)
    """Limit of a sentence, including its language code and end token."""
    golden: Golden

    @field_validator("source_language", "target_language")
    @classmethod
    def _check_language(cls, code: str) -> str:
        if code not in languages():
            raise ValueError(f"{shortened(code)!r} is not a FLORES-200 code: export the run again")
        return code


def write_card(folder: Path, card: EngineCard) -> None:
    """Write the card into an engine folder."""
    text = card.model_dump_json(indent=2)
    (folder / CARD_FILE).write_text(f"{text}\n", encoding="utf-8")


def read_card(folder: Path) -> EngineCard:
    """Read the card of an engine folder.

    Raises:
        TranslationError: the file is missing or not an engine card.
    """
    path = folder / CARD_FILE
    try:
        return EngineCard.model_validate_json(path.read_bytes())
    except OSError as error:
        raise TranslationError(f"{path}: cannot be read: {error.strerror}") from None
    except ValidationError as error:
        problem = first_validation_error(error)
        raise TranslationError(f"{path} is not an engine card: {problem}") from None
