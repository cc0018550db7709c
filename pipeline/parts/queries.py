"""Which parts do deals have: one for each person between whom a deal is split, at an instant. SQL over versions.

A part is a version seen as one person's: `owner_id` is that person, `part_place` their place in `split_shares` (NULL:
the deal isn't split and is its owner's whole), `part_before` who stands before them. Where an organization never split
a deal, its versions are its parts: the SQL is what it would be without any split.
"""

from django.db import connection
from django.db.models import Q

from otc.tenancy.context import SPLITS_KEY, current_organization_id, once_per_snapshot
from otc.tenancy.lines import Owners
from pipeline.history.models import OpportunityVersion
from pipeline.opportunities.models import Opportunity
from pipeline.team.models import Split, SplitKind

VERSIONS, DEALS = OpportunityVersion._meta.db_table, Opportunity._meta.db_table


def splits_count() -> bool:
    """Whether any deal of the organization is or was split, overlays too. A request knows; else one query."""
    return once_per_snapshot(SPLITS_KEY, _has_splits)


def _has_splits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT splits_deals FROM otc_organization WHERE id = %s", [str(current_organization_id())]
        )
        found: bool = cursor.fetchone()[0]
    return found


def parts_sql(*, is_split: bool, table: str = VERSIONS) -> str:
    """SQL for FROM: the parts that the rows of `table` (versions, or deals as they stand) have, to be given an alias.

    >>> parts_sql(is_split=False)
    'pipeline_opportunityversion'
    """
    if not is_split:
        return table
    whole = part_columns("w", owner="w.owner_id", table=table)
    split = part_columns("w", owner="p.person_id", table=table)
    return f"""(SELECT {whole}, NULL::integer AS part_place, NULL::uuid[] AS part_before
        FROM {table} w WHERE w.split_people IS NULL
      UNION ALL SELECT {split}, p.place::integer, w.split_people[:p.place - 1]
        FROM {table} w CROSS JOIN LATERAL unnest(w.split_people) WITH ORDINALITY AS p (person_id, place)
        WHERE w.split_people IS NOT NULL)"""


def part_columns(alias: str, *, owner: str, table: str = VERSIONS) -> str:
    """SQL: the columns of the version (or deal) `alias`, `owner` in the owner's place."""
    model = Opportunity if table == DEALS else OpportunityVersion
    columns = (str(field.column) for field in model._meta.local_fields)
    return ", ".join(
        f"{owner} AS owner_id" if column == "owner_id" else f"{alias}.{column}" for column in columns
    )


def share_sql(minor: str, alias: str, *, is_split: bool) -> str:
    """SQL: what the part `alias` has of the deal's amount `minor`, an expression (shares by largest remainder)."""
    if not is_split:
        return minor
    return (
        f"CASE WHEN {alias}.part_place IS NULL THEN {minor} "
        f"ELSE pipeline_part({minor}, {alias}.split_shares, {alias}.part_place) END"
    )


def is_first_sql(alias: str, *, prefix: str, is_split: bool) -> str:
    """SQL: whether the part `alias` is its deal's first among the owners of `owner_parameters` under `prefix`: where
    it is, the deal is counted, so that it counts once in a total.
    """
    if not is_split:
        return "true"
    return (
        f"({alias}.part_place IS NULL OR {alias}.part_place = 1 OR NOT "
        f"(%({prefix}_all)s OR {alias}.part_before && %({prefix}_ids)s::uuid[]))"
    )


def has_part(owners: Owners, *, deal: str = "id") -> Q:
    """Deals, now or as versions, of which one of the owners has a part: unsplit ones of theirs, and split ones between
    them and others. `deal` is the deal's id.

    Whoever ever had a share is found by the split's own index; the row says whether that still holds.
    """
    mine = owners.matching("owner") & Q(split_people__isnull=True)
    if owners.person_ids is None:
        return mine | Q(split_people__isnull=False)
    people = sorted(owners.person_ids)
    ever = Split.objects.filter(person_id__in=people, kind=SplitKind.REVENUE).values("opportunity_id")
    return mine | Q(**{f"{deal}__in": ever}, split_people__overlap=people)


def parts_of_sql(minor: str, table: str, *, people: str = "people") -> str:
    """SQL: what the people of the parameter `people` have together of the amount `minor` of a deal or version."""
    return (
        f"CASE WHEN {table}.split_people IS NULL THEN {minor} ELSE (SELECT coalesce(sum(pipeline_part("
        f"{minor}, {table}.split_shares, p.place::integer)), CASE WHEN {minor} IS NOT NULL THEN 0 END)::bigint "
        f"FROM unnest({table}.split_people) WITH ORDINALITY AS p (person_id, place) "
        f"WHERE p.person_id = ANY(%({people})s::uuid[])) END"
    )


def shares_of_sql(table: str, *, people: str = "people") -> str:
    """SQL: basis points that the people have together of a split deal or version; NULL where it isn't split."""
    return (
        f"CASE WHEN {table}.split_people IS NOT NULL THEN (SELECT coalesce(sum(p.share_bp), 0)::integer "
        f"FROM unnest({table}.split_people, {table}.split_shares) AS p (person_id, share_bp) "
        f"WHERE p.person_id = ANY(%({people})s::uuid[])) END"
    )
