from fastapi.testclient import TestClient


def test_a_task_is_added_and_found(client: TestClient) -> None:
    added = client.post("/tasks", json={"title": "Write the report"})

    assert added.status_code == 201
    shown = client.get(f"/tasks/{added.json()['id']}").json()
    assert shown["title"] == "Write the report"
    assert [event["state"] for event in shown["events"]] == ["pending"]


def test_a_task_that_is_not_there_is_a_problem(client: TestClient) -> None:
    answer = client.get("/tasks/7")

    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"] == "no Task with key 7"


# Your tests, below this line -----------------------------------------------------------
