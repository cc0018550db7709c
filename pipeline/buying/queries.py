"""Who was on a deal's buying team at an instant?"""

from datetime import datetime
from typing import Any
from uuid import UUID

from pipeline.buying.models import BuyingRole


def buying_roles_at(opportunity_id: UUID, instant: datetime) -> Any:
    """The parts played in the deal at `instant`, oldest first, with their contacts."""
    found = BuyingRole.objects.filter(
        opportunity_id=opportunity_id, valid_from__lte=instant, valid_to__gt=instant
    )
    return found.select_related("contact").order_by("valid_from", "id")
