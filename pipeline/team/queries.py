"""Which deals does a reach hold? By owner, by a seat on the team, by a share of the splits: as Q and as SQL."""

from typing import Any
from uuid import UUID

from django.db.models import BooleanField, F, Func, Q, Subquery

from otc.tenancy.context import current_organization_id
from otc.tenancy.models import FOREVER
from otc.tenancy.reach import Reach
from pipeline.team.models import DealTeamMember, Split

SEATS: tuple[Any, ...] = (DealTeamMember, Split)


def seen(reach: Reach, *, deal: str = "id", owner: str = "owner") -> Q:
    """Deals of the reach, for a queryset whose `deal` is the deal's id and `owner` its owner.

    The seats are read once into an array, so that each way in keeps an index of its own.
    """
    found = reach.owners.matching(owner)
    if not reach.seated:
        return found
    for seat in SEATS:
        deals = seat.objects.filter(person_id__in=sorted(reach.seated), valid_to=FOREVER)
        is_seated = Func(
            F(deal),
            Subquery(deals.values("opportunity_id")),
            template="%(expressions)s)",
            arg_joiner=" = ANY(ARRAY",
            output_field=BooleanField(),
        )
        found |= Q(is_seated)
    return found


def seen_sql(reach: Reach, *, deal: str, owner: str, prefix: str = "") -> tuple[str, dict[str, Any]]:
    """The same as SQL over columns, with its parameters, their names beginning with `prefix`."""
    condition, values = reach.owners.condition(owner)
    conditions = [condition.replace("%s", f"%({prefix}owners)s")]
    parameters: dict[str, Any] = {f"{prefix}owners": values[0]} if values else {}
    if reach.seated:
        parameters[f"{prefix}seated"] = sorted(str(person_id) for person_id in reach.seated)
        parameters[f"{prefix}tenant"] = str(current_organization_id())
        conditions += [
            f"{deal} = ANY(ARRAY(SELECT opportunity_id FROM {seat._meta.db_table} "
            f"WHERE organization_id = %({prefix}tenant)s AND person_id = ANY(%({prefix}seated)s::uuid[]) "
            f"AND valid_to = '{FOREVER.isoformat()}'))"
            for seat in SEATS
        ]
    return f"({' OR '.join(conditions)})", parameters


def team_of(opportunity_id: UUID) -> list[DealTeamMember]:
    """Everybody who is or was on the deal's team, in the order in which they came."""
    found = DealTeamMember.objects.filter(opportunity_id=opportunity_id)
    return list(found.select_related("person", "added_by", "removed_by").order_by("valid_from", "id"))


def splits_of(opportunity_id: UUID) -> list[Split]:
    """The deal's present splits, revenue before overlay, the largest first."""
    found = Split.objects.filter(opportunity_id=opportunity_id, valid_to=FOREVER)
    return list(found.select_related("person").order_by("-kind", "-share_bp", "person__name_folded"))
