"""Helpers for the routers of features."""

from typing import Annotated, Any

from fastapi import APIRouter, Path

from ...persistence import Int64
from ._problems import CONTENT

Key = Annotated[Int64, Path(description="The row's id.")]


def _header(description: str, kind: str = "string") -> dict[str, Any]:
    return {"description": description, "schema": {"type": kind}}


# For the OpenAPI description of an endpoint that answers 201.
CREATED: dict[int | str, dict[str, Any]] = {
    201: {
        "headers": {
            "Location": _header("The path of the new row."),
            "Idempotency-Replayed": _header("`true` if this is the saved response."),
        }
    }
}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """For the OpenAPI description of an endpoint: its problems, in addition to 422 and 503."""
    described: dict[int | str, dict[str, Any]] = {each: {"content": CONTENT} for each in statuses}
    if 503 in described:
        described[503]["headers"] = {"Retry-After": _header("Seconds.", "integer")}
    return described


def new_router(name: str) -> APIRouter:
    """A router for `/name`; its operations have the names of the functions in generated clients."""
    return APIRouter(
        prefix=f"/{name}",
        tags=[name],
        responses=problems(422, 503),
        generate_unique_id_function=lambda route: route.name,
    )
