"""A real browser, without a window."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from selenium import webdriver
from selenium.common.exceptions import (
    ElementNotInteractableException,
    StaleElementReferenceException,
)
from selenium.webdriver.support.wait import WebDriverWait


@contextlib.contextmanager
def chromium(folder: Path) -> Iterator[webdriver.Chrome]:
    """Start the browser, which keeps its files in `folder`."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    driver = shutil.which("chromedriver")
    assert (
        program and driver
    ), "the test needs Chromium and its driver: maintaining/ci/browser installs them"
    options = webdriver.ChromeOptions()
    options.binary_location = program
    for argument in (
        *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
        *("--disable-quic", "--no-first-run", "--disable-background-networking"),
        *("--disable-component-update", "--disable-sync", "--window-size=1400,900"),
        f"--user-data-dir={folder / 'browser'}",
    ):
        options.add_argument(argument)
    browser = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    try:
        yield browser
    finally:
        browser.quit()


def until(browser: webdriver.Chrome, condition: Callable[[], object]) -> None:
    """Wait for a condition on a page that is still loading."""
    unready = (StaleElementReferenceException, ElementNotInteractableException)
    WebDriverWait(browser, 90, 1, ignored_exceptions=unready).until(lambda _: condition())
