"""A campaign of random examples reports the result of each set."""

import os
import signal
from pathlib import Path
from typing import NoReturn

import pytest
from copier.errors import ForbiddenPathError

from .fuzz.campaign import explore


def be_refused() -> NoReturn:
    raise ForbiddenPathError(path=Path("somewhere"))  # it cannot be pickled


def be_killed() -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("it goes on")


def be_well() -> str:
    return "a tally"


def test_a_failing_set_does_not_hide_others(capsys: pytest.CaptureFixture[str]) -> None:
    found = explore({"one": be_refused, "two": be_killed, "three": be_well}, jobs=1)

    said = capsys.readouterr().out
    assert found == ["a tally"]
    assert "three is done: a tally\n" in said
    assert "one failed: copier.errors.ForbiddenPathError: " in said
    assert "two failed: A process in the process pool was terminated abruptly" in said
    assert said.endswith("2 of 3 failed\n")
