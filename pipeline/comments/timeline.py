"""Comments as a deal's timeline tells them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from uuid import UUID

from pipeline.comments.models import DealComment
from pipeline.comments.rules import parts_of
from pipeline.opportunities.timeline import COMMENT, Entry

# A longer comment shows its beginning and opens.
SHOWN_AT_ONCE, BEGINNING = 600, 280


@dataclass(frozen=True)
class Shown:
    """A comment in pieces, each with whether it is a mention. `beginning` is empty where all of it is shown at once."""

    id: UUID
    author_id: UUID | None
    parts: tuple[tuple[str, bool], ...]
    beginning: str
    is_edited: bool


def comment_entries(comments: Iterable[DealComment]) -> Iterator[Entry]:
    for comment in comments:
        who = comment.author.name if comment.author else ""
        yield Entry(
            at=comment.created_at, kind=COMMENT, icon="note", who=who, note=who, comment=shown(comment)
        )


def shown(comment: DealComment) -> Shown:
    is_long = len(comment.text) > SHOWN_AT_ONCE or comment.text.count("\n") > 12
    return Shown(
        comment.id,
        comment.author_id,
        tuple(parts_of(comment.text, comment.mentions)),
        comment.text[:BEGINNING].rstrip() if is_long else "",
        comment.edited_at is not None,
    )
