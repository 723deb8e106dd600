"""The example's web page, in a real browser, while workers start and die."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webdriver import WebDriver
from selenium.webdriver.support.wait import WebDriverWait

from .conftest import Render
from .support.shell import clean_environment, run_there
from .support.variants import Answers

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
LISTENING = re.compile(r"http://127\.0\.0\.1:\d+")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        CHROMIUM is None or DRIVER is None,
        reason="there is no browser: apt-get install chromium chromium-driver",
    ),
]


@pytest.fixture
def project(render: Render, tmp_path: Path) -> Path:
    """A project with every entrypoint, and with its own database."""
    answers: Answers = {"database": "sqlite", "mode": "async", "http": True, "worker": True}
    project = shutil.copytree(render(**answers), tmp_path / "project")
    run_there("alembic", "upgrade", "head", project=project)
    return project


@contextmanager
def started(project: Path, *command: str) -> Iterator[subprocess.Popen[str]]:
    """Run a command of the project until the end of the block."""
    ours = {"PYTHONPATH": str(project / "src"), "WORKER_LEASE": "1", "PYTHONUNBUFFERED": "1"}
    program = "from task_queue.entrypoints.cli import app; app()"
    process = subprocess.Popen(
        [sys.executable, "-c", program, *command],
        cwd=project,
        env=clean_environment() | ours,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )
    try:
        yield process
    finally:
        process.terminate()
        process.communicate(timeout=30)


@pytest.fixture
def address(project: Path) -> Iterator[str]:
    """Run the application, and yield its URL."""
    with started(project, "http", "run", "--port", "0") as server:
        assert server.stdout
        yield next(found[0] for line in server.stdout if (found := LISTENING.search(line)))


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[WebDriver]:
    """Headless Chromium, without network requests of its own."""
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM or ""
    for argument in (
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--no-first-run",
        f"--user-data-dir={tmp_path / 'browser'}",
    ):
        options.add_argument(argument)
    with webdriver.Chrome(options, webdriver.ChromeService(DRIVER)) as browser:
        yield browser


def wait_for(browser: WebDriver, text: str) -> None:
    """Wait until the page shows this text."""
    WebDriverWait(browser, 30).until(
        lambda page: text in page.find_element(By.TAG_NAME, "body").text,
        f"the page does not say {text!r}",
    )


def add(browser: WebDriver, title: str) -> None:
    """Type into the page's form and submit it."""
    browser.find_element(By.NAME, "title").send_keys(title)
    browser.find_element(By.CSS_SELECTOR, "#add button").click()


def watch(browser: WebDriver, title: str) -> None:
    """Click the button beside the task."""
    row = f"//tr[td[text()='{title}']]//button"
    WebDriverWait(browser, 30).until(lambda page: page.find_elements(By.XPATH, row))
    browser.find_element(By.XPATH, row).click()


def test_a_task_is_added_in_one_window_and_watched_in_another_while_a_worker_is_killed(
    project: Path, address: str, browser: WebDriver
) -> None:
    browser.get(address)
    add(browser, "Write the report")
    wait_for(browser, "pending")
    browser.switch_to.new_window("window")
    browser.get(address)
    watch(browser, "Write the report")
    wait_for(browser, "pending")

    with started(project, "worker", "run") as worker:
        wait_for(browser, "attempt 1")
        worker.kill()
    with started(project, "worker", "run"):
        wait_for(browser, "attempt 2")
        wait_for(browser, "succeeded")


def test_a_task_is_started_from_the_page(address: str, browser: WebDriver) -> None:
    browser.get(address)
    add(browser, "Post the letter")
    wait_for(browser, "pending")
    browser.find_element(By.ID, "start").click()

    wait_for(browser, "succeeded: done in the background")


def test_errors_are_shown(address: str, browser: WebDriver) -> None:
    browser.get(address)
    add(browser, " ")

    wait_for(browser, "title")
