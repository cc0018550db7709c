"""The fields of an object with what their values need to be read and shown. One query each, whatever the rows."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from uuid import UUID

from otc.fields.models import CustomField
from otc.fields.rules import Field, stored
from otc.tenancy.models import Organization, Person


@dataclass(frozen=True)
class Book:
    """The custom fields of one object in their order, retired ones too. `names` are people's, by id."""

    fields: tuple[Field, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)

    @property
    def active(self) -> tuple[Field, ...]:
        return tuple(one for one in self.fields if one.is_active)

    def by_key(self, key: str) -> Field | None:
        return next((one for one in self.fields if one.key == key), None)

    def by_attribute(self, attribute: str) -> Field | None:
        return next((one for one in self.fields if one.attribute == attribute), None)

    def members(self, attributes: Mapping[str, Any] | None) -> dict[str, Any]:
        """Every active field's value under its key, None where it isn't set: what the API says."""
        return {one.key: stored(one, attributes) for one in self.active}

    def others(self, attributes: Mapping[str, Any] | None) -> dict[str, Any]:
        """What stands in the attributes under no field."""
        known = {one.attribute for one in self.fields}
        return {name: value for name, value in (attributes or {}).items() if name not in known}

    def naming(self, documents: Iterable[Mapping[str, Any] | None], *, beside: Iterable[str] = ()) -> "Book":
        """With the names of the people whom the documents' values mean, and of those `beside`. One query where a
        field means people.
        """
        people = [one for one in self.fields if one.kind == "person"]
        if not people:
            return self
        ids = {value for document in documents for one in people if (value := stored(one, document))}
        ids |= set(beside)
        found = Person.objects.filter(id__in=ids or [UUID(int=0)]).values_list("id", "name")
        return Book(self.fields, {str(person_id): name for person_id, name in found})


def field_book(name: str, organization: Organization | None = None) -> Book:
    """The fields of `name` (deal, account or contact). One query; none for a page that has its organization at hand,
    once they were read under the organization's present stamp.
    """
    if organization is None:
        return _read(name)
    if organization.fields_stamp is None:
        return Book()
    return _kept(name, organization.fields_stamp)


def _read(name: str) -> Book:
    rows = CustomField.objects.filter(object=name).order_by("position", "id")
    return Book(tuple(row.definition for row in rows))


@lru_cache(maxsize=512)
def _kept(name: str, stamp: UUID) -> Book:
    """A stamp is random and new with every change, so it names one organization's definitions at one time."""
    return _read(name)


def is_person(person_id: UUID) -> bool:
    """Whether the person belongs to the organization in context."""
    return bool(Person.objects.filter(id=person_id).exists())


def people_choices() -> list[tuple[str, str]]:
    """Everybody who may stand in a person field, by name."""
    people: Sequence[Person] = (
        Person.objects.filter(left_on__isnull=True).exclude(role="integration").order_by("name_folded", "id")
    )
    return [(str(person.id), person.name) for person in people]


def people_names() -> dict[str, str]:
    """The name of everybody, by id: for files, where rows come in batches."""
    return {str(person_id): name for person_id, name in Person.objects.values_list("id", "name")}


def names_of(ids: Iterable[str]) -> dict[str, str]:
    """The names of people by id; what is no id has none."""
    known = [person_id for person_id in ids if len(person_id) == 36]
    found = Person.objects.filter(id__in=known).values_list("id", "name")
    return {str(person_id): name for person_id, name in found}
