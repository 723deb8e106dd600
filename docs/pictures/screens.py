"""Make the pictures of the example's page in a browser: `just pictures`."""

import json
import socket
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.request import Request, urlopen

import copier
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from tests.support.browser import HOST, open_browser, show, started

HERE = Path(__file__).resolve().parent
TEMPLATE = HERE.parents[1]
TITLES = ("Send the invoices", "Import customers", "Rebuild the search index", "Resize pictures")


def main() -> None:
    """Render a project, serve it, and photograph its page."""
    with TemporaryDirectory() as scratch:
        project = Path(scratch).resolve() / "project"
        answers = {"http": True}
        copier.run_copy(str(TEMPLATE), project, answers, vcs_ref="HEAD", defaults=True, quiet=True)
        with started(project, "db", "upgrade") as upgrade:
            upgrade.communicate()
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port: int = listener.getsockname()[1]
        with started(project, "http", "run", "--port", str(port)) as server:
            assert server.stdout
            next(line for line in server.stdout if "listening" in line)
            fill(port)
            take("page", port, project, width=1000, height=520, scheme="light")
            take("page-on-a-phone", port, project, width=360, height=720, scheme="dark")


def fill(port: int) -> None:
    """Add tasks in every state."""

    def post(path: str, body: object) -> None:
        headers = {"Content-Type": "application/json"}
        url = f"http://127.0.0.1:{port}/tasks{path}"
        urlopen(Request(url, json.dumps(body).encode(), headers)).close()

    for title in TITLES:
        post("", {"title": title})
    for task in (1, 2, 3):
        post(f"/{task}/start", {})
    time.sleep(2)
    post("/1/finish", {"note": "212 invoices"})
    post("/2/fail", {"reason": "line 40 has no address"})


def take(name: str, port: int, folder: Path, *, width: int, height: int, scheme: str) -> None:
    """Watch a task on a screen of this size."""
    with open_browser(folder / name) as browser:
        show(browser, width=width, height=height, scheme=scheme)
        browser.get(f"http://{HOST}:{port}")
        button = (By.XPATH, f"//tr[td[text()='{TITLES[0]}']]//button")
        WebDriverWait(browser, 30).until(lambda page: page.find_elements(*button))[0].click()
        WebDriverWait(browser, 30).until(
            lambda page: len(page.find_elements(By.TAG_NAME, "li")) == 3
        )
        browser.execute_script("document.activeElement.blur(); scrollTo(0, 0)")
        browser.save_screenshot(HERE / f"{name}.png")


if __name__ == "__main__":
    main()
