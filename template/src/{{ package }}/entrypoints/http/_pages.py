"""Pages over HTTP: the query parameters, and the link to the next page."""

from collections.abc import Sequence
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Depends, Query, Request, Response
from pydantic import BaseModel
from starlette.datastructures import URL, MutableHeaders

from ... import persistence

V = TypeVar("V", bound=BaseModel)

Limit = Annotated[int, Query(ge=1, le=1000, description="The most rows on the page.")]
After = Annotated[
    str | None, Query(min_length=1, description="Continue after this cursor: `next` of a page.")
]


class Page(BaseModel, Generic[V]):
    """The rows of one page, and the cursor of the next page: null on the last one."""

    items: Sequence[V]
    next: str | None

    @classmethod
    def model_parametrized_name(cls, params: tuple[Any, ...]) -> str:
        """The name of the class in generated clients, for example `TaskViewPage`."""
        return f"{params[0].__name__}Page"


class _Asked:
    """The page that a request asks for."""

    def __init__(self, limit: int, after: str | None, url: URL, headers: MutableHeaders) -> None:
        self.limit = limit
        self.after = after
        self._url = url
        self._headers = headers

    def answer(self, page: persistence.Page[Any], kind: type[Page[V]]) -> Page[V]:
        """The response for a page; also sets the header `Link` to the next page."""
        if page.next:
            url = self._url.include_query_params(after=page.next)
            self._headers["Link"] = f'<{url.path}?{url.query}>; rel="next"'
        return kind.model_validate(page, from_attributes=True)


async def _asked(
    request: Request, response: Response, limit: Limit = 50, after: After = None
) -> _Asked:
    return _Asked(limit, after, request.url, response.headers)


Asked = Annotated[_Asked, Depends(_asked)]
