"""Many lines written together, and put back together."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils import timezone

from otc.tenancy.lines import lock_lines
from otc.tenancy.many_lines import LineWish, lines_end, lines_set, refuse_cycles
from otc.tenancy.models import FOREVER, ReportingLine
from otc.tenancy.services import CyclicLine
from otc.undo.registry import CantUndo, undoes
from otc.undo.services import undo_offer

KIND = "lines_set"


def lines_set_undoably(wishes: Sequence[LineWish]) -> tuple[int, UUID | None]:
    """Write them, and offer to undo. Returns how many people have another line, and the step. Raises CyclicLine."""
    before = lines_set(wishes)
    if not before:
        return 0, None
    payload = {
        "before": {
            str(person): [[manager and str(manager), start.isoformat()] for manager, start in stood]
            for person, stood in before.items()
        },
        "lines": sorted(str(line) for line in _last_lines(before)),
        "since": min(one.since for one in wishes).isoformat(),
    }
    return len(before), undo_offer(KIND, said=f"{len(before):,} reporting lines", payload=payload)


def _last_lines(people: Mapping[UUID, Any]) -> list[UUID]:
    rows = ReportingLine.objects.filter(person_id__in=list(people), valid_to=FOREVER)
    return list(rows.values_list("id", flat=True))


@undoes(KIND, action="manage_people")
def put_lines_back(payload: Mapping[str, Any]) -> str:
    """What stood and was planned before holds again from now on; the time in between stays as it was."""
    lock_lines()
    before = {UUID(person): stood for person, stood in payload["before"].items()}
    if sorted(str(line) for line in _last_lines(before)) != payload["lines"]:
        raise CantUndo("One of these lines was changed again since; set them anew")
    resumed = max(timezone.now(), datetime.fromisoformat(payload["since"]))
    lines_end([person for person, stood in before.items() if not stood], at=resumed)
    wishes = [
        LineWish(person, UUID(manager) if manager else None, max(resumed, datetime.fromisoformat(start)))
        for person, stood in before.items()
        for manager, start in stood
    ]
    try:
        lines_set(wishes)
        refuse_cycles(since=resumed)
    except CyclicLine as refusal:
        raise CantUndo(str(refusal)) from refusal
    return f"{len(before):,} reporting lines are as before"
