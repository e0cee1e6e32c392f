"""A browser for tests."""

import contextlib

from requirements import need


@contextlib.contextmanager
def chromium():
    """A headless Chromium driven by Playwright; skips the test, by name, where there is none."""
    path = need("chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()
