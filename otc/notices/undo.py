"""Putting one's choices back as they were."""

from collections.abc import Mapping
from dataclasses import astuple
from typing import Any
from uuid import UUID

from otc.notices.kinds import Ways
from otc.notices.queries import choices_of, mails_of
from otc.notices.services import mail_choice_set, notice_choices_set
from otc.undo.registry import undoes

CHOICES = "notice_choices"


def choices_before(person_id: UUID) -> dict[str, Any]:
    """What puts the present choices back."""
    ways = {kind.key: list(astuple(way)) for kind, way in choices_of(person_id)}
    return {"person": str(person_id), "ways": ways, "mails": list(astuple(mails_of(person_id)))}


@undoes(CHOICES, action="use_pages")
def put_choices_back(payload: Mapping[str, Any]) -> str:
    person_id = UUID(payload["person"])
    notice_choices_set(person_id, ways={kind: Ways(*way) for kind, way in payload["ways"].items()})
    digest, at_once = payload["mails"]
    mail_choice_set(person_id, digest=digest, at_once=at_once)
    return "Your choices are as they were"
