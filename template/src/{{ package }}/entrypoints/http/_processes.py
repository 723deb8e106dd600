"""Several processes with one socket. A process that ends is replaced, and all stop together."""

import logging
import signal
import time
from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from socket import socket
from types import FrameType

PAUSE = 1  # seconds before a process is replaced: it may fail again immediately

log = logging.getLogger(__name__)
spawn = get_context("spawn")

Serve = Callable[[socket, float, Connection], None]


class Processes:
    """Runs `serve(listener, grace, parent)` in several processes.

    `parent` is a connection that ends when the processes shall stop, and when this process dies.
    """

    def __init__(self, count: int, serve: Serve, listener: socket, grace: float) -> None:
        self._parent, self._end = spawn.Pipe(duplex=False)
        self._serve = serve
        self._arguments = (listener, grace, self._parent)
        self._count = count
        self._running: list[SpawnProcess] = []

    def run(self) -> None:
        """Run until a signal, and until all processes have stopped after it."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._handle)
        while True:
            while len(self._running) < self._count and not self._end.closed:
                self._running.append(self._start())
            if not self._running:
                return
            wait([process.sentinel for process in self._running])
            for process in [each for each in self._running if not each.is_alive()]:
                self._running.remove(process)
                if not self._end.closed:
                    log.error("replacing a process that ended: exit code %s", process.exitcode)
                    time.sleep(PAUSE)

    def _start(self) -> SpawnProcess:
        process = spawn.Process(target=self._serve, args=self._arguments)
        process.start()
        return process

    def _handle(self, number: int, frame: FrameType | None) -> None:
        """Stop all processes at the first signal; end them immediately at the second."""
        if self._end.closed:
            for process in self._running:
                process.kill()
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        self._end.close()
