"""A client that is generated from the description of an API passes mypy, and calls every operation."""

import json
import shutil
from datetime import date
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from .conftest import Render
from .fuzz.entity_trial import migrate
from .support.browser import serving
from .support.shell import run
from .support.variants import SOME_ENTITIES, Answers

ANSWERS: Answers = {
    "database": "sqlite",
    "mode": "async",
    "example": True,
    "http": True,
    "ci": "none",
    "entities": SOME_ENTITIES,
}
# The generator knows no lines of JSON.
CONFIG = {"content_type_overrides": {"application/jsonl": "application/octet-stream"}}


class Operations:
    """The operations of a generated client, and those that were called."""

    def __init__(self, package: str, folder: Path, address: str) -> None:
        files = [file for file in (folder / package / "api").glob("*/*.py") if file.stem[0] != "_"]
        self.modules = {
            file.stem: import_module(f"{package}.api.{file.parent.name}.{file.stem}")
            for file in files
        }
        self.models: Any = import_module(f"{package}.models")
        self.client = import_module(package).Client(base_url=address)
        self.called = set[str]()

    def call(self, name: str, *key: int, status: int = 200, **arguments: object) -> Any:
        """Call one operation, and return its parsed response."""
        module: Any = self.modules[name]
        response = module.sync_detailed(*key, client=self.client, **arguments)
        assert response.status_code == status, response
        self.called.add(name)
        return response.parsed


@pytest.mark.slow
def test_a_generated_client_calls_every_operation(
    render: Render, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = shutil.copytree(render(**ANSWERS), tmp_path / "project")
    migrate(project)
    (tmp_path / "config.yml").write_text(json.dumps(CONFIG))
    monkeypatch.syspath_prepend(tmp_path)

    with serving(project) as address:
        run(
            *("openapi-python-client", "generate", "--url", f"{address}/openapi.json"),
            *("--meta", "none", "--output-path", "task_client", "--config", "config.yml"),
            folder=tmp_path,
        )
        # The generator's own module of the connection is not typed so strictly.
        parts = ("task_client/api", "task_client/models")
        run("mypy", "--strict", "--follow-imports=silent", *parts, folder=tmp_path)
        api = Operations("task_client", tmp_path, address)
        with api.client:
            call_all(api)

    assert api.called == api.modules.keys()


def call_all(api: Operations) -> None:
    """Add rows, read them and delete them."""
    models, call = api.models, api.call
    customer = call(
        "add_customer", status=201, body=models.NewCustomer(name="Ada", email="ada@example.org")
    )
    new = models.NewInvoice(
        number="A-1", customer_id=customer.id, issued_on=date(2026, 1, 31), total="12.5"
    )
    invoice = call("add_invoice", status=201, body=new, idempotency_key="invoice-a-1")
    assert call("add_invoice", status=201, body=new, idempotency_key="invoice-a-1") == invoice
    assert Decimal(invoice.total) == Decimal("12.50")
    assert invoice.issued_on == date(2026, 1, 31)
    assert call("show_invoice", invoice.id) == invoice
    assert call("list_invoices").items == [invoice]
    assert call("show_customer", customer.id) == customer
    assert call("list_customers", limit=1).items == [customer]
    call("delete_customer", customer.id, status=409)
    call("delete_invoice", invoice.id, status=204)
    call("delete_customer", customer.id, status=204)
    assert call("show_customer", customer.id, status=404).title == "Not Found"

    good, bad = (
        call("add_task", status=201, body=models.NewTask(title=title)) for title in ("One", "Two")
    )
    for task in (good, bad):
        call("start_task", task.id)
    call("finish_task", good.id, body=models.Finished(note="done"))
    call("fail_task", bad.id, body=models.Failed(reason="no"))
    assert call("show_task", good.id).events[-1].note == "done"
    assert len(call("list_tasks").items) == 2
    assert call("list_task_events", bad.id)[-1].note == "no"
    call("export_tasks")
    call("live_health_live_get", status=204)
    call("ready_health_ready_get")
