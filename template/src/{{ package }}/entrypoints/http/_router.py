"""What the endpoints of every feature have in common."""

from typing import Annotated, Any

from fastapi import APIRouter, Path

from ...persistence import Int64
from ._problems import CONTENT

Key = Annotated[Int64, Path(description="The number that the row was given when it was added.")]

# For the description of an endpoint that answers 201.
CREATED: dict[int | str, dict[str, Any]] = {
    201: {
        "headers": {
            "Location": {"description": "Where the new one is.", "schema": {"type": "string"}}
        }
    }
}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """For the description of an endpoint: the problems it may answer, beside 422 and 503."""
    return {status: {"content": CONTENT} for status in statuses}


def new_router(name: str) -> APIRouter:
    """A router of `/name`; generated clients call its operations what the functions are called."""
    return APIRouter(
        prefix=f"/{name}",
        tags=[name],
        responses=problems(422, 503),
        generate_unique_id_function=lambda route: route.name,
    )
