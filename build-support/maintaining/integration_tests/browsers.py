"""A real browser, without a window."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.common.exceptions import (
    ElementNotInteractableException,
    StaleElementReferenceException,
)
from selenium.webdriver.support.wait import WebDriverWait

PROGRAM = shutil.which("chromium") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
needs_browser = pytest.mark.skipif(
    not (PROGRAM and DRIVER),
    reason="needs Chromium and its driver: maintaining/ci/browser installs them",
)


@contextlib.contextmanager
def chromium(folder: Path) -> Iterator[webdriver.Chrome]:
    """Start the browser, which keeps its files in `folder`."""
    assert PROGRAM and DRIVER
    options = webdriver.ChromeOptions()
    options.binary_location = PROGRAM
    for argument in (
        *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
        *("--disable-quic", "--no-first-run", "--disable-background-networking"),
        *("--disable-component-update", "--disable-sync", "--window-size=1400,900"),
        f"--user-data-dir={folder / 'browser'}",
    ):
        options.add_argument(argument)
    browser = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    try:
        yield browser
    finally:
        browser.quit()


def until(browser: webdriver.Chrome, condition: Callable[[], object]) -> None:
    """Wait for a condition on a page that is still loading."""
    unready = (StaleElementReferenceException, ElementNotInteractableException)
    WebDriverWait(browser, 90, 1, ignored_exceptions=unready).until(lambda _: condition())
