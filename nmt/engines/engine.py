"""The interface of an engine, and how an engine folder is loaded."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from nmt.config import ServingConfig
from nmt.decoding.hypothesis import Hypothesis
from nmt.decoding.settings import DEFAULT_SEARCH, Sampling, Search
from nmt.engines.card import EngineCard, read_card
from nmt.errors import MissingPackageError, install_command

Row = list[Any]
"""Tokens of a sentence or of a part of one: strings or ids, depending on the engine."""

if TYPE_CHECKING:
    from nmt.engines.torch_engine import TorchEngine


class Engine(Protocol):
    """A loaded model that is ready to translate."""

    digest: str
    card: EngineCard
    memory_bytes: int
    """Memory that the engine takes, estimated from its files."""

    def encode(self, sentence: str) -> Sequence[Row]:
        """Tokenize a sentence; return several rows, to be translated in order, if it is long.

        A sentence without text has no rows.
        """
        ...

    def translate(self, rows: Sequence[Any]) -> list[str]:
        """Translate encoded rows, in order."""
        ...

    def close(self) -> None:
        """Free the engine's memory; nothing may use the engine from then on."""
        ...


class SearchEngine(Engine, Protocol):
    """An engine that also returns several hypotheses of a row, and how probable they are."""

    def search(
        self,
        rows: Sequence[Any],
        options: Search = DEFAULT_SEARCH,
        *,
        scored: bool = False,
        sampling: Sampling | None = None,
    ) -> list[list[Hypothesis]]:
        """Find the best hypotheses of each row, in order.

        Args:
            rows: as `encode` returns them.
            options: how many hypotheses of each row, and how they are searched.
            scored: whether to compute their probabilities.
            sampling: unless None, sample translations, and take those most like the others in
                chrF, instead of a beam search.
        """
        ...


def load_engine(folder: Path, serving: ServingConfig, digest: str | None = None) -> SearchEngine:
    """Load the engine in a folder that was fetched from the storage root.

    Args:
        folder: the engine's folder or a cached copy of it.
        serving: beam size, length penalty and processors.
        digest: the engine's digest, by default the folder's name.

    Raises:
        TranslationError: the engine cannot be loaded or mistranslates its golden sentence.
        MissingPackageError: the engine needs torch, which is not installed.
    """
    card, digest = read_card(folder), digest or folder.name
    if card.format == "torch":
        return _import_torch_engine()(folder, digest, card, serving)
    # Imported on demand, like torch: an engine needs only its own library.
    from nmt.engines.ctranslate2_engine import CTranslate2Engine

    engine = CTranslate2Engine(folder, digest, card, serving)
    engine.warm_up()
    return engine


def _import_torch_engine() -> "type[TorchEngine]":
    # Imported on demand: torch takes seconds to import, and most endpoints do not install it.
    try:
        from nmt.engines.torch_engine import TorchEngine
    except ImportError as error:
        raise MissingPackageError(
            f"a torch engine needs the package '{error.name}': {install_command('train')}, or "
            "export with export.format=ctranslate2, where model and adapter allow it"
        ) from None
    return TorchEngine
