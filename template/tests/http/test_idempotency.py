"""A request with an idempotency key runs once, however often it is sent."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from fastapi.testclient import TestClient

from ..kit.served import Served

ADA = {"name": "Ada"}
GRACE = {"name": "Grace"}
KEY = {"Idempotency-Key": "order-7"}


def test_a_repeated_request_gets_the_first_answer(api: TestClient) -> None:
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


def test_a_failed_request_runs_again_when_it_is_repeated(api: TestClient) -> None:
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
def test_an_invalid_key_is_refused(api: TestClient, key: str) -> None:
    answer = api.post("/authors", json=ADA, headers={"Idempotency-Key": key})

    assert answer.status_code == 422
    assert "Idempotency-Key" in answer.json()["detail"]


def test_one_of_many_concurrent_requests_with_one_key_runs(served: Served) -> None:
    def add(_: int) -> tuple[int, object, bool]:
        answer = served.ask("POST", "/authors", ADA, **KEY)
        return answer.status, answer.body["id"], "idempotency-replayed" in answer.headers

    with ThreadPoolExecutor(20) as clients:
        answers = list(clients.map(add, range(20)))

    assert sorted(answers) == [(201, 1, False), *[(201, 1, True)] * 19]
    assert served.ask("GET", "/authors").body == ["Ada"]
