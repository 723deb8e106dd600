"""Create leases of tasks.

Revision: 8c2d5e7f1a40
After: 3f9a1c27d5e0
"""

import sqlalchemy as sa
from alembic import op

revision = "8c2d5e7f1a40"
down_revision = "3f9a1c27d5e0"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "task_lease",
        sa.Column(
            "task_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("worker", sa.String(length=300), nullable=True),
        sa.Column("free_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["task_id"], ["task.id"], name=op.f("fk_task_lease_task_id_task"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("task_id", name=op.f("pk_task_lease")),
    )
    op.create_index(op.f("ix_task_lease_free_at"), "task_lease", ["free_at"])


def downgrade() -> None:
    op.drop_table("task_lease")
