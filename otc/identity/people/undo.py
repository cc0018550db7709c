"""What was changed about a person can be put back, unless it was changed again since."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils import timezone

from otc.tenancy.lines import lock_lines
from otc.tenancy.models import FOREVER, Person, ReportingLine
from otc.tenancy.services import CyclicLine, line_set, person_describe
from otc.undo.registry import CantUndo, undoes
from otc.undo.services import undo_offer

KIND, DESCRIBED = "line_set", "person_described"


def line_set_undoably(person: Person, *, manager_id: UUID | None, since: datetime) -> UUID | None:
    """Set the line and offer to undo, with what was planned after `since`. Raises CyclicLine.

    Returns the step's id: none where nothing changed, or where the person had no line to go back to.
    """
    lock_lines()
    lines = ReportingLine.objects.filter(person_id=person.id, valid_to__gt=since).order_by("valid_from")
    before = [(line.manager_id, line.valid_from) for line in lines]
    line = line_set(person, manager_id=manager_id, since=since)
    if line.valid_from != since or not before or before[0][1] > since:
        return None
    planned = [[manager and str(manager), start.isoformat()] for manager, start in before]
    payload = {"person": str(person.id), "line": str(line.id), "since": since.isoformat(), "planned": planned}
    return undo_offer(KIND, said=f"{person.name}’s reporting line", payload=payload)


@undoes(KIND, action="manage_people")
def put_line_back(payload: Mapping[str, Any]) -> str:
    """What was in force and planned before holds again from now on; the time in between stays as it was."""
    lock_lines()
    line = ReportingLine.objects.filter(id=payload["line"], valid_to=FOREVER).select_related("person").first()
    if line is None:
        raise CantUndo("That line was changed again since; set it anew")
    resumed = max(timezone.now(), datetime.fromisoformat(payload["since"]))
    try:
        for manager, start in payload["planned"]:
            line_set(
                line.person,
                manager_id=UUID(manager) if manager else None,
                since=max(resumed, datetime.fromisoformat(start)),
            )
    except CyclicLine as refusal:
        raise CantUndo(str(refusal)) from refusal
    return f"{line.person.name}’s reporting line is as before"


def person_describe_undoably(person: Person, **words: str) -> UUID | None:
    """Change name, title and territory, and offer to undo. Raises ValueError; returns no step where nothing changed."""
    before = _words(person)
    person_describe(person, **words)
    after = _words(person)
    if after == before:
        return None
    payload = {"person": str(person.id), "before": before, "after": after}
    return undo_offer(DESCRIBED, said=f"what is said of {person.name}", payload=payload)


def _words(person: Person) -> dict[str, str]:
    return {"name": person.name, "title": person.title, "territory": person.territory}


@undoes(DESCRIBED, action="manage_people")
def put_words_back(payload: Mapping[str, Any]) -> str:
    """Name, title and territory are what they were before."""
    person = Person.objects.select_for_update().filter(id=payload["person"]).first()
    if person is None or _words(person) != payload["after"]:
        raise CantUndo("It was changed again since; change it anew")
    person_describe(person, **payload["before"])
    return f"{person.name} is described as before"
