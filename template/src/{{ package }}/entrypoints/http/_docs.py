"""`/docs`: Swagger UI, which shows the endpoints and tries them, without files from the internet."""

from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.openapi.docs import get_swagger_ui_html, get_swagger_ui_oauth2_redirect_html
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles

from ._policy import page_policy

# Relative to /docs, so that they are right behind a proxy that adds a prefix.
FILES = "docs/files"
LOGGED_IN = "docs/oauth2-redirect"


class _Files(StaticFiles):
    """Files that a browser keeps, and asks for only if they have changed."""

    def file_response(self, *args: Any, **options: Any) -> Response:
        response = super().file_response(*args, **options)
        response.headers["Cache-Control"] = "no-cache"
        return response


def serve_docs(app: FastAPI, *, guarded: bool) -> None:
    """Serve `/docs`, with the parameters of Swagger UI that FastAPI knows."""

    def send(page: HTMLResponse) -> Response:
        html = bytes(page.body).decode().replace("<html>", '<html lang="en">')
        return HTMLResponse(html, headers=page_policy(html, "'self'") if guarded else None)

    @app.get("/docs", include_in_schema=False)
    async def docs(request: Request) -> Response:
        return send(
            get_swagger_ui_html(
                openapi_url="openapi.json",
                title=app.title,
                swagger_js_url=f"{FILES}/swagger-ui-bundle.js",
                swagger_css_url=f"{FILES}/swagger-ui.css",
                swagger_favicon_url=f"{FILES}/favicon-32x32.png",
                oauth2_redirect_url=f"{request.scope.get('root_path', '').rstrip('/')}/{LOGGED_IN}",
                init_oauth=app.swagger_ui_init_oauth,
                swagger_ui_parameters=app.swagger_ui_parameters,
            )
        )

    @app.get(f"/{LOGGED_IN}", include_in_schema=False)
    async def logged_in() -> Response:
        return send(get_swagger_ui_oauth2_redirect_html())

    app.mount(f"/{FILES}", _Files(packages=[("fastapi_swagger", "resources")]))
