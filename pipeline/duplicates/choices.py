"""Which value of each field wins when two records become one? Facts of both side by side, and what is chosen."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from otc.fields.queries import field_book
from otc.money.rules import decimal_text
from pipeline.duplicates.models import RecordKind

KEPT, GONE = "kept", "gone"


@dataclass(frozen=True)
class Asked:
    """A field that both records have: its columns, and what it is called."""

    key: str
    label: str
    columns: tuple[str, ...]


ASKED: Mapping[str, tuple[Asked, ...]] = {
    RecordKind.ACCOUNT: (
        Asked("name", "Name", ("name",)),
        Asked("external_id", "External id", ("external_id",)),
        Asked("parent", "Part of", ("parent_id",)),
        Asked("industry", "Industry", ("industry",)),
        Asked("country", "Country", ("country",)),
    ),
    RecordKind.CONTACT: (
        Asked("name", "Name", ("name",)),
        Asked("external_id", "External id", ("external_id",)),
        Asked("title", "Title", ("title",)),
        Asked("email", "E-mail", ("email",)),
        Asked("phone", "Phone", ("phone",)),
    ),
    RecordKind.OPPORTUNITY: (
        Asked("name", "Name", ("name",)),
        Asked("account", "Account", ("account_id",)),
        Asked("owner", "Owner", ("owner_id",)),
        Asked("amount", "Amount", ("amount_minor", "currency")),
        Asked("close_date", "Close date", ("close_date",)),
        Asked("source", "Source", ("source",)),
        Asked("kind", "Kind", ("kind",)),
        Asked("product", "Product", ("product_id",)),
        Asked("competitor", "Competitor", ("competitor_id",)),
        Asked("next_step", "Next step", ("next_step", "next_step_on")),
    ),
}
ATTRIBUTE = "attributes."


@dataclass(frozen=True)
class Choice:
    """A field where both differ: what each has in words, and which wins unless somebody says otherwise."""

    key: str
    label: str
    kept: str
    gone: str
    wins: str


def choices_of(kind: str, kept: Any, gone: Any, *, chosen: Mapping[str, str]) -> list[Choice]:
    """The fields in which two records differ. What the one that stays lacks comes from the other."""
    found = []
    for asked in ASKED[kind]:
        if _values(kept, asked) != _values(gone, asked):
            wins = chosen.get(asked.key) or (GONE if _is_empty(kept, asked) else KEPT)
            found.append(Choice(asked.key, asked.label, _text(kept, asked), _text(gone, asked), wins))
    return found + list(_attributes(kind, kept, gone, chosen))


def _attributes(kind: str, kept: Any, gone: Any, chosen: Mapping[str, str]) -> Iterator[Choice]:
    noun = "deal" if kind == RecordKind.OPPORTUNITY else str(kind)
    labels = {field.attribute: field.label for field in field_book(noun).fields}
    for name in sorted(set(kept.attributes) | set(gone.attributes)):
        ours, theirs = kept.attributes.get(name), gone.attributes.get(name)
        if ours != theirs and theirs not in (None, ""):
            key = ATTRIBUTE + name
            wins = chosen.get(key) or (GONE if ours in (None, "") else KEPT)
            yield Choice(key, labels.get(name, name), _plain(ours), _plain(theirs), wins)


def changes_of(kind: str, gone: Any, choices: list[Choice]) -> dict[str, Any]:
    """The columns that the record which stays takes from the other; attributes under `attributes`."""
    won = {choice.key for choice in choices if choice.wins == GONE}
    changes = {
        column: getattr(gone, column) for asked in ASKED[kind] if asked.key in won for column in asked.columns
    }
    attributes = {
        key.removeprefix(ATTRIBUTE): gone.attributes[key.removeprefix(ATTRIBUTE)]
        for key in won
        if key.startswith(ATTRIBUTE)
    }
    return changes | ({"attributes": attributes} if attributes else {})


def _values(record: Any, asked: Asked) -> tuple[Any, ...]:
    return tuple(getattr(record, column) for column in asked.columns)


def _is_empty(record: Any, asked: Asked) -> bool:
    return getattr(record, asked.columns[0]) in (None, "")


def _text(record: Any, asked: Asked) -> str:
    if asked.key == "amount":
        if record.amount_minor is None:
            return ""
        return f"{decimal_text(record.amount_minor, currency=record.currency)} {record.currency}"
    if asked.columns[0].endswith("_id") and asked.key != "external_id":
        related = getattr(record, asked.columns[0].removesuffix("_id"))
        return str(related.name) if related else ""
    return " · ".join(_plain(value) for value in _values(record, asked) if value not in (None, ""))


def _plain(value: Any) -> str:
    return "" if value is None else str(value)
