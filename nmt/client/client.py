"""The client of an endpoint."""

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Literal, Self, overload

import httpx
from pydantic import TypeAdapter
from typing_extensions import Unpack

from nmt.client.answers import DetectedLanguage, Document, Language, Translation, Translations
from nmt.client.batches import batches
from nmt.client.connection import Connection
from nmt.client.errors import EndpointError
from nmt.client.options import DocumentOptions, TranslateOptions

_LANGUAGES = TypeAdapter(list[Language])
_DETECTED = TypeAdapter(list[DetectedLanguage])
_POLL_SECONDS = 1.0


class Client:
    """A client of a translation endpoint.

    ```python
    with Client("http://127.0.0.1:8000") as client:
        print(client.translate("The doctor is at home.").text)
    ```

    It may be used by several threads.
    """

    def __init__(
        self,
        url: str,
        api_key: str | None = None,
        *,
        timeout_seconds: float = 60.0,
        max_retries: int = 6,
        concurrency: int = 4,
        max_texts: int = 128,
        max_characters: int = 20_000,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Set up the client; nothing is sent yet.

        Args:
            url: of the endpoint, such as `https://translate.example.org`.
            api_key: if the endpoint needs one.
            timeout_seconds: time for the answer to one request.
            max_retries: how often a request is sent again if the endpoint is busy or not reached.
            concurrency: how many requests are on their way at once, if a list of texts is cut.
            max_texts: maximum number of texts in a request, the endpoint's `serving.max_texts`.
            max_characters: maximum number of characters in a request.
            transport: replaces the network, for tests.
            sleep: waits between two tries.
        """
        self._connection = Connection(
            url,
            api_key,
            timeout_seconds=timeout_seconds,
            max_retries=max_retries,
            transport=transport,
            sleep=sleep,
        )
        self._concurrency = concurrency
        self._max_texts, self._max_characters = max_texts, max_characters
        self._sleep = sleep

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self._connection.close()

    @overload
    def translate(self, text: str, **options: Unpack[TranslateOptions]) -> Translation: ...
    @overload
    def translate(
        self, text: list[str] | tuple[str, ...], **options: Unpack[TranslateOptions]
    ) -> list[Translation]: ...
    def translate(
        self, text: str | list[str] | tuple[str, ...], **options: Unpack[TranslateOptions]
    ) -> Translation | list[Translation]:
        """Translate a text, or any number of texts in as many requests as they need.

        Args:
            text: a text or several.
            options: further keys of the request.

        Returns:
            A translation for a text, a list for several, in their order. If another engine is
            promoted meanwhile, different requests may be translated by different engines.

        Raises:
            EndpointError: a request was refused, or not answered.
        """
        texts = [text] if isinstance(text, str) else list(text)
        parts = list(batches(texts, self._max_texts, self._max_characters))
        if len(parts) == 1:
            found = self._translate(parts[0], options)
        else:
            with ThreadPoolExecutor(self._concurrency) as pool:
                answers = pool.map(lambda part: self._translate(part, options), parts)
                found = [each for answer in answers for each in answer]
        return found[0] if isinstance(text, str) else found

    def languages(self) -> list[Language]:
        """Return the languages that the endpoint translates."""
        return _LANGUAGES.validate_json(self._connection.send("GET", "languages").content)

    def detect(self, text: str) -> list[DetectedLanguage]:
        """Return the languages that a text may be in, the likeliest first."""
        answer = self._connection.send("POST", "detect", json={"q": text})
        return _DETECTED.validate_json(answer.content)

    def translate_document(
        self,
        path: str | Path,
        output: str | Path,
        *,
        on_progress: Callable[[Document], None] | None = None,
        **options: Unpack[DocumentOptions],
    ) -> Document:
        """Translate a file of any length; the endpoint's copies are deleted afterwards.

        Args:
            path: of the file.
            output: where the translation is written; an existing file is replaced.
            on_progress: called about every second with the state of the document.
            options: further fields of the request.

        Raises:
            EndpointError: the file was refused, or its translation failed.
        """
        document = self.submit_document(path, **options)
        while document.status in ("waiting", "translating"):
            self._sleep(_POLL_SECONDS)
            document = self.document(document.id)
            if on_progress:
                on_progress(document)
        if document.status != "done":
            message = document.error or f"the document {document.id} was cancelled"
            raise EndpointError(message, code=document.status)
        self.download_document(document.id, output)
        self.delete_document(document.id)
        return document

    def submit_document(self, path: str | Path, **options: Unpack[DocumentOptions]) -> Document:
        """Send a file, and return at once; the endpoint translates it in the background."""
        file = Path(path)
        files = {"file": (file.name, file.read_bytes())}
        answer = self._connection.send("POST", "v1/documents", files=files, data=options)
        return Document.model_validate_json(answer.content)

    def document(self, document_id: str) -> Document:
        """Return the state of a document."""
        answer = self._connection.send("GET", f"v1/documents/{document_id}")
        return Document.model_validate_json(answer.content)

    def cancel_document(self, document_id: str) -> Document:
        """Stop the translation of a document; what is translated is kept."""
        answer = self._connection.send("POST", f"v1/documents/{document_id}/cancel")
        return Document.model_validate_json(answer.content)

    def resume_document(self, document_id: str) -> Document:
        """Continue the translation of a document that was cancelled."""
        answer = self._connection.send("POST", f"v1/documents/{document_id}/resume")
        return Document.model_validate_json(answer.content)

    def download_document(self, document_id: str, output: str | Path) -> None:
        """Write the translation of a document to a file."""
        answer = self._connection.send("GET", f"v1/documents/{document_id}/result")
        target = Path(output)
        partial = target.with_name(f".{target.name}.partial")
        partial.write_bytes(answer.content)
        partial.replace(target)

    def delete_document(self, document_id: str) -> None:
        """Delete a document and its translation."""
        self._connection.send("DELETE", f"v1/documents/{document_id}")

    def send_feedback(
        self,
        text: str,
        translation: Translation,
        *,
        source: str,
        target: str,
        rating: Literal["good", "bad"] | None = None,
        correction: str | None = None,
    ) -> None:
        """Send a rating or a correction of a translation, if the endpoint takes feedback.

        Args:
            text: that was translated.
            translation: of it.
            source: FLORES-200 or ISO 639 code.
            target: the same of the translation.
            rating: of the translation.
            correction: a better translation.
        """
        body: Mapping[str, object] = {
            "text": text,
            "translation": translation.text,
            "engine": translation.engine,
            "source": source,
            "target": target,
            "rating": rating,
            "correction": correction,
        }
        self._connection.send("POST", "v1/feedback", json=body)

    def _translate(self, texts: Sequence[str], options: TranslateOptions) -> list[Translation]:
        """Translate a batch, in two halves if the endpoint has smaller limits than the client."""
        body = {"text": list(texts), **options}
        try:
            answer = self._connection.send("POST", "v1/translate", json=body)
        except EndpointError as error:
            if error.code != "too_large" or len(texts) == 1:
                raise
            middle = len(texts) // 2
            halves = texts[:middle], texts[middle:]
            return [each for half in halves for each in self._translate(half, options)]
        found = Translations.model_validate_json(answer.content)
        return [each.model_copy(update={"engine": found.engine}) for each in found.translations]
