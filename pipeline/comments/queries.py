"""Which comments stand on a deal?"""

from datetime import datetime
from typing import Any
from uuid import UUID

from pipeline.comments.models import DealComment

MOST_ROWS = 500


def comments_of(opportunity_id: UUID) -> Any:
    """The comments that aren't deleted, with their authors."""
    found = DealComment.objects.filter(opportunity_id=opportunity_id, deleted_at__isnull=True)
    return found.select_related("author")


def latest_comments(opportunity_id: UUID, *, until: datetime) -> list[DealComment]:
    """The latest five hundred up to `until`, newest first. One query."""
    found = comments_of(opportunity_id).filter(created_at__lte=until)
    return list(found.order_by("-created_at", "-id")[:MOST_ROWS])
