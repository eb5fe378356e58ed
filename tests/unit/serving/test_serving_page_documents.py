"""The page translates documents: upload, progress, download, and a list that survives a reload."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, FilePayload, expect

from tests.support.browser import needs_browser
from tests.support.page import TranslatePage, open_page

pytestmark = needs_browser

FILE: FilePayload = {"name": "menu.md", "mimeType": "text/markdown", "buffer": b"# Menu"}
OTHER: FilePayload = {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"Notes"}
LANGUAGES = {"source": "eng_Latn", "target": "tam_Taml"}
WAITING = {"id": "d1", "status": "waiting", "sentences": None, "sentences_done": 0} | LANGUAGES
HALF = {
    "id": "d1", "status": "translating", "sentences": 800, "sentences_done": 400,
    "seconds_left": 95,
}  # fmt: skip
DONE = {"id": "d1", "status": "done", "sentences": 800, "sentences_done": 800}


@pytest.fixture
def documents(browser: Browser, url: str) -> Iterator[TranslatePage]:
    """Open the page at its documents, with a clock that only the test moves."""
    with open_page(browser, url) as page:
        page.page.clock.install()
        page.answer_all()
        page.answer("v1/documents", WAITING, 202)
        page.open()
        page.page.get_by_role("tab", name="Text").press("ArrowRight")
        assert page.focus() == "documents-tab"
        yield page
        assert page.errors == []


def upload(page: TranslatePage, *files: FilePayload, first: Any = HALF) -> None:
    """Choose documents, and wait until their status has been asked for once."""
    page.answer("v1/documents/d1", first)
    page.page.set_input_files("#files", files)
    expect(page.page.locator(".state")).to_have_text(["Waiting for its turn"] * len(files))
    tick(page)


def tick(page: TranslatePage) -> None:
    """Let the page ask for the status of the documents."""
    page.page.clock.run_for(1500)


def state(page: TranslatePage, text: str) -> None:
    """Wait for the state of the only document."""
    expect(page.page.locator(".state")).to_have_text(text)


def press(page: TranslatePage, name: str) -> None:
    page.page.get_by_role("button", name=name).press("Enter")


def test_an_empty_list_says_so(documents):
    assert documents.texts("#no-documents") == [
        "No documents yet. Choose one above: it keeps its structure and its layout."
    ]
    assert documents.texts("#formats") == ["or drop them here: .txt .md"]


def test_a_document_is_uploaded_with_its_options_and_downloaded_with_its_name(documents):
    page = documents.page
    page.get_by_text("Options for new documents").click()
    page.fill("#encoding", "cp1252")
    page.check("#overwrite")
    upload(documents, FILE)
    state(documents, "Translating, 400 of 800 sentences, about 2 minutes left")
    assert page.locator("progress").evaluate("(each) => each.value") == 0.5
    _, sent = next(each for each in documents.bodies if each[0] == "v1/documents")
    for part in ('"source"\r\n\r\neng_Latn', '"target"\r\n\r\ntam_Taml', '"encoding"\r\n\r\ncp1252',
                 '"overwrite"\r\n\r\ntrue', 'filename="menu.md"'):  # fmt: skip
        assert part in sent
    assert '"engine"' not in sent

    expires = {"expires": "2026-11-27T01:30:00Z"}
    warning = {"kind": "numbers", "path": "line 3", "source": "In 1994."}
    documents.answer("v1/documents/d1", DONE | expires | {"warnings": [warning]})
    tick(documents)
    expect(page.locator(".state")).to_contain_text("Done, kept until")
    assert documents.texts(".document summary") == ["1 place to check"]
    page.get_by_text("1 place to check").click()
    assert documents.texts(".document details li") == ["Numbers differ, line 3\nIn 1994."]

    name = {"Content-Disposition": "attachment; filename*=UTF-8''menu.%E0%AE%A4.md"}
    documents.answer("v1/documents/d1/result", "# பட்டி", **name)
    with page.expect_download() as download:
        press(documents, "Download menu.md")
    assert download.value.suggested_filename == "menu.த.md"
    assert download.value.path().read_text("utf-8") == "# பட்டி"
    expect(page.locator(".state")).to_contain_text("Done, downloaded, kept until")


def test_a_document_is_cancelled_resumed_and_deleted_by_keyboard(documents):
    page = documents.page
    upload(documents, FILE)
    state(documents, "Translating, 400 of 800 sentences, about 2 minutes left")
    documents.answer("v1/documents/d1/cancel", WAITING)
    documents.answer("v1/documents/d1", HALF | {"status": "cancelled"})
    press(documents, "Cancel menu.md")
    state(documents, "Cancelled, 400 of 800 sentences")
    assert documents.focus() == "Resume menu.md"
    documents.answer("v1/documents/d1/resume", WAITING)
    documents.answer("v1/documents/d1", HALF | {"seconds_left": 5})
    press(documents, "Resume menu.md")
    state(documents, "Translating, 400 of 800 sentences, less than a minute left")
    assert documents.focus() == "Cancel menu.md"
    documents.answer("v1/documents/d1", HALF | {"status": "failed", "error": "line 3: no JSON"})
    tick(documents)
    expect(page.locator(".failure")).to_have_text("Line 3: no JSON.")
    press(documents, "Delete menu.md")
    expect(page.locator(".document")).to_have_count(0)
    assert documents.focus() == "files"


def test_the_list_survives_a_reload_and_a_document_may_be_gone(documents):
    page = documents.page
    upload(documents, FILE)
    page.reload()
    expect(page.locator("#documents-panel")).to_be_visible()
    state(documents, "Translating, 400 of 800 sentences, about 2 minutes left")
    documents.answer("v1/documents/d1", {"error": "no document", "code": "not_found"}, 404)
    tick(documents)
    state(documents, "No longer on the endpoint")
    press(documents, "Remove menu.md")
    page.reload()
    assert documents.texts(".document") == []
    documents.errors.clear()


def test_a_refused_document_says_why_beside_others(documents):
    upload(documents, FILE)
    documents.answer("v1/documents", {"error": "unknown format", "code": "unknown_format"}, 415)
    documents.page.set_input_files("#files", [OTHER])
    expect(documents.page.locator(".failure").first).to_have_text("Unknown format.")
    assert documents.texts(".state")[0] == "Not accepted"
    assert documents.texts(".file-name") == ["notes.txt", "menu.md"]
    documents.errors.clear()


def test_a_status_that_cannot_be_read_is_asked_for_again_less_often(documents):
    upload(documents, FILE)
    state(documents, "Translating, 400 of 800 sentences, about 2 minutes left")
    documents.answer("v1/documents/d1", "", 502)
    with documents.page.expect_response("**/v1/documents/d1"):
        tick(documents)
    documents.page.wait_for_timeout(200)
    documents.answer("v1/documents/d1", DONE)
    tick(documents)
    state(documents, "Translating, 400 of 800 sentences, about 2 minutes left")
    tick(documents)
    state(documents, "Done")
    documents.errors.clear()


def test_a_finished_document_is_deleted_only_after_a_question(documents):
    upload(documents, FILE, first=DONE)
    state(documents, "Done")
    documents.page.once("dialog", lambda dialog: dialog.dismiss())
    press(documents, "Delete menu.md")
    assert len(documents.texts(".document")) == 1
    documents.page.once("dialog", lambda dialog: dialog.accept())
    press(documents, "Delete menu.md")
    expect(documents.page.locator(".document")).to_have_count(0)


def test_a_document_that_is_dropped_anywhere_is_uploaded(documents):
    page = documents.page
    page.get_by_role("tab", name="Documents").press("Home")
    page.evaluate(
        """() => {
        const dataTransfer = new DataTransfer();
        dataTransfer.items.add(new File(["Notes"], "notes.txt"));
        for (const name of ["dragover", "drop"]) {
          document.body.dispatchEvent(
            new DragEvent(name, { dataTransfer, bubbles: true, cancelable: true }));
        }
        }"""
    )
    expect(page.locator(".file-name")).to_have_text("notes.txt")
    assert page.locator("#documents-panel").is_visible()


def test_with_a_key_the_documents_of_the_key_are_listed(documents):
    page = documents.page
    earlier = DONE | LANGUAGES | {"id": "d7", "name": "earlier.docx"}
    documents.answer("v1/documents", {"documents": [earlier]})
    documents.answer("v1/documents/d7", DONE)
    documents.answer("frontend/settings", {"keyRequired": True})
    page.reload()
    page.fill("#key", "nmt_1_2")
    page.press("#key", "Enter")
    expect(page.locator(".file-name")).to_have_text("earlier.docx")
    state(documents, "Done")
    assert documents.headers[-1]["authorization"] == "Bearer nmt_1_2"
