"""The pictures of the documentation show real output."""

import re
import sys
from html import unescape
from pathlib import Path

import pytest

from .conftest import Render
from .support.repository import ROOT
from .support.shell import run

PICTURES = ROOT / "docs/pictures"


def words(picture: Path) -> list[str]:
    """The picture's text, without colours and positions."""
    text = picture.read_text(encoding="utf-8").split('-matrix">')[1]
    return [unescape(found).strip() for found in re.findall(r"<text [^>]*>(.*?)</text>", text)]


@pytest.fixture(scope="module")
def made(render: Render, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with newly made pictures."""
    folder = tmp_path_factory.mktemp("pictures")
    project = str(render())
    run(sys.executable, PICTURES / "make.py", "--project", project, "--into", folder, folder=ROOT)
    return folder


def test_every_picture_is_up_to_date(made: Path) -> None:
    kept = {path.name: words(path) for path in PICTURES.glob("*.svg")}

    assert kept == {path.name: words(path) for path in made.iterdir()}, "run `just pictures`"


def test_a_picture_loads_nothing_from_elsewhere() -> None:
    pictures = "".join(path.read_text(encoding="utf-8") for path in PICTURES.glob("*.svg"))

    assert {*re.findall(r"https?://[^\s\"')]+", pictures)} <= {
        "http://www.w3.org/2000/svg",
        "https://www.textualize.io",
    }
