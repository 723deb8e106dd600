"""Hooks of Schemathesis: new keys of idempotency, and exceptions from two of its checks."""

import re
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import schemathesis
from schemathesis.checks import CHECKS
from schemathesis.core.failures import Failure

KEY = "Idempotency-Key"
# JSON Schema cannot express these rules. Each is the beginning of an error's `detail`.
RULES = (
    "cursor must come from a page in the same order",
    "the key ",  # was used for a different request
    "Decimal input should have no more than",  # digits of a number that is not sent as text
    # Schemathesis compares limits of 64 bits as floats.
    "Input should be less than 9223372036854775808",
    "Input should be greater than or equal to -9223372036854775808",
    "Base64 decoding error",
    "String should have at least 1 character",  # without spaces around it
    "Value error, JSON must have no NUL characters",
    "Value error, JSON must be nested at most",
)
VALID: Any = CHECKS.get_one("positive_data_acceptance")
INVALID: Any = CHECKS.get_one("negative_data_rejection")


@schemathesis.hook
def map_headers(context: Any, headers: Any) -> Any:
    """Use most keys once: the response to a repeated key may show a row that is gone."""
    if headers and re.fullmatch("[!-~]{1,200}", str(headers.get(KEY, ""))):
        headers[KEY] = str(uuid4())
    return headers


@schemathesis.check
def acceptance_of_valid_data(context: Any, response: Any, case: Any) -> None:
    """Check as `positive_data_acceptance` does, unless only such rules were broken."""
    if response.status_code == 422:
        problem = response.json()
        errors = problem.get("errors", [problem])
        if all(error["detail"].startswith(RULES) for error in errors):
            return
    VALID(context, response, case)


@schemathesis.check
def rejection_of_invalid_data(context: Any, response: Any, case: Any) -> None:
    """Check as `negative_data_rejection` does, but Pydantic reads numbers as dates and times."""
    try:
        INVALID(context, response, case)
    except Failure:
        if not _has_number_as_date(case.body, response):
            raise


def _has_number_as_date(body: object, response: Any) -> bool:
    if response.status_code != 201 or not isinstance(body, Mapping):
        return False
    saved = response.json()
    return any(
        type(value) in (int, float) and re.match(r"\d{4}-\d\d-\d\d", str(saved.get(name)))
        for name, value in body.items()
    )
