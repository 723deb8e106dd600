"""Refuse fields and query parameters that an endpoint does not have, so that no typo is ignored."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import chain
from typing import Annotated, Any, NamedTuple, cast, get_args

from fastapi import Depends, Request
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from fastapi.params import Form
from fastapi.requests import HTTPConnection
from fastapi.routing import RouteContext, iter_route_contexts
from pydantic import AliasChoices, BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo
from starlette.routing import BaseRoute

UNKNOWN = "extra_forbidden"  # Pydantic's name of the error


async def _accept_unknown() -> None:
    """Mark an endpoint."""


# For an endpoint or a router: `@router.post("", dependencies=[ACCEPTS_UNKNOWN])`.
ACCEPTS_UNKNOWN = Depends(_accept_unknown)


class Expected(NamedTuple):
    """What an endpoint accepts; None stands for anything."""

    parameters: frozenset[str] | None = None
    body: TypeAdapter[Any] | None = None


class RefuseUnknown:
    """A dependency of all endpoints.

    Schemas that set `extra` in their `model_config` decide themselves.
    """

    def __init__(self) -> None:
        self._expected: dict[int, Expected] = {}

    async def __call__(self, connection: HTTPConnection) -> None:
        """Raise RequestValidationError if the request has something unknown."""
        if not isinstance(connection, Request):  # a WebSocket
            return
        route: BaseRoute = connection.scope["route"]
        if id(route) not in self._expected:
            contexts = iter_route_contexts(connection.app.routes)
            same = (context for context in contexts if context.original_route is route)
            self._expected[id(route)] = expected_by(next(same))
        expected = self._expected[id(route)]
        body, errors = await _errors_in_body(connection, expected.body)
        errors += _unknown_parameters(connection, expected.parameters)
        if any(error["type"] == UNKNOWN for error in errors):
            raise RequestValidationError(errors, body=body)


async def _errors_in_body(
    request: Request, expected: TypeAdapter[Any] | None
) -> tuple[object, list[Any]]:
    if expected is None:
        return None, []
    try:
        body: object = await request.json()
    except ValueError:  # FastAPI refuses it, or there is none
        return None, []
    try:
        expected.validate_python(body, extra="forbid")
    except ValidationError as error:
        found = error.errors(include_url=False)
        return body, [{**each, "loc": ("body", *each["loc"])} for each in found]
    return body, []


def _unknown_parameters(request: Request, expected: frozenset[str] | None) -> Iterator[Any]:
    if expected is not None:
        for name in sorted(request.query_params.keys() - expected):
            message = "Extra inputs are not permitted"
            yield {"type": UNKNOWN, "loc": ("query", name), "msg": message}


def refuse_last(routes: Sequence[BaseRoute]) -> None:
    """Run all other dependencies first: a client without a user always gets 401."""
    for route in iter_route_contexts(routes):
        dependant: Dependant | None = getattr(route, "dependant", None)
        if dependant:
            dependant.dependencies.sort(key=lambda each: isinstance(each.call, RefuseUnknown))


def expected_by(route: RouteContext) -> Expected:
    """Find out what the endpoint accepts."""
    dependants = list(_with_dependencies(route.dependant))
    calls = [each.call for each in dependants]
    if _accept_unknown in calls or not any(isinstance(call, RefuseUnknown) for call in calls):
        return Expected()
    parameters = list(chain(*(_parameters(each) for each in dependants)))
    return Expected(
        None if None in parameters else frozenset(filter(None, parameters)),
        _body(route.body_field.field_info) if route.body_field else None,
    )


def _with_dependencies(dependant: Dependant) -> Iterator[Dependant]:
    yield dependant
    for each in dependant.dependencies:
        yield from _with_dependencies(each)


def _parameters(dependant: Dependant) -> Iterator[str | None]:
    """The names of the query parameters; None if a schema of parameters decides itself."""
    for field in dependant.query_params:
        info = field.field_info
        fields: Mapping[str, FieldInfo] = {field.name: info}
        for kind in (info.annotation, *get_args(info.annotation)):
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                fields = kind.model_fields
                if "extra" in kind.model_config:
                    yield None
        for name, each in fields.items():
            alias = each.validation_alias
            choices: Sequence[Any] = alias.choices if isinstance(alias, AliasChoices) else [alias]
            yield from (
                choice for choice in (name, each.alias, *choices) if isinstance(choice, str)
            )


def _body(info: FieldInfo) -> TypeAdapter[Any] | None:
    """The schema of a JSON body; None if a part of it decides itself."""
    if isinstance(info, Form):
        return None
    annotated: Any = Annotated
    adapter: TypeAdapter[Any] = TypeAdapter(annotated[info.annotation, info])
    return None if _decides_itself(adapter.core_schema) else adapter


def _decides_itself(schema: object) -> bool:
    inside = any(map(_decides_itself, _parts(schema)))
    return inside or (isinstance(schema, dict) and "extra_fields_behavior" in schema)


def _parts(schema: object) -> Collection[object]:
    if isinstance(schema, dict):
        return cast("dict[str, object]", schema).values()
    return cast("Sequence[object]", schema) if isinstance(schema, list | tuple) else ()


# The description of the API ------------------------------------------------------------


def describe_strict(routes: Sequence[BaseRoute], description: dict[str, Any]) -> None:
    """Say of the schemas of bodies that they have no other fields."""
    for route in iter_route_contexts(routes):
        operations = description["paths"].get(route.path_format, {})
        for method in route.methods or ():
            body = operations.get(method.lower(), {}).get("requestBody")
            if body and expected_by(route).body is not None:
                _close(body, description["components"]["schemas"])


def _close(body: object, schemas: Mapping[str, object]) -> None:
    waiting, seen = [body], set[str]()
    while waiting:
        schema = waiting.pop()
        waiting += _parts(schema)
        if isinstance(schema, dict):
            known = cast("dict[str, object]", schema)
            if known.get("type") == "object" and "properties" in known:
                known.setdefault("additionalProperties", False)
            name = str(known.get("$ref")).rpartition("/")[2]
            if name in schemas and name not in seen:
                seen.add(name)
                waiting.append(schemas[name])
