"""Run `sessionproof` and stop it with a signal before the given step.

`python stop_at_step.py STEP SIGNAL COUNT word …`. A step is a program that the command runs, or a
change of a file in the working directory. The number of steps is written into the file COUNT.
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
    """Run the command, and count its steps."""
    seen, here = 0, str(Path.cwd())

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal seen
        writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & os.O_WRONLY
        is_here = (event in STEPS or writes) and str(arguments[0]).startswith(here)
        if event == "subprocess.Popen" or is_here:
            seen += 1
            if seen == stop:
                os.kill(os.getpid(), how)

    # A shell lets background processes ignore Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.addaudithook(watch)
    atexit.register(lambda: count.write_text(str(seen), encoding="utf-8"))
    sys.argv[1:] = words
    runpy.run_module("sessionproof", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), signal.Signals(int(sys.argv[2])), Path(sys.argv[3]), *sys.argv[4:])
