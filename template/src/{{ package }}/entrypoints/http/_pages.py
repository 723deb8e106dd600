"""Pages over HTTP: which one is asked for, and how the answer says where the next one is."""

from collections.abc import Sequence
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Depends, Query, Request, Response
from pydantic import BaseModel
from starlette.datastructures import URL, MutableHeaders

from ... import persistence

V = TypeVar("V", bound=BaseModel)

Limit = Annotated[int, Query(ge=1, le=1000, description="How many at most.")]
After = Annotated[str | None, Query(description="Go on after this cursor: `next` of a page.")]


class Page(BaseModel, Generic[V]):
    """Some rows, and the cursor of the page after them: null on the last one."""

    items: Sequence[V]
    next: str | None

    @classmethod
    def model_parametrized_name(cls, params: tuple[Any, ...]) -> str:
        """`TaskViewPage`: generated clients have a class of this name."""
        return f"{params[0].__name__}Page"


class _Asked:
    """The page that a request asks for."""

    def __init__(self, limit: int, after: str | None, url: URL, headers: MutableHeaders) -> None:
        self.limit = limit
        self.after = after
        self._url = url
        self._headers = headers

    def answer(self, page: persistence.Page[Any], kind: type[Page[V]]) -> Page[V]:
        """The rows as others see them; the header `Link` has the path of the page after them."""
        if page.next:
            url = self._url.include_query_params(after=page.next)
            self._headers["Link"] = f'<{url.path}?{url.query}>; rel="next"'
        return kind.model_validate(page, from_attributes=True)


async def _asked(
    request: Request, response: Response, limit: Limit = 50, after: After = None
) -> _Asked:
    return _Asked(limit, after, request.url, response.headers)


Asked = Annotated[_Asked, Depends(_asked)]
