"""An entry in words for people: `role.changed` is “Role changed”, a detail is a list of names and values. Pure."""

from collections.abc import Mapping
from typing import Any


def action_words(action: str) -> str:
    """
    >>> action_words("request.refused_again")
    'Request refused again'
    """
    return action.replace(".", " ").replace("_", " ").capitalize()


def detail_rows(detail: Mapping[str, Any], *, prefix: str = "") -> list[tuple[str, str]]:
    """Names and values, nested ones by dotted name, in the order of names.

    >>> detail_rows({"counts": {"new": 2}, "kinds": ["a", "b"]})
    [('counts.new', '2'), ('kinds', 'a, b')]
    """
    rows: list[tuple[str, str]] = []
    for name, value in sorted(detail.items()):
        if isinstance(value, Mapping):
            rows += detail_rows(value, prefix=f"{prefix}{name}.")
        else:
            rows.append((prefix + name, _text(value)))
    return rows


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(_text(inner) for inner in value)
    if value is None or isinstance(value, bool):
        return {None: "–", True: "yes", False: "no"}[value]
    return str(value)
