"""Ids that follow from the seed: the same company gets the same rows, down to the last byte.

They look like uuidv7: the instant first, so that rows of one time lie together, then what a hash of the key gives.
"""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import blake2b
from uuid import UUID

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LOW_62, LOW_48 = 2**62 - 1, 2**48 - 1
ODD = 0x9E3779B97F4A7C15


def key_of(seed: int, *, kind: str, key: str) -> int:
    """62 bits for a thing of the company, whatever the process or Python's own hash seed."""
    return int.from_bytes(blake2b(f"{seed}:{kind}:{key}".encode(), digest_size=8).digest()) & LOW_62


def text_id(at: datetime, *, key: int, number: int = 0) -> str:
    """The id of the `number`-th row of the thing with `key`, at `at`, as PostgreSQL writes it."""
    passed = at - EPOCH
    ms = (passed.days * 86400 + passed.seconds) * 1000 + passed.microseconds // 1000
    low = (key + number * ODD) & LOW_62
    return (
        f"{ms >> 16:08x}-{ms & 0xFFFF:04x}-7{number & 0xFFF:03x}-{0x8000 | low >> 48:04x}-{low & LOW_48:012x}"
    )


def demo_id(seed: int, *, kind: str, key: str, at: datetime) -> UUID:
    """The id of one thing: demo_id(1, kind="account", key="A-00001", at=...)."""
    return UUID(text_id(at, key=key_of(seed, kind=kind, key=key)))
