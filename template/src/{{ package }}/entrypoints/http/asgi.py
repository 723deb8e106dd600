"""The application for any ASGI server: `uvicorn PACKAGE.entrypoints.http.asgi:app`.

Only `http run` finishes requests before it stops as documented, and limits connections.
"""

from ...settings import Settings
from .._logs import configure_logs
from .app import create_app

configure_logs()
app = create_app(Settings())
