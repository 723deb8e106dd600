"""Each error has one status, and its document reveals nothing internal."""

import time

import pytest
from fastapi.testclient import TestClient

from .library_api import SECRET


@pytest.mark.parametrize(
    ("kind", "status", "detail"),
    [
        ("domain", 409, "the shelf is full"),
        ("not-found", 404, "no Author with key 42"),
        ("stale-version", 409, "Author 1 was changed"),
        ("invalid-cursor", 422, "no such page"),
        ("refused", 418, "it is a teapot"),
        ("pool-exhausted", 503, "try again"),
        ("database-unreachable", 503, "try again"),
        ("commit-outcome-unknown", 500, "it is unknown whether this was saved"),
        ("transaction-aborted", 500, "the server has an error"),
        ("multiple-found", 500, "the server has an error"),
        ("value", 500, "the server has an error"),
    ],
)
def test_every_error_has_a_status_and_reveals_no_secret(
    api: TestClient, kind: str, status: int, detail: str
) -> None:
    answer = api.post(f"/errors/{kind}")

    assert answer.status_code == answer.json()["status"] == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert detail in answer.json()["detail"]
    assert SECRET not in answer.text
    assert ("retry-after" in answer.headers) == (status == 503)


def test_an_invalid_value_in_a_handler_is_an_internal_error(
    api: TestClient,
) -> None:
    answer = api.post("/bugs/validation")

    assert answer.status_code == 500
    assert SECRET not in answer.text


@pytest.mark.parametrize(
    ("method", "path", "content", "status"),
    [
        pytest.param("GET", "/nowhere", "", 404, id="unknown path"),
        pytest.param("PUT", "/authors", "", 405, id="unknown method"),
        pytest.param("POST", "/authors", "{", 422, id="no JSON"),
        pytest.param("POST", "/authors", '{"name": 7}', 422, id="invalid"),
    ],
)
def test_errors_of_the_framework_are_problems_too(
    api: TestClient, method: str, path: str, content: str, status: int
) -> None:
    answer = api.request(method, path, content=content)

    assert answer.status_code == answer.json()["status"] == status
    assert answer.headers["content-type"] == "application/problem+json"


def test_every_endpoint_describes_its_problems(api: TestClient) -> None:
    description = api.get("/openapi.json").json()

    described = [
        operation["responses"].get("default", {}).get("content", {}).keys()
        for operations in description["paths"].values()
        for operation in operations.values()
    ]
    assert len(described) > 5
    assert all(set(content) == {"application/problem+json"} for content in described)
    assert description["components"]["schemas"].keys() >= {"Problem", "InputError"}
    assert str(description).count("about:blank") == 1


def test_a_duplicate_is_a_conflict(api: TestClient) -> None:
    assert api.post("/authors", json={"name": "Ada"}).status_code == 201

    answer = api.post("/authors", json={"name": "Ada"})

    assert answer.status_code == 409
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/name"]
    assert "Ada" not in answer.text


def test_incident_4_a_commit_that_fails_is_answered_409_and_never_201(api: TestClient) -> None:
    answer = api.post("/books/42")  # the database checks the author at the commit

    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("kind", ["error", "exit", "interrupt", "cancelled"])
def test_background_work_can_fail_without_stopping_other_work(api: TestClient, kind: str) -> None:
    answer = api.post(f"/background/{kind}")

    assert answer.status_code == 202
    ends = time.monotonic() + 20
    while "later" not in api.get("/authors").json():
        assert time.monotonic() < ends
        time.sleep(0.05)
