"""The example's web page and the description of its API, in a real browser."""

import json
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from selenium.webdriver.chrome.webdriver import WebDriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.wait import WebDriverWait

from .conftest import Render
from .support.browser import CHROMIUM, DRIVER, HOST, open_browser, show, started
from .support.shell import run_there
from .support.variants import Answers

AXE = (files("axe_core_python") / "axe.min.js").read_text(encoding="utf-8")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        CHROMIUM is None or DRIVER is None,
        reason="there is no browser: apt-get install chromium chromium-driver",
    ),
]


@pytest.fixture(scope="module")
def migrated(render: Render, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with every entrypoint, whose database has tables."""
    answers: Answers = {"database": "sqlite", "mode": "async", "http": True, "worker": True}
    project = shutil.copytree(render(**answers), tmp_path_factory.mktemp("page") / "project")
    run_there("alembic", "upgrade", "head", project=project)
    return project


@pytest.fixture
def project(migrated: Path, tmp_path: Path) -> Path:
    """A copy with its own database."""
    return shutil.copytree(migrated, tmp_path / "project")


@pytest.fixture
def port() -> int:
    """A port that is free."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@contextmanager
def serving(project: Path, port: int, **environment: str) -> Iterator[None]:
    """Serve the project on this port until the end of the block."""
    with started(project, "http", "run", "--port", str(port), **environment) as server:
        assert server.stdout
        next(line for line in server.stdout if "listening" in line)
        yield


@pytest.fixture
def address(project: Path, port: int) -> Iterator[str]:
    """Run the application, and yield its URL."""
    with serving(project, port):
        yield f"http://{HOST}:{port}"


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[WebDriver]:
    """A browser, whose pages must not violate their policy."""
    with open_browser(tmp_path / "browser") as browser:
        yield browser
        log = [entry["message"] for entry in browser.get_log("browser")]  # type: ignore[no-untyped-call]
        assert not [message for message in log if "Content Security Policy" in message]


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


def wait_for_titles(browser: WebDriver, *titles: str) -> None:
    """Wait until the list has these rows."""
    WebDriverWait(browser, 30).until(
        lambda page: (
            page.execute_script(
                "return [...document.querySelectorAll('td:nth-child(2)')].map((each) => each.textContent)"
            )
            == list(titles)
        )
    )


def violations(browser: WebDriver) -> list[str]:
    """What axe finds on the page: WCAG 2.1 AA, and its best practices."""
    browser.execute_script(AXE)
    found = browser.execute_async_script(
        "const [done] = arguments; axe.run().then((result) => done(result.violations))"
    )
    return [f"{each['help']}: {node['html']}" for each in found for node in each["nodes"]]


def post(port: int, path: str, body: object) -> None:
    """Send a request to the server, without the browser."""
    headers = {"Content-Type": "application/json"}
    sent = Request(f"http://127.0.0.1:{port}{path}", json.dumps(body).encode(), headers)
    urlopen(sent).close()


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

    wait_for(browser, "succeeded done in the background")


def test_a_submission_adds_one_task_however_often_it_is_repeated(
    address: str, browser: WebDriver
) -> None:
    browser.get(address)
    add(browser, " ")
    wait_for(browser, "title")  # the problem
    title = browser.find_element(By.NAME, "title")
    title.send_keys("one")
    ActionChains(browser).double_click(
        browser.find_element(By.CSS_SELECTOR, "#add button")
    ).perform()
    wait_for_titles(browser, "one")
    title.send_keys("two", Keys.ENTER, Keys.ENTER)
    wait_for_titles(browser, "two", "one")
    add(browser, "three")

    wait_for_titles(browser, "three", "two", "one")


def test_the_page_says_that_the_server_is_gone_and_goes_on_when_it_is_back(
    project: Path, port: int, browser: WebDriver
) -> None:
    with serving(project, port):
        browser.get(f"http://{HOST}:{port}")
        wait_for(browser, "No tasks yet")
        add(browser, "Write the report")
        wait_for_titles(browser, "Write the report")
    wait_for(browser, "Trying again")
    add(browser, "Post the letter")
    WebDriverWait(browser, 30).until(lambda page: page.find_element(By.ID, "problem").text)

    with serving(project, port):
        wait_for(browser, "Connected")
        post(port, "/tasks/1/start", {})
        steps = browser.find_element(By.ID, "steps")
        WebDriverWait(browser, 30).until(lambda _: "running" in steps.text)
        browser.find_element(By.CSS_SELECTOR, "#add button").click()
        wait_for_titles(browser, "Post the letter", "Write the report")


def test_the_page_is_for_everyone_and_fits_a_phone(
    port: int, address: str, browser: WebDriver
) -> None:
    for number in range(1, 22):
        post(port, "/tasks", {"title": f"{number}" if number < 21 else "W" * 200})
    post(port, "/tasks/21/start", {})
    show(browser, width=320, height=640)
    browser.get(address)
    watch(browser, "W" * 200)
    wait_for(browser, "running")

    for scheme in ("light", "dark"):
        show(browser, width=320, height=640, scheme=scheme)
        assert violations(browser) == []
    assert browser.execute_script("return document.documentElement.scrollWidth") == 320
    shown = browser.find_elements(By.CSS_SELECTOR, "button:not([hidden])")
    assert {min(44, *button.size.values()) for button in shown if button.is_displayed()} == {44}

    browser.find_element(By.ID, "older").send_keys(Keys.ENTER)
    wait_for_titles(browser, "1")
    browser.find_element(By.ID, "newer").send_keys(Keys.ENTER)
    WebDriverWait(browser, 30).until(lambda page: len(page.find_elements(By.TAG_NAME, "tr")) == 21)


def test_the_page_and_the_api_s_description_work_behind_a_proxy_and_without_the_internet(
    project: Path, port: int, browser: WebDriver
) -> None:
    with serving(project, port, HTTP_ROOT_PATH="/queue"):
        browser.get(f"http://{HOST}:{port}/queue/")
        add(browser, "Write the report")
        wait_for(browser, "pending")

        browser.get(f"http://{HOST}:{port}/queue/docs")
        wait_for(browser, "/tasks/{task_id}")
        browser.find_element(
            By.CSS_SELECTOR, ".opblock-get button:has([data-path='/tasks'])"
        ).send_keys(Keys.ENTER)
        wait_for(browser, "Try it out")
        browser.find_element(By.CSS_SELECTOR, ".try-out__btn").send_keys(Keys.ENTER)
        browser.find_element(By.CSS_SELECTOR, ".execute").send_keys(Keys.ENTER)
        wait_for(browser, '"title": "Write the report"')
