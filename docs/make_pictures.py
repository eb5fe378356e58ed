"""The pictures of the README: a run's report and the translation page in a browser.

The script needs a Chromium, and a finished run whose engine an endpoint serves:

    nmt quickstart
    nmt serve run=quickstart serving.feedback=true
    python docs/make_pictures.py runs/quickstart http://127.0.0.1:8000 --browser /usr/bin/chromium
"""

import argparse
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

IMAGES = Path(__file__).parent / "images"
# From the domain of the quickstart's corpus, as its small model knows little else.
TEXT = """\
If you have a cough, rest for two days.
The patient must meet the nurse.
The boy was admitted to the clinic."""


def take_report(browser: Browser, run: Path, image: Path) -> None:
    """Take a picture of the top of a run's report."""
    page = browser.new_page(viewport={"width": 1100, "height": 1400})
    page.goto((run / "report.html").resolve().as_uri())
    page.screenshot(path=image)


def take_translation(browser: Browser, url: str, text: str, width: int, image: Path) -> None:
    """Type a text into the endpoint's page, and take a picture of the translation."""
    page = browser.new_page(viewport={"width": width, "height": 600})
    page.goto(url)
    page.fill("#source", text)
    page.click("#go")
    # The page asks the endpoint in the background, so the translation is not there at once.
    page.locator("#results .translation").first.wait_for()
    page.screenshot(path=image, full_page=True)


def main() -> None:
    """Take all pictures."""
    parser = argparse.ArgumentParser(description="Make docs/images from a run and an endpoint.")
    parser.add_argument("run", type=Path, help="folder of a finished run")
    parser.add_argument("endpoint", help="address of an endpoint that serves the run's engine")
    parser.add_argument("--browser", help="path of a Chromium; Playwright's own by default")
    parser.add_argument("--text", default=TEXT, help="text to translate")
    options = parser.parse_args()
    IMAGES.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        # Chromium refuses to start its sandbox as root, as in a container.
        browser = playwright.chromium.launch(
            executable_path=options.browser, chromium_sandbox=False
        )
        take_report(browser, options.run, IMAGES / "report.png")
        for name, width in (("page.png", 1100), ("page-phone.png", 390)):
            take_translation(browser, options.endpoint, options.text, width, IMAGES / name)
        browser.close()


if __name__ == "__main__":
    main()
