"""What can be imported? The protocol that every kind of row implements, and the job it is handed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from otc.imports.binding import Binding
from otc.imports.columns import Column
from otc.imports.mapping import NO_MAPPING, ColumnMapping
from otc.tenancy.models import Organization

MAX_KEY = 200


@dataclass(frozen=True)
class ImportJob:
    """One file being imported, inside its transaction. `now` is the job's one clock."""

    cursor: Any
    organization: Organization
    run_id: UUID
    now: datetime
    binding: Binding
    creatable: frozenset[str]
    mapping: ColumnMapping = NO_MAPPING

    @property
    def home(self) -> str | None:
        """The process that the mapping names for the file's deals."""
        return self.mapping.process

    @property
    def present(self) -> frozenset[str]:
        """The native columns that the file feeds."""
        return frozenset(self.binding.getters)

    def sql(self, statement: str, **parameters: object) -> None:
        """Run a statement; %(organization)s, %(now)s, %(run)s, %(zone)s and %(currency)s are always known."""
        zone = self.organization.timezone
        known = {
            "organization": self.organization.id,
            "run": self.run_id,
            "now": self.now,
            "zone": zone,
            "currency": self.organization.currency,
        }
        self.cursor.execute(statement, known | parameters)

    def rows(self, statement: str, **parameters: object) -> list[tuple[Any, ...]]:
        self.sql(statement, **parameters)
        return self.cursor.fetchall()

    def refuse(self, column: str, reason: str, where: str, **parameters: object) -> int:
        """Refuse the staged rows `s` for which `where` holds; `reason` is SQL. Returns how many."""
        self.sql(
            f"UPDATE import_stage s SET refused_column = %(refused_column)s, refused_reason = {reason} "
            f"WHERE s.refused_reason IS NULL AND NOT s.is_unchanged AND ({where})",
            refused_column=column,
            **parameters,
        )
        return self.cursor.rowcount


class Kind(Protocol):
    """Rows of one noun. `resolve` refuses what can't be applied and writes no table but temporary ones; `apply`
    writes what is left, set by set, and marks created rows in the staging table (`is_new`).
    """

    @property
    def name(self) -> str: ...

    @property
    def columns(self) -> Sequence[Column]: ...

    @property
    def keeps_others(self) -> bool:
        """Columns that aren't native become custom attributes."""
        ...

    @property
    def key_column(self) -> str | None:
        """The column that may stand in one row of the file only; None where rows repeat it."""
        ...

    @property
    def creatable(self) -> frozenset[str]:
        """Columns whose unknown names can be created."""
        ...

    def key(self, values: Mapping[str, str | None]) -> str:
        """What identifies the source row across files, at most MAX_KEY characters."""
        ...

    def resolve(self, job: ImportJob) -> None: ...

    def apply(self, job: ImportJob) -> None: ...
