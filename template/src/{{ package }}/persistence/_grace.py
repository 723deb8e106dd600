"""The grace period: how long a signal waits for the end of a unit that the server keeps waiting."""

import os
import socket
from types import FrameType

import psycopg

_answer = psycopg.Connection.wait.__code__


def break_off(frame: FrameType | None) -> None:
    """Lose the connection whose answer the frame waits for, so that the driver stops waiting."""
    while frame and frame.f_code is not _answer:
        frame = frame.f_back
    if frame:
        connection: psycopg.Connection = frame.f_locals["self"]
        if not connection.closed:
            with socket.socket(fileno=os.dup(connection.fileno())) as wire:
                wire.shutdown(socket.SHUT_RDWR)
