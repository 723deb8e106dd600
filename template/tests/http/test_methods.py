"""The methods of a path: HEAD, OPTIONS, and those that it does not have."""

import pytest
from fastapi.testclient import TestClient


@pytest.mark.parametrize(
    ("method", "path", "status", "allowed"),
    [
        ("HEAD", "/health/live", 204, None),
        ("HEAD", "/authors", 200, None),
        ("HEAD", "/docs", 200, None),
        ("HEAD", "/nowhere", 404, None),
        ("HEAD", "/anything", 405, "POST, OPTIONS"),
        ("OPTIONS", "/authors", 204, "GET, HEAD, POST, OPTIONS"),
        ("OPTIONS", "/nowhere", 404, None),
        ("PUT", "/authors", 405, "GET, HEAD, POST, OPTIONS"),
        ("PUT", "/docs", 405, "GET, HEAD, OPTIONS"),
    ],
)
def test_a_path_has_head_and_options_and_names_its_methods(
    api: TestClient, method: str, path: str, status: int, allowed: str | None
) -> None:
    answer = api.request(method, path)

    assert (answer.status_code, answer.headers.get("allow")) == (status, allowed)
