"""What the description of the API promises, tried with what it allows and much that it does not."""

# Schemathesis leaves parameters of its types open, and sends what an older httpx wanted.
# pyright: basic

from collections.abc import Callable
from typing import Any

import pytest
import schemathesis
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from schemathesis import BaseSchema, Case, GenerationMode, Response, checks

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

# The same requests in every run.
bounded = settings(
    max_examples=20,
    stateful_step_count=6,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
)


@pytest.fixture
def schema(client: TestClient) -> BaseSchema:
    return schemathesis.openapi.from_dict(client.get("/openapi.json").json())


@pytest.fixture
def send(client: TestClient) -> Callable[[Case[Any]], Response]:
    """Sends a request. Raises where the answer is a bug, or is not as described."""

    def send(case: Case[Any]) -> Response:
        request: dict[str, Any] = case.as_transport_kwargs()
        response = Response.from_any(client.request(**request))
        case.validate_response(
            response,
            checks=[
                checks.not_a_server_error,
                checks.status_code_conformance,
                checks.content_type_conformance,
                checks.response_headers_conformance,
                checks.response_schema_conformance,
            ],
        )
        return response

    return send


def test_every_answer_is_as_described(
    schema: BaseSchema, send: Callable[[Case[Any]], Response]
) -> None:
    operations = [operation for path in schema for operation in schema[path].values()]

    assert operations
    for operation in operations:
        right, wrong = (operation.as_strategy(mode) for mode in GenerationMode)

        @bounded
        @given(case=right | wrong)
        def answer_is_as_described(case: Case[Any]) -> None:
            send(case)

        answer_is_as_described()


def test_every_answer_in_a_series_of_requests_is_as_described(
    schema: BaseSchema,
    send: Callable[[Case[Any]], Response],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    series = schema.as_state_machine()
    monkeypatch.setattr(series, "call", lambda _, case, **_options: send(case))
    monkeypatch.setattr(series, "validate_response", lambda *_, **_options: None)

    series.run(settings=bounded)
