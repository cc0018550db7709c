"""Which part of a list's address makes a view? No Django: pairs in, pairs out."""

from collections.abc import Iterable

FIELD = "field."
KEPT = frozenset(
    {
        "scope",
        "period",
        "since",
        "q",
        "state",
        "category",
        "column",
        "stage_id",
        "account_id",
        "fit",
        "fit_from",
        "fit_to",
        "tab",
        "sort",
        "group",
        "columns",
    }
)


def kept(pairs: Iterable[tuple[str, str]], *, viewer: str, columns: str) -> list[tuple[str, str]]:
    """What a view keeps of an address: no page, no day, no view. Columns are always said, as they stand there.

    One's own deals are each viewer's own, so a scope of `viewer` is left out.

    >>> kept([("scope", "ana"), ("after", "x"), ("group", "stage")], viewer="ana", columns="amount")
    [('group', 'stage'), ('columns', 'amount')]
    """
    found = [
        (name, value)
        for name, value in pairs
        if value and (name in KEPT or name.startswith(FIELD)) and (name, value) != ("scope", viewer)
    ]
    if not any(name == "columns" for name, _ in found):
        found.append(("columns", columns))
    return found
