<%
    words = message.strip().replace("\\", "\\\\").replace('"' * 3, "'" * 3)
    sentence = words[:1].upper() + words[1:] + ("" if words.endswith((".", "!", "?")) else ".")
    steps = f"{upgrades or ''} {downgrades or ''}"
%>\
"""${sentence}

Revision: ${up_revision}
After: ${down_revision | comma,n}
"""

% if not steps.strip() or "sa." in steps:
import sqlalchemy as sa
% endif
from alembic import op
${imports if imports else ""}

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = ${repr(branch_labels)}
depends_on = ${repr(depends_on)}


def upgrade() -> None:
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    ${downgrades if downgrades else "pass"}
