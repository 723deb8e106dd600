"""Run `sessionproof` and stop it with a signal before the given step.

`python interruptions.py STEP SIGNAL COUNT word …`. A step is a program that it runs, or something
that it does to a file of the working directory. How many there are goes into the file COUNT.
"""

import atexit
import os
import runpy
import signal
import sys
from pathlib import Path

STEPS = {
    *("os.chmod", "os.link", "os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.symlink"),
}


def main(stop: int, how: signal.Signals, count: Path, *words: str) -> None:
    """Run it, and count its steps."""
    seen, here = 0, str(Path.cwd())

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal seen
        writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & os.O_WRONLY
        is_here = (event in STEPS or writes) and str(arguments[0]).startswith(here)
        if event == "subprocess.Popen" or is_here:
            seen += 1
            if seen == stop:
                os.kill(os.getpid(), how)

    # A shell lets what it starts in the background ignore Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.addaudithook(watch)
    atexit.register(lambda: count.write_text(str(seen), encoding="utf-8"))
    sys.argv[1:] = words
    runpy.run_module("sessionproof", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), signal.Signals(int(sys.argv[2])), Path(sys.argv[3]), *sys.argv[4:])
