"""Every answer matches the API's OpenAPI schema, for valid and for invalid requests."""

# Schemathesis has incomplete types, and passes arguments for an older httpx.
# pyright: basic

from typing import Any

import pytest
import schemathesis
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from schemathesis import Case, GenerationMode, checks

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

AT_MOST = 20  # requests to one operation
IN_ALL = 300  # fewer for each, if the API has many operations

# The same requests in every run.
bounded = settings(
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
)

CHECKS = [
    checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]


def test_every_answer_is_as_described(client: TestClient) -> None:
    schema = schemathesis.openapi.from_dict(client.get("/openapi.json").json())
    operations = [operation for path in schema for operation in schema[path].values()]

    assert operations
    bounds = settings(bounded, max_examples=max(5, min(AT_MOST, IN_ALL // len(operations))))
    for operation in operations:
        right, wrong = (operation.as_strategy(mode) for mode in GenerationMode)

        @bounds
        @given(case=right | wrong)
        def answer_is_as_described(case: Case[Any]) -> None:
            request: dict[str, Any] = case.as_transport_kwargs()
            case.validate_response(client.request(**request), checks=CHECKS)

        answer_is_as_described()
