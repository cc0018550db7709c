"""Which names does the organization know that a column of a file may mean? For the person who maps values."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from django.db.models import Q

from otc.fields.queries import people_choices
from otc.imports.binding import Binding
from otc.imports.columns import Column, ColumnType, FieldColumn, folded
from otc.tenancy.models import Person
from pipeline.accounts.models import Account
from pipeline.imports.field_cells import accepted
from pipeline.opportunities.models import Competitor, Product
from pipeline.process.models import CloseReason, Stage

PEOPLE = ("owner", "person", "manager")
MODELS: dict[str, Any] = {
    "account": Account,
    "stage": Stage,
    "reason": CloseReason,
    "competitor": Competitor,
    "product": Product,
    **dict.fromkeys(PEOPLE, Person),
}
# Accounts are too many to choose one from a list for every value.
CHOSEN = ("stage", "reason", "competitor", "product", "owner", "person")
MOST_OPTIONS = 200
ALIKE = 0.8


@dataclass(frozen=True)
class KnownNames:
    """What a column's cells may be: `options` are the names to choose from, empty where they are too many."""

    options: tuple[str, ...] = ()

    def suggestion(self, text: str) -> str:
        """The option that a text was probably meant to be, empty when none is alike."""
        by_folded = {folded(option.replace("_", " ")): option for option in self.options}
        close = get_close_matches(folded(text.replace("_", " ")), by_folded, n=1, cutoff=ALIKE)
        return by_folded[close[0]] if close else ""


def is_mappable(column: Column) -> bool:
    """Whether its values may be replaced one by one."""
    if isinstance(column, FieldColumn):
        return column.field.kind in ("choice", "person")
    return column.type is ColumnType.CHOICE or column.name in CHOSEN


def known_names(column: Column) -> KnownNames:
    """What values of a column may be mapped to."""
    if column.type is ColumnType.CHOICE:
        return KnownNames(column.choices)
    if isinstance(column, FieldColumn):
        return KnownNames(tuple(dict.fromkeys(name for _, name in people_choices()[:MOST_OPTIONS])))
    names = MODELS[column.name].objects.order_by("name").values_list("name", flat=True)[: MOST_OPTIONS + 1]
    found = tuple(dict.fromkeys(names))
    return KnownNames(found if len(found) <= MOST_OPTIONS else ())


def known_among(column: Column, texts: Collection[str], binding: Binding) -> set[str]:
    """Those of the texts that name something: a record by name, id or e-mail, a choice, or a custom field's value."""
    if isinstance(column, FieldColumn):
        return set(accepted(binding.readers[column.attribute], texts))
    if column.type is ColumnType.CHOICE:
        return {text for text in texts if text.lower().replace(" ", "_") in column.choices}
    model = MODELS[column.name]
    if model in (Stage,):
        known = {name.lower() for name in model.objects.values_list("name", flat=True)}
        return {text for text in texts if text.lower() in known}
    return _recorded(model, texts)


def _recorded(model: Any, texts: Iterable[str]) -> set[str]:
    by_folded = {folded(text): text for text in texts}
    names = {field.name for field in model._meta.fields}
    wanted = Q(name_folded__in=list(by_folded))
    if "external_id" in names:
        wanted |= Q(external_id__in=list(by_folded.values()))
    if "email" in names:
        wanted |= Q(email__in=list(by_folded.values()))
    columns = [name for name in ("name_folded", "external_id", "email") if name in names]
    found = {value for row in model.objects.filter(wanted).values_list(*columns) for value in row if value}
    return {text for text in texts if folded(text) in found or text in found}
