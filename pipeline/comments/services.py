"""The only writers of comments: say, change and delete one's own, with undo; whoever is mentioned is told once."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils import timezone

from otc.notices.kinds import MENTION
from otc.notices.services import notices_send
from otc.tenancy.context import act_on, current_context
from otc.tenancy.models import Person
from otc.undo.registry import CantUndo, undoes
from otc.undo.services import undo_offer
from pipeline.comments.models import DealComment
from pipeline.comments.rules import Meant, Somebody, checked_text, mentions_in
from pipeline.opportunities.models import Opportunity
from pipeline.opportunities.rules import Refused

KIND = "deal_comment"


@dataclass(frozen=True)
class Said:
    """A comment after a write, names that meant nobody, and the step that Undo takes back."""

    comment: DealComment
    unknown: tuple[str, ...]
    step: UUID | None


def comment_add(opportunity_id: UUID, *, text: str, audience: list[Person], now: datetime) -> Said:
    """Say something on the deal. `audience` may see it: only they can be mentioned. Raises Refused."""
    text = checked_text(text)
    deal = Opportunity.objects.only("id", "name", "owner_id").get(id=opportunity_id)
    act_on(deal.owner_id)
    meant = mentions_in(text, _somebody(audience))
    comment = DealComment(
        opportunity_id=deal.id,
        author_id=current_context().person_id,
        text=text,
        mentions=_kept(meant),
        created_at=now,
    )
    comment.save(force_insert=True)
    _tell(deal, comment, meant.people)
    step = undo_offer(KIND, said=f"Comment on {deal.name}", payload=_payload(comment, was=None))
    return Said(comment, meant.unknown, step)


def comment_edit(
    opportunity_id: UUID, comment_id: UUID, *, text: str, audience: list[Person], now: datetime
) -> Said:
    """Change one's own comment; who is mentioned in it for the first time is told. Raises Refused."""
    text = checked_text(text)
    comment = _own(opportunity_id, comment_id)
    if comment.text == text:
        return Said(comment, (), None)
    was, told = _words(comment), {UUID(person_id) for _, _, person_id in comment.mentions}
    meant = mentions_in(text, _somebody(audience))
    comment.text, comment.mentions, comment.edited_at = text, _kept(meant), now
    comment.save(update_fields=["text", "mentions", "edited_at"])
    deal = Opportunity.objects.only("id", "name").get(id=opportunity_id)
    _tell(deal, comment, meant.people - told)
    step = undo_offer(KIND, said=f"Comment on {deal.name} changed", payload=_payload(comment, was=was))
    return Said(comment, meant.unknown, step)


def comment_delete(opportunity_id: UUID, comment_id: UUID, *, now: datetime) -> Said:
    """Delete one's own comment; Undo brings it back. Raises Refused."""
    comment = _own(opportunity_id, comment_id)
    comment.deleted_at = now
    comment.save(update_fields=["deleted_at"])
    step = undo_offer(KIND, said="Comment deleted", payload=_payload(comment, was=_words(comment)))
    return Said(comment, (), step)


@undoes(KIND, action="comment_deal")
def put_comment_back(payload: Mapping[str, Any]) -> str:
    """As it was before the write: gone, with its former words, or there again."""
    comment = DealComment.objects.select_for_update().filter(id=payload["id"]).first()
    if comment is None or _state(comment) != payload["after"]:
        raise CantUndo("This comment was changed since; change it again instead")
    if payload["was"] is None:
        comment.deleted_at = timezone.now()
        comment.save(update_fields=["deleted_at"])
        return "The comment is taken back"
    comment.deleted_at = None
    comment.text, comment.mentions = payload["was"]["text"], payload["was"]["mentions"]
    comment.save(update_fields=["deleted_at", "text", "mentions"])
    return "The comment is as it was before"


def _own(opportunity_id: UUID, comment_id: UUID) -> DealComment:
    """One's own comment that stands. DoesNotExist for one of another deal or a deleted one; Refused for another's."""
    comment: DealComment = DealComment.objects.select_for_update().get(
        id=comment_id, opportunity_id=opportunity_id, deleted_at__isnull=True
    )
    if comment.author_id != current_context().person_id:
        raise Refused("comment", "Only who wrote a comment changes it; answer with another")
    return comment


def _somebody(audience: list[Person]) -> list[Somebody]:
    return [Somebody(person.id, person.name) for person in audience]


def _kept(meant: Meant) -> list[list[Any]]:
    return [[one.start, one.end, str(one.person_id)] for one in meant.mentions]


def _tell(deal: Opportunity, comment: DealComment, people: frozenset[UUID] | set[UUID]) -> None:
    """A notice to each but the author."""
    author = Person.objects.filter(id=comment.author_id).values_list("name", flat=True).first()
    path = f"deals/{deal.id}/#comment-{comment.id}"
    notices_send(
        sorted(people - {comment.author_id}),
        text=f"{author or 'Somebody'} mentioned you on {deal.name}",
        path=path,
        kind=MENTION,
        deal_id=deal.id,
    )


def _words(comment: DealComment) -> dict[str, Any]:
    return {"text": comment.text, "mentions": comment.mentions}


def _payload(comment: DealComment, *, was: dict[str, Any] | None) -> dict[str, Any]:
    return {"id": str(comment.id), "was": was, "after": _state(comment)}


def _state(comment: DealComment) -> dict[str, Any]:
    return {"text": comment.text, "is_deleted": comment.deleted_at is not None}
