"""Which function puts an act of a kind back? Rooms register theirs beside their services."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

PutBack = Callable[[Mapping[str, Any]], str]


class CantUndo(ValueError):
    """What was done can't be put back any more; the text says why and what to do."""


@dataclass(frozen=True)
class Kind:
    """`action` is what one must be allowed, at the time of undoing too."""

    put_back: PutBack
    action: str


_kinds: dict[str, Kind] = {}


def undoes(kind: str, *, action: str) -> Callable[[PutBack], PutBack]:
    """Register what puts a `kind` back: it takes the payload, raises CantUndo, and returns what to say."""

    def register(put_back: PutBack) -> PutBack:
        _kinds[kind] = Kind(put_back, action)
        return put_back

    return register


def kind_named(kind: str) -> Kind:
    """The registered kind; raises CantUndo for one that no longer exists."""
    if kind not in _kinds:
        raise CantUndo("This version of the program no longer knows how to undo that")
    return _kinds[kind]
