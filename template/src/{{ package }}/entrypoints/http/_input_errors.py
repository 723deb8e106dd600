"""The parts of a request that an error is about, so that a client can show the error beside them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from pydantic.alias_generators import to_snake
from pydantic.json_schema import SkipJsonSchema
from pydantic_core import ErrorDetails
from sqlalchemy.exc import IntegrityError

from ...persistence.rows.upsert import contradicted

MOST = 20  # errors in one response
LONGEST = 200  # characters of a message or a pointer


class InputError(BaseModel):
    """An error in one part of a request; one of the other fields says in which."""

    detail: str
    pointer: str | SkipJsonSchema[None] = None  # into the body: a JSON Pointer (RFC 6901)
    parameter: str | SkipJsonSchema[None] = None  # of the query or the path
    header: str | SkipJsonSchema[None] = None
    cookie: str | SkipJsonSchema[None] = None


def invalid_parts(error: RequestValidationError) -> Iterator[InputError]:
    """The parts that do not match the endpoint's schemas."""
    parts: Sequence[ErrorDetails] = error.errors()
    for part in parts[:MOST]:
        place, *path = part["loc"]
        detail = part["msg"][:LONGEST]
        if place == "body":
            yield InputError(detail=detail, pointer=_pointer(error.body, path, part["type"]))
        else:
            kind = place if place in ("header", "cookie") else "parameter"
            yield InputError(detail=detail, **{kind: str(path[0])[:LONGEST] if path else ""})


def _pointer(body: Any, path: Sequence[str | int], kind: str) -> str:
    """Follow Pydantic's path through the body; it also contains the names of unions' members."""
    pointer = ""
    for step in path if kind != "json_invalid" else ():
        try:
            body = body[step]
        except (LookupError, TypeError):
            if kind != "missing" or step != path[-1]:
                continue
        name = str(step).replace("~", "~0").replace("/", "~1")
        if len(pointer) + len(name) >= LONGEST:
            break
        pointer += f"/{name}"
    return pointer


async def conflicting_parts(request: Request, error: BaseException) -> Sequence[InputError]:
    """The fields of the body that contradict other rows, if the database names their columns."""
    cause = error if isinstance(error, IntegrityError) else error.__cause__
    if not isinstance(cause, IntegrityError):
        return ()
    names = contradicted(cause)
    body: Mapping[str, object] = await _body(request) if names else {}
    return [
        InputError(detail="contradicts existing data", pointer=f"/{field}")
        for field in body
        if to_snake(field) in names
    ]


async def _body(request: Request) -> Mapping[str, object]:
    try:
        body: object = await request.json()
    except ValueError:
        return {}
    return cast("dict[str, object]", body) if isinstance(body, dict) else {}
