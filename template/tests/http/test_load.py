"""Many concurrent requests on few connections to the database."""

from concurrent.futures import ThreadPoolExecutor

from ..kit.served import Served

AT_ONCE = 100


def test_incident_11_a_hundred_requests_at_once_all_succeed_and_none_is_lost(
    served: Served,
) -> None:
    names = [f"author {number}" for number in range(AT_ONCE)]

    def add(name: str) -> int:
        return served.ask("POST", "/authors", {"name": name}).status

    with ThreadPoolExecutor(AT_ONCE) as clients:
        statuses = list(clients.map(add, names))

    assert statuses == [201] * AT_ONCE
    assert sorted(served.ask("GET", "/authors").body) == sorted(names)
    served.wait_until_nothing_is_in_use()
