"""Which entries are asked for? The same filters for page, download and API."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from otc.question import BadQuestion, parse_uuid

NOBODY = "nobody"
EARLIEST, LATEST = date(1990, 1, 1), date(2100, 12, 31)
FILTERS = ("person", "action", "subject_kind", "subject_id", "from", "to", "q")


@dataclass(frozen=True)
class Asked:
    """`person` acted (`nobody`: the house itself); days are the organization's, both included; `after` is a number."""

    person: str = ""
    action: str = ""
    subject_kind: str = ""
    subject_id: UUID | None = None
    first: date | None = None
    last: date | None = None
    words: str = ""
    after: int | None = None

    @property
    def is_narrowed(self) -> bool:
        chosen = (self.person, self.action, self.subject_kind, self.subject_id, self.first, self.last)
        return any(chosen) or bool(self.words)


def read(parameters: Mapping[str, str]) -> Asked:
    """Read person, action, subject_kind, subject_id, from, to, q, after. Raises BadQuestion."""
    person = parameters.get("person", "")
    subject, after = parameters.get("subject_id", ""), parameters.get("after", "")
    if after and not (after.isascii() and after.isdigit() and len(after) < 19):
        raise BadQuestion("after", "This page isn’t there; start with the first one")
    return Asked(
        person=str(parse_uuid(person, "person")) if person and person != NOBODY else person,
        action=_word(parameters, "action"),
        subject_kind=_word(parameters, "subject_kind"),
        subject_id=parse_uuid(subject, "subject_id") if subject else None,
        first=_day(parameters, "from"),
        last=_day(parameters, "to"),
        words=_word(parameters, "q"),
        after=int(after) if after else None,
    )


def narrowed(rows: Any, asked: Asked, *, zone: ZoneInfo) -> Any:
    """The entries of `rows` that are asked for, on whatever page."""
    exact = {
        "action": asked.action,
        "subject_kind": asked.subject_kind,
        "subject_id": asked.subject_id,
        "summary__icontains": asked.words,
    }
    rows = rows.filter(**{name: value for name, value in exact.items() if value})
    if asked.person:
        rows = rows.filter(actor_id=None if asked.person == NOBODY else UUID(asked.person))
    if asked.first:
        rows = rows.filter(at__gte=_start(asked.first, zone))
    if asked.last:
        rows = rows.filter(at__lt=_start(asked.last + timedelta(days=1), zone))
    return rows


def _start(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), tzinfo=zone)


def _word(parameters: Mapping[str, str], name: str) -> str:
    return parameters.get(name, "").strip()[:200].replace("\x00", "")


def _day(parameters: Mapping[str, str], name: str) -> date | None:
    text = parameters.get(name, "")
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise BadQuestion(name, f"“{text}” is not a day like 2026-11-02") from None
    if not EARLIEST <= day <= LATEST:
        raise BadQuestion(name, f"{text} is out of reach; years go from 1990 to 2100")
    return day
