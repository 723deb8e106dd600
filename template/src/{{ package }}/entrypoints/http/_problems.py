"""Responses for errors: a status for each, and a problem document (RFC 9457)."""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from http.client import responses
from typing import Any, NamedTuple, cast

from anyio import move_on_after
from fastapi import FastAPI, Request
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from pydantic.json_schema import SkipJsonSchema, models_json_schema
from pydantic_core import ErrorDetails
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError
from starlette.exceptions import HTTPException
from starlette.types import Message, Receive, Scope, Send

from ...errors import DomainError
from ...persistence import (
    AlreadyExists,
    CommitOutcomeUnknown,
    DatabaseReadOnly,
    DatabaseUnreachable,
    InvalidCursor,
    InvalidValue,
    NotFound,
    PoolExhausted,
    StaleVersion,
)
from ...persistence.idempotency import KeyReused
from ._input_errors import LONGEST, MOST, InputError, conflicting_parts, invalid_parts
from ._transient import is_transient

PATIENCE = 1  # seconds

log = logging.getLogger(__name__)


class Answer(NamedTuple):
    """The response for an error; without `detail`, it has the error's message."""

    status: int
    detail: str = ""
    retry_after: int | None = None


BUSY = Answer(503, "the server is busy; try again", 1)
AWAY = Answer(503, "the database does not answer; try again", 5)

# Any other error is a bug.
ANSWERS: dict[type[Exception], Answer] = {
    DomainError: Answer(409),
    NotFound: Answer(404),
    StaleVersion: Answer(409),
    InvalidCursor: Answer(422),
    InvalidValue: Answer(422),
    KeyReused: Answer(422),
    AlreadyExists: Answer(409),
    IntegrityError: Answer(409, "this contradicts existing data, so nothing was saved"),
    DataError: Answer(422, "a value does not fit into the database"),
    PoolExhausted: BUSY,
    DatabaseUnreachable: AWAY,
    DatabaseReadOnly: AWAY,
    CommitOutcomeUnknown: Answer(
        500,
        "the connection to the database was lost during the commit, so it is unknown whether this "
        "was saved; check that before you repeat the request",
    ),
}
# An endpoint can fail after it has committed.
BUG = Answer(500, "the server has an error; check what was saved before you repeat the request")

Handler = Callable[[Request, Exception], Awaitable[JSONResponse]]


class Problem(BaseModel):
    """What went wrong."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    errors: Sequence[InputError] | SkipJsonSchema[None] = None


class ProblemResponse(JSONResponse):
    """A problem as a response."""

    media_type = "application/problem+json"

    def __init__(
        self,
        status: int,
        detail: str,
        headers: Mapping[str, str] | None = None,
        errors: Sequence[InputError] = (),
    ) -> None:
        title = responses.get(status, "Problem")
        problem = Problem(title=title, status=status, detail=detail, errors=errors or None)
        super().__init__(problem.model_dump(exclude_none=True), status, headers)


async def refuse(problem: ProblemResponse, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a request, or the handshake of a WebSocket, before an endpoint has it."""
    if scope["type"] == "http":
        await problem(scope, receive, partial(_send_and_take_body, receive, send))
    elif "websocket.http.response" in scope.get("extensions", {}):
        await problem(scope, receive, send)
    else:
        await send({"type": "websocket.close", "code": 1013})


async def _send_and_take_body(receive: Receive, send: Send, message: Message) -> None:
    """Send the response, and end it when the body was read.

    A client that is still sending when the connection closes may miss the response.
    """
    if message["type"] == "http.response.body":
        await send({**message, "more_body": True})
        await take_body(receive)
        message = {"type": "http.response.body"}
    await send(message)


async def take_body(receive: Receive) -> None:
    """Read and discard the rest of a body, for a short time."""
    with move_on_after(PATIENCE):
        while (await receive()).get("more_body"):
            pass


REF = "#/components/schemas/{model}"
# In the description of an answer that is a problem.
CONTENT = {ProblemResponse.media_type: {"schema": {"$ref": REF.format(model="Problem")}}}

# In the description of every endpoint. If it is there, FastAPI adds no 422 of its own.
DESCRIBED: dict[int | str, dict[str, Any]] = {
    "default": {"description": "A problem", "content": CONTENT}
}


def describe_problems(description: dict[str, Any]) -> None:
    """Add the schemas of problems to the description of the API."""
    schemas = description.setdefault("components", {}).setdefault("schemas", {})
    _, found = models_json_schema([(Problem, "serialization")], ref_template=REF)
    schemas.update(jsonable_encoder(found["$defs"], exclude_none=True))


def report_problems(app: FastAPI) -> None:
    """Answer every error with a problem."""
    for kind, answer in ANSWERS.items():
        app.add_exception_handler(kind, _answering(answer))
    app.add_exception_handler(DBAPIError, _given_up_by_the_database)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _said_by_an_endpoint)
    app.add_exception_handler(Exception, _unexpected)


def _answering(answer: Answer) -> Handler:
    async def respond(request: Request, error: Exception) -> JSONResponse:
        if answer.detail:
            log.warning("answered %d: %s", answer.status, _reason(error))
        return _response(answer, str(error), await conflicting_parts(request, error))

    return respond


async def _given_up_by_the_database(_: Request, error: Exception) -> JSONResponse:
    if not is_transient(cast("DBAPIError", error)):
        raise error
    log.warning("the database failed: %s", _reason(error))
    return _response(AWAY if cast("DBAPIError", error).connection_invalidated else BUSY)


async def _invalid(_: Request, error: Exception) -> JSONResponse:
    invalid = cast("RequestValidationError", error)
    parts: Sequence[ErrorDetails] = invalid.errors()
    complaints = [f"{'.'.join(map(str, part['loc']))}: {part['msg']}" for part in parts[:MOST]]
    detail = "; ".join(complaint[:LONGEST] for complaint in complaints)
    return ProblemResponse(422, detail, errors=list(invalid_parts(invalid)))


async def _said_by_an_endpoint(_: Request, error: Exception) -> JSONResponse:
    said = cast("HTTPException", error)
    return ProblemResponse(said.status_code, str(said.detail), said.headers)


async def _unexpected(_: Request, error: Exception) -> JSONResponse:
    return _response(BUG)  # LoggedRequests logs the error


def _response(answer: Answer, message: str = "", errors: Sequence[InputError] = ()) -> JSONResponse:
    retry = {} if answer.retry_after is None else {"Retry-After": str(answer.retry_after)}
    return ProblemResponse(answer.status, answer.detail or message, retry, errors)


def _reason(error: Exception) -> str:
    """The message without the statement and its values, which SQLAlchemy adds."""
    return str(error.orig if isinstance(error, DBAPIError) else error)
