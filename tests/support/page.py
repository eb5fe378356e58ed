"""The page of the endpoint in a browser, served by the real application."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Request, Route

from tests.support.browser import errors_of

HEALTH = {
    "status": "ok",
    "engine": "d1",
    "base": "tiny",
    "license": "cc-by-nc-4.0",
    "source": "eng_Latn",
    "target": "tam_Taml",
    "feedback": True,
    "routes": [
        {
            "source": "eng_Latn", "target": "tam_Taml", "domain": None,
            "engine": "d1", "canary": None, "percent": 0,
        },
        {
            "source": "tam_Taml", "target": "eng_Latn", "domain": None,
            "engine": "d2", "canary": None, "percent": 0,
        },
        {
            "source": "eng_Latn", "target": "arb_Arab", "domain": "medical",
            "engine": "d3", "canary": "d4", "percent": 10,
        },
    ],
}  # fmt: skip
LANGUAGES = [
    {"code": "en", "name": "English", "targets": ["ta", "ar"]},
    {"code": "ta", "name": "Tamil", "targets": ["en"]},
]
SETTINGS = {
    "charLimit": 100,
    "keyRequired": False,
    "supportedFilesFormat": [".txt", ".md"],
    "feedback": True,
}

Reply = Callable[[Request], object]


class TranslatePage:
    """The page, with answers of the endpoint that the test puts in."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.errors = errors_of(page)
        self.bodies: list[tuple[str, Any]] = []
        """Paths and JSON bodies that the page has sent to replaced paths."""
        self.headers: list[dict[str, str]] = []
        self._url = url

    def answer(self, path: str, body: object, status: int = 200, **headers: str) -> None:
        """Answer a path with this from now on: JSON, text as it is, or a function's result."""

        def fulfill(route: Route) -> None:
            request = route.request
            is_json = "json" in request.headers.get("content-type", "")
            self.bodies.append((path, request.post_data_json if is_json else request.post_data))
            self.headers.append(request.headers)
            found = body(request) if callable(body) else body
            text = found if isinstance(found, str) else json.dumps(found)
            route.fulfill(status=status, body=text, headers={"X-Request-Id": "r1", **headers})

        self.page.route(f"{self._url}/{path}", fulfill)

    def answer_all(self, **settings: Any) -> None:
        """Answer all that the page asks for at its start."""
        self.answer("health", HEALTH)
        self.answer("languages", LANGUAGES)
        self.answer("frontend/settings", SETTINGS | settings)
        self.answer("v1/translate", translate)

    def start(self) -> None:
        """Open the page."""
        self.page.goto(f"{self._url}/")

    def open(self) -> None:
        """Open the page, and wait until it knows what is served."""
        self.start()
        self.page.locator("#served-engine", has_not_text="…").wait_for()

    def translate(self, text: str) -> None:
        """Type a text, and translate it with the keyboard."""
        self.page.fill("#source", text)
        self.page.press("#source", "Control+Enter")
        self.settle()

    def settle(self) -> None:
        """Wait for the end of a translation."""
        self.page.locator("#results:not([aria-busy])").wait_for()

    def texts(self, selector: str) -> list[str]:
        """Return the texts of the elements that are shown."""
        return [each.strip() for each in self.page.locator(f"{selector}:visible").all_inner_texts()]

    def options(self, name: str) -> list[str]:
        """Return the options of a choice."""
        return self.page.locator(f"#{name} option").all_text_contents()

    def error(self) -> str:
        """Return the error that is shown."""
        return "".join(self.texts("#error"))

    def focus(self) -> str:
        """Return the id or the name of what has the focus."""
        return self.page.evaluate(
            "document.activeElement.id || document.activeElement.ariaLabel ||"
            " document.activeElement.textContent || document.activeElement.tagName"
        )

    def findings(self) -> list[tuple[str, Any]]:
        """Return what axe-core objects to, once all colours have come to their end."""
        self.page.evaluate(
            "Promise.allSettled(document.getAnimations().map(each => each.finished)).then(() => 0)"
        )
        found = Axe().run(self.page).response["violations"]
        return [(each["id"], [node["target"] for node in each["nodes"]]) for each in found]


def translate(request: Request) -> object:
    """Answer a translation: upper case, with the marks that the words of a text ask for."""
    body: Any = request.post_data_json
    texts = body["text"] if isinstance(body["text"], list) else [body["text"]]
    engine = {"canary": "d4", "stable": "d3"}.get(body.get("engine", ""), "d1")
    answer = {
        "translations": [_translated(text, body, engine) for text in texts],
        "engine": engine,
        "source": "eng_Latn",
        "target": body["target"],
    }
    if body["source"] == "auto":
        answer["detected"] = {"language": "eng_Latn", "confidence": 0.98}
    return answer


def _translated(text: str, body: dict[str, Any], engine: str) -> dict[str, Any]:
    is_new = engine == "d4"
    found: dict[str, Any] = {"text": text.upper() + (" NEW" if is_new else "")}
    if body.get("details"):
        found["confidence"] = 0.3 if "unsure" in text else 0.9
        kinds = ["numbers"] if "1994" in text else []
        found["warnings"] = [{"kind": kind, "path": "", "source": text} for kind in kinds]
    if isinstance(terms := body.get("glossary"), dict):
        found["glossary"] = [
            {"source": term, "target": wanted, "count": 1, "applied": False}
            for term, wanted in terms.items()
        ]
    if count := body.get("alternatives"):
        found["alternatives"] = [f"{text.upper()} {number}" for number in range(count)]
    return found


@contextmanager
def open_page(browser: Browser, url: str, **options: Any) -> Iterator[TranslatePage]:
    """Make a page with a storage of its own; the test opens it."""
    context = browser.new_context(**options)
    try:
        yield TranslatePage(context.new_page(), url)
    finally:
        context.close()
