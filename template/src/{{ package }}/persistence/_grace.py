"""The grace period: how long a signal waits for the end of a unit that the server keeps waiting."""

import os
import socket
import threading
from _thread import interrupt_main
from signal import Signals
from typing import Any

from sqlalchemy.orm import Session

_overdue: dict[int, "Ending"] = {}


class Ending:
    """The end of a unit: from its first signal on it has `grace` seconds left."""

    def __init__(self, session: Session, grace: float) -> None:
        # ast-grep-ignore: session-kept - it lives inside of one unit of work
        self._session = session
        self._grace = grace
        self._alarm: threading.Timer | None = None

    def hurry(self, number: int) -> None:
        """A signal is waiting."""
        if self._alarm is None or not self._alarm.is_alive():
            self._alarm = threading.Timer(self._grace, self._ring, [number])
            self._alarm.start()

    def stop(self) -> None:
        """It is over, and so is its alarm."""
        if self._alarm:
            self._alarm.cancel()
            self._alarm.join()

    def break_off(self) -> None:
        """Lose the connection, so that the driver stops waiting; in the main thread, which waits."""
        transaction = self._session.get_transaction()
        for connection in transaction.connections if transaction else ():
            if not (connection.closed or connection.invalidated):
                driver: Any = connection.connection.driver_connection
                with socket.socket(fileno=os.dup(driver.fileno())) as wire:
                    wire.shutdown(socket.SHUT_RDWR)

    def _ring(self, number: int) -> None:
        """Have the handler called once more: no other thread can know whose the connection is."""
        _overdue[number] = self
        interrupt_main(Signals(number))


def broke_off(number: int) -> bool:
    """Break off the ending whose alarm this signal is, if it is one."""
    ending = _overdue.pop(number, None)
    if ending:
        ending.break_off()
    return ending is not None
