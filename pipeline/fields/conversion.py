"""Untyped attributes become fields, and a field becomes one of another kind: tried first, then done."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID

from django.db import connection

from otc.audit.services import audit_append
from otc.fields.models import CustomField
from otc.fields.people import people_directory
from otc.fields.queries import people_names
from otc.fields.rules import (
    MAX_OPTIONS,
    Field,
    Guess,
    NotAccepted,
    Option,
    Reading,
    guess_kind,
    key_from,
    option_document,
    option_of,
    read_text,
    stored,
)
from otc.fields.services import field_become, field_convert_later, field_create
from otc.fields.shown import label_of, typed_of
from otc.fields.writing import reading_of
from otc.money.queries import corporate_currency
from otc.tenancy.context import current_organization_id
from pipeline.fields.report import TABLES

SHOWN_SAMPLES = 8
# More distinct words than this are no choices, days or people: only text takes them.
MOST_DISTINCT = 50_000
AT_ONCE, STEP = 20_000, 5_000
FORMATS = ("", "%m/%d/%Y", "%d/%m/%Y", "%d.%m.%Y", "%m/%d/%y")


@dataclass(frozen=True)
class Sample:
    """Words that stand there, on how many records, and what they become or why they don't."""

    words: str
    count: int
    becomes: str


@dataclass(frozen=True)
class DryRun:
    """What a conversion would do. `pairs` are raw values and what they become (None: taken away), where that differs.
    Counts are of records.
    """

    target: Field
    converting: int
    failing: int
    good: tuple[Sample, ...]
    bad: tuple[Sample, ...]
    pairs: tuple[tuple[str, str | None], ...]
    rewritten: int


@dataclass(frozen=True)
class Untyped:
    """An attribute under no field: on how many records, some of its words, and the kind that it looks like."""

    name: str
    count: int
    distinct: int
    samples: tuple[str, ...]
    guess: Guess

    @property
    def samples_text(self) -> str:
        return ", ".join(self.samples[:4])


def untyped_attributes(object: str) -> list[Untyped]:
    """Every attribute of the object's records that no field reads, the most frequent first. One query, over all."""
    sql = f"""
WITH found AS (
  SELECT e.key, e.value, count(*) AS records FROM {TABLES[object]} r CROSS JOIN LATERAL jsonb_each_text(r.attributes) e
  WHERE r.organization_id = %(organization)s AND NOT EXISTS (SELECT FROM otc_customfield f
    WHERE f.organization_id = r.organization_id AND f.object = %(object)s AND f.attribute = e.key)
  GROUP BY 1, 2)
SELECT key, sum(records)::bigint, count(*), (array_agg(left(value, 200) ORDER BY records DESC, value))[1:200]
FROM found GROUP BY key ORDER BY 2 DESC, 1 LIMIT 200"""
    with connection.cursor() as cursor:
        cursor.execute(sql, {"organization": str(current_organization_id()), "object": object})
        return [
            Untyped(name, count, distinct, tuple(words), guess_kind(words, distinct_count=distinct))
            for name, count, distinct, words in cursor.fetchall()
        ]


def raw_values(object: str, attribute: str) -> list[tuple[Any, int]]:
    """What stands under an attribute, with the number of records that hold it."""
    sql = f"""SELECT (r.attributes -> %(attribute)s)::text, count(*) FROM {TABLES[object]} r
WHERE r.organization_id = %(organization)s AND r.attributes ? %(attribute)s GROUP BY 1 ORDER BY 2 DESC, 1
LIMIT {MOST_DISTINCT + 1}"""
    with connection.cursor() as cursor:
        cursor.execute(sql, {"organization": str(current_organization_id()), "attribute": attribute})
        return [(json.loads(raw), count) for raw, count in cursor.fetchall()]


def file_reading(*, today: date, date_format: str = "") -> Reading:
    """Words are read as an import reads them."""
    return reading_of(today=today, is_file=True, date_format=date_format or None, person=people_directory())


def dry_run(source: Field | None, target: Field, *, reading: Reading) -> DryRun:
    """Read every value of `source` (None: untyped words under the target's attribute) as `target`. Two queries."""
    found = raw_values(target.object, target.attribute)
    if len(found) > MOST_DISTINCT and target.kind != "text":
        raise NotAccepted("kind", f"More than {MOST_DISTINCT:,} different values can only be text")
    names = people_names() if "person" in (target.kind, source.kind if source else "") else {}
    target = with_found_options(source, target, found, names)
    good: list[Sample] = []
    bad: list[Sample] = []
    pairs: list[tuple[str, str | None]] = []
    rewritten = 0
    for raw, count in found:
        words = words_of(source, raw, names)
        try:
            value = read_text(target, words, reading=reading)
        except NotAccepted as problem:
            bad.append(Sample(words[:80], count, problem.reason))
            pairs.append((json.dumps(raw), None))
            continue
        good.append(Sample(words[:80], count, label_of(target, value, names=names)))
        if value is None or stored(target, {target.attribute: raw}) != value:
            pairs.append((json.dumps(raw), None if value is None else json.dumps(value)))
            rewritten += count
    return DryRun(
        target=target,
        converting=sum(sample.count for sample in good),
        failing=sum(sample.count for sample in bad),
        good=tuple(good[:SHOWN_SAMPLES]),
        bad=tuple(bad[:SHOWN_SAMPLES]),
        pairs=tuple(pairs),
        rewritten=rewritten + sum(sample.count for sample in bad),
    )


def words_of(source: Field | None, raw: Any, names: Mapping[str, str]) -> str:
    """A value in words that a reader of another kind can read."""
    if source is None:
        return raw if isinstance(raw, str) else json.dumps(raw, ensure_ascii=False)
    value = stored(source, {source.attribute: raw})
    if value is None:
        return raw if isinstance(raw, str) else json.dumps(raw, ensure_ascii=False)
    if source.kind in ("choice", "person"):
        return label_of(source, value, names=names)
    if source.kind == "money":
        return typed_of(source, value)
    return str(value)


def with_found_options(
    source: Field | None, target: Field, found: Sequence[tuple[Any, int]], names: Mapping[str, str]
) -> Field:
    """A choice offers what stands there, unless its options are given; the words stay their aliases."""
    if target.kind != "choice" or target.options:
        return target
    options: dict[str, Option] = {}
    taken: set[str] = set()
    for raw, _ in found:
        words = words_of(source, raw, names).strip()
        label = " ".join(words.split())[:80]
        if not label or not label.isprintable():
            continue
        known = options.get(label.casefold())
        if known is None:
            key = key_from(label, taken=taken, fallback="option")
            taken.add(key)
            options[label.casefold()] = Option(key, label, False, (words,))
        elif words not in known.aliases:
            options[label.casefold()] = replace(known, aliases=(*known.aliases, words))
    if len(options) > MAX_OPTIONS:
        raise NotAccepted(
            "kind", f"{len(options)} different values are more than the {MAX_OPTIONS} of a choice"
        )
    return replace(target, options=tuple(options.values()))


def attribute_adopt(
    object: str, attribute: str, *, label: str, kind: str, today: date, takes_away: bool, **more: Any
) -> tuple[CustomField, DryRun]:
    """Make a field of an untyped attribute; its values stay where they are and versions show them from then on.

    Raises NotAccepted where a value doesn't convert and `takes_away` isn't said: then nothing is written.
    """
    date_format = more.pop("date_format", "")
    target = target_of(object, attribute, label=label, kind=kind, **more)
    tried = dry_run(None, target, reading=file_reading(today=today, date_format=date_format))
    _check_failing(tried, takes_away=takes_away)
    row = field_create(
        object=object,
        label=label,
        kind=kind,
        attribute=attribute,
        currency=target.currency,
        options=list(tried.target.options),
        decimals=target.decimals,
        max_length=500,
    )
    _carry_out(row, tried, date_format=date_format)
    return row, tried


def target_of(object: str, attribute: str, *, label: str, kind: str, currency: str = "") -> Field:
    """The field that an attribute would become."""
    return Field(
        None, object, "", attribute, label, kind, max_length=500, **_limits(kind, {"currency": currency})
    )


def field_convert(
    row: CustomField, *, kind: str, today: date, takes_away: bool, currency: str = "", date_format: str = ""
) -> DryRun:
    """Make a field one of another kind. Raises NotAccepted where a value doesn't convert, as above."""
    tried = try_kind(row, kind=kind, today=today, currency=currency, date_format=date_format)
    _check_failing(tried, takes_away=takes_away)
    target = tried.target
    definition: dict[str, Any] = {"kind": kind, "options": target.options, "decimals": target.decimals}
    definition |= {"currency": target.currency, "max_length": target.max_length}
    if tried.rewritten > AT_ONCE:
        field_convert_later(row.id, definition=pending_document(definition, date_format))
        _note("field.conversion_started", row, tried)
        return tried
    field_become(row.id, **definition)
    _write(row.object, row.attribute, tried.pairs)
    _note("field.values_rewritten", row, tried)
    rebuild(row.id)
    return tried


def try_kind(
    row: CustomField, *, kind: str, today: date, currency: str = "", date_format: str = ""
) -> DryRun:
    """What converting would do; nothing is written."""
    source = row.definition
    if kind == source.kind:
        raise NotAccepted("kind", f"{row.label} is a {kind} already")
    target = replace(
        source, kind=kind, options=(), minimum=None, maximum=None, **_limits(kind, {"currency": currency})
    )
    if kind == "text":
        target = replace(target, max_length=500)
    return dry_run(source, target, reading=file_reading(today=today, date_format=date_format))


def _limits(kind: str, more: Mapping[str, Any]) -> dict[str, Any]:
    currency = (str(more.get("currency") or "") or corporate_currency()) if kind == "money" else ""
    return {"currency": currency, "decimals": 6 if kind == "number" else 0}


def _check_failing(tried: DryRun, *, takes_away: bool) -> None:
    if tried.failing and not takes_away:
        first = tried.bad[0]
        raise NotAccepted(
            "kind",
            f"{tried.failing} values don’t convert, like “{first.words}”; say that they may be taken away",
        )


def _carry_out(row: CustomField, tried: DryRun, *, date_format: str) -> None:
    if tried.rewritten > AT_ONCE:
        kept = ("kind", "currency", "decimals", "max_length")
        definition = {name: getattr(row, name) for name in kept} | {"options": tried.target.options}
        field_convert_later(row.id, definition=pending_document(definition, date_format))
        _note("field.conversion_started", row, tried)
        return
    _write(row.object, row.attribute, tried.pairs)
    _note("field.values_rewritten", row, tried)
    rebuild(row.id)


def _note(action: str, row: CustomField, tried: DryRun) -> None:
    """What a conversion does to values, beside what it does to the definition."""
    if not tried.rewritten:
        return
    counts = f"{tried.rewritten:,} values written anew, {tried.failing:,} of them taken away"
    audit_append(
        action,
        subject_kind="field",
        subject_id=row.id,
        summary=f"“{row.label}” of {row.object}s: {counts}",
        detail={
            "object": row.object,
            "key": row.key,
            "kind": tried.target.kind,
            "rewritten": tried.rewritten,
            "taken_away": tried.failing,
        },
    )


def pending_document(definition: Mapping[str, Any], date_format: str) -> dict[str, Any]:
    options = [option_document(option) for option in definition["options"]]
    return {**definition, "options": options, "date_format": date_format}


def _write(
    object: str, attribute: str, pairs: Sequence[tuple[str, str | None]], *, ids: Sequence[UUID] = ()
) -> int:
    """Put what the raw values become in their place; on deals that is an edit with its version."""
    if not pairs:
        return 0
    some = "AND r.id = ANY(%(ids)s::uuid[])" if ids else ""
    sql = f"""UPDATE {TABLES[object]} r SET attributes =
  CASE WHEN m.value IS NULL THEN r.attributes - %(attribute)s::text
  ELSE jsonb_set(r.attributes, ARRAY[%(attribute)s::text], m.value) END
FROM (SELECT DISTINCT raw::jsonb AS raw, value::jsonb AS value FROM unnest(%(raws)s::text[], %(values)s::text[])
  AS u(raw, value)) m
WHERE r.organization_id = %(organization)s AND r.attributes -> %(attribute)s::text = m.raw {some}"""
    parameters: dict[str, Any] = {
        "organization": str(current_organization_id()),
        "attribute": attribute,
        "raws": [raw for raw, _ in pairs],
        "values": [value for _, value in pairs],
        "ids": [str(one) for one in ids],
    }
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.rowcount


def rebuild(field_id: UUID) -> int:
    """Read a field's present values of all deals anew into the typed table."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pipeline_rebuild_field_values(%s)", [str(field_id)])
        counted: int = cursor.fetchone()[0]
    return counted


def ids_with(object: str, attribute: str, *, after: UUID | None, limit: int) -> list[UUID]:
    """The next records that hold something under the attribute, by id."""
    sql = f"""SELECT r.id FROM {TABLES[object]} r WHERE r.organization_id = %(organization)s
AND r.attributes ? %(attribute)s AND (%(after)s::uuid IS NULL OR r.id > %(after)s::uuid) ORDER BY r.id LIMIT {limit}"""
    parameters = {
        "organization": str(current_organization_id()),
        "attribute": attribute,
        "after": str(after) if after else None,
    }
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return [one for (one,) in cursor.fetchall()]


@dataclass(frozen=True)
class Work:
    """A conversion under way: whose values, and what they become."""

    row: CustomField
    object: str
    attribute: str
    definition: Mapping[str, Any]
    pairs: tuple[tuple[str, str | None], ...]
    total: int


def pending_work(field_id: UUID | None, *, today: date) -> Work | None:
    """What the field waits for; None when it was done or called off."""
    row = CustomField.objects.filter(id=field_id, pending__isnull=False).first()
    if row is None:
        return None
    pending = dict(row.pending)
    reading = file_reading(today=today, date_format=pending.pop("date_format", ""))
    options = tuple(option_of(option) for option in pending["options"])
    source = row.definition if row.kind != pending["kind"] else None
    target = replace(
        row.definition,
        kind=pending["kind"],
        options=options,
        currency=pending["currency"],
        decimals=pending["decimals"],
        max_length=pending["max_length"],
        minimum=None,
        maximum=None,
    )
    tried = dry_run(source, target, reading=reading)
    definition = {**pending, "options": options}
    return Work(row, row.object, row.attribute, definition, tried.pairs, tried.converting + tried.failing)


def write_step(work: Work, ids: Sequence[UUID]) -> None:
    _write(work.object, work.attribute, work.pairs, ids=ids)


def finish(work: Work) -> None:
    """The definition follows its values, and the typed table both."""
    field_become(work.row.id, **work.definition)
    rebuild(work.row.id)
