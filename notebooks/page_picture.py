"""Draws page.png, the picture of the page in README (extra `browser`, and Chromium)."""

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import sync_playwright

from lloydq import walk
from lloydq.demo import PHOTO


def main() -> None:
    with TemporaryDirectory() as folder, sync_playwright() as playwright:
        walk.page(PHOTO, 8).save(path := Path(folder) / "steps.html")
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 860}, color_scheme="light")
        page.goto(f"{path.as_uri()}#step=12")
        page.wait_for_function("() => document.getElementById('sentence').textContent")
        page.screenshot(path=Path(__file__).parent / "page.png")
        browser.close()


if __name__ == "__main__":
    main()
