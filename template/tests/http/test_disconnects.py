"""Clients that disconnect and clients that are slow leave nothing open."""

import random
import socket
import time
from concurrent.futures import ThreadPoolExecutor

from ..kit.served import Served, reset

AT_ONCE = 20
STREAM = b"GET /lines/100 HTTP/1.1\r\nHost: localhost\r\n\r\n"
UPLOAD = b"""POST /authors HTTP/1.1\r
Host: localhost\r
Content-Type: application/json\r
Content-Length: 50000\r
\r
{"name": \""""


def still_serves(served: Served) -> bool:
    served.wait_until_nothing_is_in_use()
    return served.ask("POST", "/authors", {"name": "the last one"}).status == 201


def test_incident_4_clients_that_disconnect_during_an_answer_leave_nothing_open(
    served: Served,
) -> None:
    def vanish(moment: float) -> None:
        connection = served.connect()
        connection.sendall(STREAM)
        time.sleep(moment / 2)
        connection.recv(int(moment * 1_000_000) + 1)
        reset(connection)

    with ThreadPoolExecutor(AT_ONCE) as clients:
        list(clients.map(vanish, [random.random() for _ in range(AT_ONCE * 3)]))  # noqa: S311

    assert still_serves(served)


def test_incident_4_an_incomplete_upload_is_not_processed(served: Served) -> None:
    for sent in range(AT_ONCE):
        connection = served.connect()
        connection.sendall(UPLOAD + b"x" * sent * 1000)
        reset(connection)

    assert still_serves(served)
    assert served.ask("GET", "/authors").body == ["the last one"]


def test_incident_7_slow_readers_hold_no_connection_to_the_database(served: Served) -> None:
    readers = [served.connect() for _ in range(AT_ONCE)]
    for reader in readers:
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        reader.sendall(STREAM)
        reader.recv(100)

    try:
        assert still_serves(served)
    finally:
        for reader in readers:
            reset(reader)
