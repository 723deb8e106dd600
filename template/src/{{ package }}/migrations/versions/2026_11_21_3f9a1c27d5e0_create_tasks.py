"""Create tasks and their events.

Revision: 3f9a1c27d5e0
After: None
"""

import sqlalchemy as sa
from alembic import op

revision = "3f9a1c27d5e0"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    key = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    state = sa.Enum(
        "pending",
        "running",
        "succeeded",
        "failed",
        name="state",
        native_enum=False,
        length=50,
    )
    op.create_table(
        "task",
        sa.Column("id", key, nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("state", state, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_task")),
    )
    op.create_index(op.f("ix_task_state"), "task", ["state"])
    op.create_table(
        "task_event",
        sa.Column("id", key, nullable=False),
        sa.Column("task_id", key, nullable=False),
        sa.Column("state", state, nullable=False),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("happened_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["task_id"], ["task.id"], name=op.f("fk_task_event_task_id_task"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_task_event")),
    )
    op.create_index(op.f("ix_task_event_task_id"), "task_event", ["task_id"])


def downgrade() -> None:
    op.drop_table("task_event")
    op.drop_table("task")
