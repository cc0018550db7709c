"""What tells a deal from others in a file without ids: its account and its name, together."""

from collections.abc import Mapping
from typing import Any

SEPARATOR = " · "
NAMED_BY = ("account", "name")


def id_from_names(columns: Mapping[str, Any]) -> dict[str, Any] | None:
    """The source of `external_id` made of what feeds account and name; None where no column feeds the name."""
    if _column(columns.get("name")) is None:
        return None
    parts = [column for name in NAMED_BY if (column := _column(columns.get(name))) is not None]
    return {"columns": parts, "separator": SEPARATOR}


def is_id_from_names(columns: Mapping[str, Any]) -> bool:
    return columns.get("external_id") is not None and columns["external_id"] == id_from_names(columns)


def _column(source: Any) -> str | None:
    """The one column that a source reads; None for a constant, several columns, or nothing."""
    if isinstance(source, str):
        return source
    found = source.get("column") if isinstance(source, dict) else None
    return found if isinstance(found, str) else None
