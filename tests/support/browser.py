"""A browser without a window, and the commands of a project that serve it."""

import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

from selenium import webdriver
from selenium.webdriver.chrome.webdriver import WebDriver

from .shell import clean_environment

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
HOST = "tasks.example"  # for a browser, plain HTTP is insecure there, unlike on localhost


@contextmanager
def open_browser(profile: Path) -> Iterator[WebDriver]:
    """Headless Chromium, which knows one host, and makes no network requests of its own."""
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM or ""
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    for argument in (
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--hide-scrollbars",
        "--no-first-run",
        f"--host-resolver-rules=MAP {HOST} 127.0.0.1, MAP * ~NOTFOUND",
        f"--user-data-dir={profile}",
    ):
        options.add_argument(argument)
    with webdriver.Chrome(options, webdriver.ChromeService(DRIVER)) as browser:
        yield browser


def show(browser: WebDriver, *, width: int, height: int, scheme: str = "light") -> None:
    """Make the browser a screen of this size and this colour scheme."""
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
    preferred = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", preferred)


@contextmanager
def started(project: Path, *command: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """Run a command of the project until the end of the block."""
    ours = {"PYTHONPATH": str(project / "src"), "PYTHONUNBUFFERED": "1"}
    ours |= {"WORKER_LEASE": "1", "HTTP_HOSTS": HOST}
    program = "from task_queue.entrypoints.cli import app; app()"
    process = subprocess.Popen(
        [sys.executable, "-c", program, *command],
        cwd=project,
        env=clean_environment() | ours | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )
    try:
        yield process
    finally:
        process.terminate()
        process.communicate(timeout=30)


@contextmanager
def serving(project: Path) -> Iterator[str]:
    """Serve the project until the end of the block, and yield its address."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with started(project, "http", "run", "--port", str(port)) as server:
        assert server.stdout
        next(line for line in server.stdout if "listening" in line)
        reader = Thread(target=list, args=[server.stdout])  # a full pipe would block the server
        reader.start()
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            reader.join()
