"""What people have of a period by (owner, category): as the tests write it."""

from collections.abc import Mapping
from typing import Any

from forecasting.rollup.rules import own_by_person


def by_person(own: Mapping[tuple[Any, str | None], int]) -> dict[Any, list[int]]:
    """The same as the rollup takes it."""
    return own_by_person((person, category, minor) for (person, category), minor in own.items())
