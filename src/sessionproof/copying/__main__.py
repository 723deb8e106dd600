"""`python -m sessionproof.copying PACKAGE SOURCE`, in the environment of the project PACKAGE.

Prints a line of JSON for each step. The last line has the tables, or the reason for a refusal.
"""

import json
import os
import sys
from contextlib import redirect_stdout
from dataclasses import asdict
from functools import partial
from importlib import import_module
from typing import TextIO

from .errors import CopyRefused
from .tables import copy


def main(answers: TextIO, package: str, source: str) -> int:
    """Copy, print the result, and return the exit code."""
    tell = partial(_tell, answers)
    kernel = import_module(f"{package}.persistence")
    settings = import_module(f"{package}.settings").Settings
    metadata = import_module(f"{package}.unit_of_work").metadata
    message_of = import_module(f"{package}.entrypoints.commands._messages").message_of

    def report(table: str, done: int, total: int) -> None:
        tell(table=table, done=done, total=total)

    try:
        tables = copy(source, kernel, settings(), metadata, report)
    except Exception as error:
        refusal = str(error) if isinstance(error, CopyRefused) else message_of(error)
        if not refusal:
            raise
        tell(refused=refusal)
        return 1
    tell(tables=[asdict(table) for table in tables])
    return 0


def _tell(answers: TextIO, **answer: object) -> None:
    print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    answers = sys.stdout
    try:
        with redirect_stdout(sys.stderr):  # keeps the project's own output apart from the answers
            sys.exit(main(answers, *sys.argv[1:]))
    except (KeyboardInterrupt, BrokenPipeError):  # the transaction was rolled back
        os.dup2(os.open(os.devnull, os.O_WRONLY), answers.fileno())
        sys.exit(130)
