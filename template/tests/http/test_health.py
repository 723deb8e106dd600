"""Whether the process runs, and whether it can do its work."""

from fastapi.testclient import TestClient


def test_an_application_that_runs_is_live_and_ready(client: TestClient) -> None:
    assert client.get("/health/live").status_code == 204
    answer = client.get("/health/ready")

    assert answer.status_code == 200
    found = answer.json()
    assert found["database"] == found["migrations"] == {"ok": True}
    assert all(pool["ok"] and pool["in_use"] == 0 for pool in found["pools"].values())
