"""The only writer of what a person chose to see."""

from collections.abc import Sequence
from uuid import UUID

from otc.tenancy.models import Person


def columns_remember(person_id: UUID, *, columns: Sequence[str]) -> None:
    """Keep a person's columns of the deals list; none goes back to the usual ones."""
    Person.objects.filter(id=person_id).update(deal_columns=",".join(columns))
