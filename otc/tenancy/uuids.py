"""Ids as the database sends them, each read once: a report names the same people and stages thousands of times."""

from functools import lru_cache
from typing import Any
from uuid import UUID

from psycopg2 import extensions

UUID_TYPE, UUID_ARRAY_TYPE = 2950, 2951
KEPT = 65_536


@lru_cache(maxsize=KEPT)
def uuid_read(text: str) -> UUID:
    """The id that the text says; one object for all that say the same."""
    return UUID(text)


def _cast(text: str | None, cursor: Any) -> UUID | None:
    return None if text is None else uuid_read(text)


def register() -> None:
    """In place of the adapter that Django registers."""
    one = extensions.new_type((UUID_TYPE,), "UUID", _cast)
    extensions.register_type(one)
    extensions.register_type(extensions.new_array_type((UUID_ARRAY_TYPE,), "UUID[]", one))
