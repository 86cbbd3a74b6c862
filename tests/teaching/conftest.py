"""A browser, and pages opened in it."""

import browser as chromium
import pytest

import langevin_sa as lsa


@pytest.fixture(scope="session")
def browser():
    if chromium.find() is None:
        pytest.skip(
            "no Chromium on this machine: the page's code was not run (apt-get install chromium)"
        )
    browser = chromium.Browser()
    yield browser
    browser.close()


@pytest.fixture
def opened(browser, tmp_path):
    """``opened(potential, address="", size=(1280, 800), **options) -> browser`` with the page
    loaded.
    """

    def open_page(potential, address="", size=(1280, 800), **options):
        lsa.page(potential, tmp_path / "page.html", **options)
        browser.screen(*size)
        browser.open(f"file://{tmp_path}/page.html#{address}")
        return browser

    return open_page
