"""What a buyer, and we, did in the close plan, as entries of the deal's timeline."""

from collections.abc import Iterable
from typing import Any

from pipeline.closeplan.models import ClosePlanEvent
from pipeline.opportunities.timeline import COMMENT, CONTACT, MILESTONE, Entry, short


def plan_entries(events: Iterable[ClosePlanEvent]) -> list[Entry]:
    return [_entry(event) for event in events]


def _entry(event: Any) -> Entry:
    who = event.link.recipient if event.link else event.person.name if event.person else ""
    by = f"by {who} via close plan" if event.link else f"by {who} in the close plan"
    if event.act == "comment":
        about = f" on {event.milestone.name}" if event.milestone else ""
        title, note = short(event.text), f"Comment{about} {by}"
        return Entry(at=event.at, kind=CONTACT, icon="note", title=title, who=who, note=note, also=COMMENT)
    words = "met" if event.act == "met" else "open again"
    return Entry(
        at=event.at,
        kind=MILESTONE,
        icon="check" if event.act == "met" else "box",
        title=f"Milestone {words}: {event.milestone.name}",
        who=who,
        note=by,
        also=CONTACT if event.link else "",
    )
