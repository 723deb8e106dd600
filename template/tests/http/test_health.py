from fastapi.testclient import TestClient


def test_an_application_that_runs_is_live_and_ready(client: TestClient) -> None:
    assert client.get("/health/live").status_code == 204
    assert client.get("/health/ready").status_code == 204
