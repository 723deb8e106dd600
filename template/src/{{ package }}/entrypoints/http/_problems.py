"""Errors as others see them: which status each has, and a document (RFC 9457) that says why."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus
from typing import cast

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from pydantic_core import ErrorDetails
from sqlalchemy.exc import IntegrityError
from starlette.exceptions import HTTPException

from ...errors import DomainError
from ...persistence import (
    DatabaseUnreachable,
    InvalidCursor,
    NotFound,
    PoolExhausted,
    StaleVersion,
)

log = logging.getLogger(__name__)

# Any other error is a bug: 500, and no more is said.
STATUSES: dict[type[Exception], int] = {
    NotFound: 404,
    DomainError: 409,
    StaleVersion: 409,
    InvalidCursor: 422,
    PoolExhausted: 503,
    DatabaseUnreachable: 503,
}

Handler = Callable[[Request, Exception], Awaitable[JSONResponse]]


class Problem(BaseModel):
    """What went wrong."""

    title: str
    status: int
    detail: str


class ProblemResponse(JSONResponse):
    """A problem as a response."""

    media_type = "application/problem+json"

    def __init__(self, status: int, detail: str, headers: dict[str, str] | None = None) -> None:
        problem = Problem(title=HTTPStatus(status).phrase, status=status, detail=detail)
        super().__init__(problem.model_dump(), status, headers)


def report_problems(app: FastAPI) -> None:
    """Answer every error with a problem."""
    for kind, status in STATUSES.items():
        app.add_exception_handler(kind, _with_its_message(status))
    app.add_exception_handler(IntegrityError, _refused_by_the_database)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _said_by_an_endpoint)
    app.add_exception_handler(Exception, _unexpected)


def _with_its_message(status: int) -> Handler:
    async def answer(_: Request, error: Exception) -> JSONResponse:
        return ProblemResponse(status, str(error))

    return answer


async def _refused_by_the_database(_: Request, error: Exception) -> JSONResponse:
    log.info("the database refused a request: %s", error)
    return ProblemResponse(409, "it contradicts what is there already")


async def _invalid(_: Request, error: Exception) -> JSONResponse:
    parts: Sequence[ErrorDetails] = cast("RequestValidationError", error).errors()
    complaints = (f"{'.'.join(map(str, part['loc']))}: {part['msg']}" for part in parts)
    return ProblemResponse(422, "; ".join(complaints))


async def _said_by_an_endpoint(_: Request, error: Exception) -> JSONResponse:
    said = cast("HTTPException", error)
    return ProblemResponse(said.status_code, said.detail, dict(said.headers or {}))


async def _unexpected(_: Request, error: Exception) -> JSONResponse:
    log.error("a request failed", exc_info=error)
    return ProblemResponse(500, "something is wrong with the program; nothing was saved")
