"""A request that carries a key is done once, however often and whenever it is sent."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from fastapi.testclient import TestClient

from ..kit.served import Served

ADA = {"name": "Ada"}
GRACE = {"name": "Grace"}
KEY = {"Idempotency-Key": "order-7"}


def test_a_request_that_is_sent_again_gets_the_answer_of_before(api: TestClient) -> None:
    first = api.post("/authors", json=ADA, headers=KEY)
    again = api.post("/authors", json=ADA, headers=KEY)

    assert (first.status_code, first.json()["name"]) == (201, "Ada")
    assert (again.status_code, again.json()) == (201, first.json())
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert api.get("/authors").json() == ["Ada"]


def test_a_key_of_another_request_is_refused(api: TestClient) -> None:
    api.post("/authors", json=ADA, headers=KEY)

    answer = api.post("/authors", json=GRACE, headers=KEY)

    assert answer.status_code == 422
    assert "use a new key" in answer.json()["detail"]
    assert api.get("/authors").json() == ["Ada"]


def test_a_request_that_failed_is_done_when_it_is_sent_again(api: TestClient) -> None:
    taken = api.post("/authors", json=ADA).json()["id"]
    assert api.post("/authors", json=ADA, headers=KEY).status_code == 409
    api.delete(f"/authors/{taken}")

    answer = api.post("/authors", json=ADA, headers=KEY)

    assert answer.status_code == 201
    assert "idempotency-replayed" not in answer.headers


def test_a_key_is_free_again_after_a_day(api: TestClient) -> None:
    api.post("/authors", json=ADA, headers=KEY)

    with time_machine.travel(datetime.now(UTC) + timedelta(hours=25), tick=True):
        answer = api.post("/authors", json=GRACE, headers=KEY)

    assert answer.status_code == 201
    assert api.get("/authors").json() == ["Ada", "Grace"]


@pytest.mark.parametrize("key", ["", "two words", "x" * 201])
def test_a_key_that_is_none_is_refused(api: TestClient, key: str) -> None:
    answer = api.post("/authors", json=ADA, headers={"Idempotency-Key": key})

    assert answer.status_code == 422
    assert "Idempotency-Key" in answer.json()["detail"]


def test_of_many_with_one_key_at_once_one_is_done(served: Served) -> None:
    def add(_: int) -> tuple[int, object, bool]:
        answer = served.ask("POST", "/authors", ADA, **KEY)
        return answer.status, answer.body["id"], "idempotency-replayed" in answer.headers

    with ThreadPoolExecutor(20) as clients:
        answers = list(clients.map(add, range(20)))

    assert sorted(answers) == [(201, 1, False), *[(201, 1, True)] * 19]
    assert served.ask("GET", "/authors").body == ["Ada"]
