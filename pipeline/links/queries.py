"""Which links stand on a deal, and which did?"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from uuid import UUID

from pipeline.links.models import DealLink
from pipeline.links.rules import host_of
from pipeline.opportunities.timeline import CHANGE, Entry

MOST_ROWS = 500


def links_ever(opportunity_id: UUID) -> list[DealLink]:
    """Every link that the deal has or had, in the order in which they came. One query."""
    found = DealLink.objects.filter(opportunity_id=opportunity_id).select_related("added_by", "removed_by")
    return list(found.order_by("added_at", "id")[:MOST_ROWS])


def links_at(links: Iterable[DealLink], instant: datetime) -> tuple[tuple[DealLink, str], ...]:
    """Those that stood at `instant`, each with its host."""
    return tuple(
        (link, host_of(link.url))
        for link in links
        if link.added_at <= instant and (link.removed_at is None or link.removed_at > instant)
    )


def link_entries(links: Iterable[DealLink], *, until: datetime) -> Iterator[Entry]:
    """What the timeline tells of them."""
    for link in links:
        if link.added_at <= until:
            who = link.added_by.name if link.added_by else ""
            title = f"Link added: {link.name}"
            yield Entry(at=link.added_at, kind=CHANGE, icon="plus", title=title, who=who, note=who)
        if link.removed_at is not None and link.removed_at <= until:
            who = link.removed_by.name if link.removed_by else ""
            title = f"Link taken off: {link.name}"
            yield Entry(at=link.removed_at, kind=CHANGE, icon="minus", title=title, who=who, note=who)
