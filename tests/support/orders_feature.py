"""A team's work on a project: a new feature, and edits in shared files."""

from pathlib import Path

MODEL = '''\
"""What an order is."""

import enum
from datetime import datetime
from decimal import Decimal

from sqlalchemy import ForeignKey, Numeric, String
from sqlalchemy.orm import Mapped, mapped_column

from ..persistence import Base, Identified, Timestamped, Versioned, utcnow


class Size(enum.StrEnum):
    """How much of it."""

    SMALL = "small"
    LARGE = "large"


class Order(Identified, Timestamped, Versioned, Base):
    """Somebody wants something."""

    __tablename__ = "order"

    number: Mapped[str] = mapped_column(String(20), unique=True)
    size: Mapped[Size] = mapped_column(default=Size.SMALL)
    price: Mapped[Decimal] = mapped_column(Numeric(12, 2))
    placed_at: Mapped[datetime] = mapped_column(default=utcnow)
    task_id: Mapped[int | None] = mapped_column(ForeignKey("task.id"), index=True)
    instead_of_id: Mapped[int | None] = mapped_column(ForeignKey("order.id"))
'''

REPOSITORY = '''\
"""Where orders are found."""

from collections.abc import Sequence

from ..persistence import Repository
from .model import Order, Size


class OrderRepository(Repository[Order]):
    """Orders."""

    model = Order

    async def large(self) -> Sequence[Order]:
        """Those that need two people."""
        return await self.list(Order.size == Size.LARGE)
'''

MANAGER = '''\
"""Why orders change."""

from ..unit_of_work import UnitOfWork
from .model import Order, Size


class OrderManager:
    """The verbs of orders."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow

    async def enlarge(self, order_id: int) -> Order:
        """Somebody wants more of it. Raises NotFound."""
        order = await self._uow.orders.get(order_id)
        order.size = Size.LARGE
        return order
'''

TESTS = '''\
"""What orders do."""

from decimal import Decimal

from task_queue.managers import Managers
from task_queue.orders.model import Order
from task_queue.unit_of_work import UnitOfWork


async def test_an_order_can_be_enlarged(uow: UnitOfWork, managers: Managers) -> None:
    order = await uow.orders.add(Order(number="A-1", price=Decimal("19.90")))

    await managers.orders.enlarge(order.id)

    large = await uow.orders.large()
    assert [each.number for each in large] == ["A-1"]
'''

REGISTERED = '''
    @property
    def orders(self) -> OrderRepository:
        """Where orders are found."""
        return OrderRepository(self)
'''

MANAGED = '''
    @cached_property
    def orders(self) -> OrderManager:
        """Why orders change."""
        return OrderManager(self.uow)
'''

FILES = {
    "src/task_queue/orders/__init__.py": "",
    "src/task_queue/orders/model.py": MODEL,
    "src/task_queue/orders/repository.py": REPOSITORY,
    "src/task_queue/orders/manager.py": MANAGER,
    "tests/orders/__init__.py": "",
    "tests/orders/test_orders.py": TESTS,
}

BELOW_THE_LINE = {
    ".env.example": "ORDERS_PER_DAY=100\n",
    ".gitignore": "orders.csv\n",
    "README.md": "\nAsk Ada about orders.\n",
    "justfile": "\n# Count what was ordered.\norders:\n    uv run task-queue orders\n",
    "pyproject.toml": "\n[tool.orders]\nlimit = 100\n",
    "src/task_queue/managers.py": MANAGED,
    "src/task_queue/unit_of_work.py": REGISTERED,
    "tests/conftest.py": "\nORDERS = 100\n",
    "tests/factories.py": "\nORDERS = 100\n",
}

ABOVE_THE_LINE = {
    "README.md": ("## Five words", "## Five words, and a sixth: order"),
    "justfile": ("# Mend format and style.", "# Mend format and style of orders too."),
    "pyproject.toml": ('version = "0.1.0"', 'version = "7.0.0"'),
    "src/task_queue/managers.py": (
        "from .tasks.",
        "from .orders.manager import OrderManager\nfrom .tasks.",
    ),
    "src/task_queue/persistence/rows/page.py": (
        "from ..core.errors",
        "# orders have pages\nfrom ..core.errors",
    ),
    "src/task_queue/unit_of_work.py": (
        "from .tasks.",
        "from .orders.repository import OrderRepository\nfrom .tasks.",
    ),
    "src/task_queue/tasks/model.py": ("String(200)", "String(300)"),  # to be altered
    "src/task_queue/settings.py": ("The settings, from", "The settings of orders too, from"),
}


def take_orders(project: Path, *, mode: str) -> None:
    """Add the feature and edit existing files. The migration is still missing."""
    for path, text in FILES.items():
        (project / path).parent.mkdir(exist_ok=True)
        (project / path).write_text(text if mode == "async" else _sync(text))
    for path, lines in BELOW_THE_LINE.items():
        (project / path).write_text((project / path).read_text() + lines)
    for path, (old, new) in ABOVE_THE_LINE.items():
        text = (project / path).read_text()
        assert old in text, f"{path} has no {old}"
        (project / path).write_text(text.replace(old, new, 1))


def _sync(text: str) -> str:
    return text.replace("async def", "def").replace("await ", "")
