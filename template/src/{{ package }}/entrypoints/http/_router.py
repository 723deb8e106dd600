"""Helpers for the routers of features."""

from typing import Annotated, Any

from fastapi import APIRouter, Path

from ...persistence import Int64
from ._problems import CONTENT

Key = Annotated[Int64, Path(description="The row's id.")]

# For the OpenAPI description of an endpoint that answers 201.
CREATED: dict[int | str, dict[str, Any]] = {
    201: {
        "headers": {
            "Location": {"description": "The path of the new row.", "schema": {"type": "string"}}
        }
    }
}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """For the OpenAPI description of an endpoint: its problems, in addition to 422 and 503."""
    return {status: {"content": CONTENT} for status in statuses}


def new_router(name: str) -> APIRouter:
    """A router for `/name`; its operations have the names of the functions in generated clients."""
    return APIRouter(
        prefix=f"/{name}",
        tags=[name],
        responses=problems(422, 503),
        generate_unique_id_function=lambda route: route.name,
    )
