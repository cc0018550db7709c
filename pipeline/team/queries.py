"""Which deals does a reach hold? By owner, by a seat on the team, by a share of the splits: as Q and as SQL."""

from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import BooleanField, F, Func, Q
from django.db.models.expressions import RawSQL

from otc.money.queries import positional
from otc.tenancy.context import current_organization_id
from otc.tenancy.models import FOREVER
from otc.tenancy.reach import Reach
from pipeline.team.models import DealTeamMember, Split

SEATS = (DealTeamMember._meta.db_table, Split._meta.db_table)


def seen(reach: Reach, *, deal: str = "id", owner: str = "owner") -> Q:
    """Deals of the reach, for a queryset whose `deal` is the deal's id and `owner` its owner.

    The seats are read once into an array, so that each way in keeps an index of its own.
    """
    found = reach.owners.matching(owner)
    if not reach.seated:
        return found
    named, values = _seated_deals(reach)
    sql, names = positional(named)
    is_seated = Func(
        F(deal),
        RawSQL(sql, [values[name] for name in names]),
        template="%(expressions)s)",
        arg_joiner=" = ANY(ARRAY",
        output_field=BooleanField(),
    )
    return found | Q(is_seated)


def seen_sql(reach: Reach, *, deal: str, owner: str, prefix: str = "") -> tuple[str, dict[str, Any]]:
    """The same as SQL over columns, with its parameters, their names beginning with `prefix`."""
    condition, values = reach.owners.condition(owner)
    condition = condition.replace("%s", f"%({prefix}owners)s")
    parameters: dict[str, Any] = {f"{prefix}owners": values[0]} if values else {}
    if not reach.seated:
        return f"({condition})", parameters
    sql, seated = _seated_deals(reach, prefix=prefix)
    return f"({condition} OR {deal} = ANY(ARRAY({sql})))", parameters | seated


def sees(reach: Reach, *, deal_id: UUID, owner_id: UUID | None) -> bool:
    """Whether the reach holds this deal. One query where it isn't by its owner."""
    if reach.owners.contains(owner_id):
        return True
    if not reach.seated:
        return False
    sql, values = _seated_deals(reach)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT %(deal)s = ANY(ARRAY({sql}))", {"deal": deal_id, **values})
        found: bool = cursor.fetchone()[0]
    return found


def _seated_deals(reach: Reach, *, prefix: str = "") -> tuple[str, dict[str, Any]]:
    """The ids of the deals on whose team or in whose splits one of the reach's people is, as SQL."""
    sql = " UNION ALL ".join(
        f"SELECT opportunity_id FROM {seat} WHERE organization_id = %({prefix}tenant)s "
        f"AND person_id = ANY(%({prefix}seated)s::uuid[]) AND valid_to = '{FOREVER.isoformat()}'"
        for seat in SEATS
    )
    seated = sorted(str(person_id) for person_id in reach.seated)
    return sql, {f"{prefix}tenant": str(current_organization_id()), f"{prefix}seated": seated}


def team_of(opportunity_id: UUID) -> list[DealTeamMember]:
    """Everybody who is or was on the deal's team, in the order in which they came."""
    found = DealTeamMember.objects.filter(opportunity_id=opportunity_id)
    return list(found.select_related("person", "added_by", "removed_by").order_by("valid_from", "id"))


def splits_of(opportunity_id: UUID) -> list[Split]:
    """The deal's present splits, revenue before overlay, the largest first."""
    found = Split.objects.filter(opportunity_id=opportunity_id, valid_to=FOREVER)
    return list(found.select_related("person").order_by("-kind", "-share_bp", "person__name_folded"))
