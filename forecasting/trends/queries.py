"""What a period came to at many instants: from kept sums where they hold, from versions where they don't."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import connection

from forecasting.rollup.queries import owner_condition, owner_parameters
from forecasting.trends.models import SumsStale, WeeklySample
from forecasting.trends.rules import COLUMNS, Sample, Sums, start_of
from otc.money.queries import corporate_minor_sql
from otc.question import Question
from otc.tenancy.context import current_organization_id
from otc.tenancy.lines import ALL_OWNERS, Owners
from pipeline.parts.queries import splits_count

Key = tuple[date, date, datetime]

IS_OPEN = "{0}.outcome IS NULL AND {0}.category IS DISTINCT FROM 'omitted'"
OPEN_SUMS = ", ".join(
    f"coalesce(sum(x.minor) FILTER (WHERE x.is_closing AND x.outcome IS NULL AND {condition}), 0)::bigint"
    for condition in (
        "x.category = 'pipeline'",
        "x.category = 'best_case'",
        "x.category = 'most_likely'",
        "x.category = 'commit'",
        "x.category IS NULL",
    )
)
# In the order of COLUMNS. `is_closing`: it closes in the period; else it was created in it. `is_counted`: a split deal
# is counted with its largest share, so that kept counts of any people add up.
SUMS = f"""{OPEN_SUMS},
  count(*) FILTER (WHERE x.is_counted AND x.is_closing AND x.outcome IS NULL),
  coalesce(sum(x.minor) FILTER (WHERE x.is_closing AND x.outcome = 'won'), 0)::bigint,
  count(*) FILTER (WHERE x.is_counted AND x.is_closing AND x.outcome = 'won'),
  coalesce(sum(x.minor) FILTER (WHERE NOT x.is_closing), 0)::bigint,
  count(*) FILTER (WHERE x.is_counted AND NOT x.is_closing),
  count(*) FILTER (WHERE x.is_counted AND x.is_closing AND x.amount_minor IS NOT NULL AND x.minor IS NULL)"""
COUNTS_WHEN_CLOSING = "({0}.outcome = 'won' OR " + IS_OPEN + ")"
COUNTS_WHEN_CREATED = "({0}.outcome IS NOT NULL OR {0}.category IS DISTINCT FROM 'omitted')"
# A version and a sample on both clocks.
HOLDS = "v.valid_from <= s.at AND v.valid_to > s.at AND v.known_from <= s.known AND v.known_to > s.known"


def _minor(known: str, alias: str = "v") -> str:
    """The corporate amount of `alias` at the rates known at an instant of SQL, which is no parameter of its own."""
    return corporate_minor_sql(alias).replace("%(known)s", known)


def _from_versions(*, is_split: bool) -> str:
    """SQL: every sample's sums by owner, or by person where deals are split. Per period its versions are read once,
    whatever the number of its samples.
    """
    owner, minor, is_counted, parts = "v.owner_id", _minor("s.known"), "true", ""
    if is_split:
        owner = "CASE WHEN v.split_people IS NULL THEN v.owner_id ELSE p.person_id END AS owner_id"
        minor = f"CASE WHEN p.place IS NULL THEN {minor} ELSE pipeline_part({minor}, v.split_shares, p.place::int) END"
        is_counted = "p.place IS NULL OR p.place = 1"
        parts = "LEFT JOIN LATERAL unnest(v.split_people) WITH ORDINALITY AS p (person_id, place) ON true"
    state = (
        f"s.first, s.last, s.at, {owner}, v.outcome, v.category, v.amount_minor, {is_counted} AS is_counted"
    )
    return f"""
WITH sample AS MATERIALIZED (
  SELECT * FROM unnest(%(firsts)s::date[], %(lasts)s::date[], %(starts)s::timestamptz[], %(ats)s::timestamptz[],
    %(knowns)s::timestamptz[]) AS s(first, last, start, at, known)
), span AS (
  SELECT s.first, s.last, min(s.at) AS low, max(s.at) AS high FROM sample s GROUP BY 1, 2
)
SELECT x.first, x.last, x.at, x.owner_id, {SUMS} FROM (
  SELECT {state}, true AS is_closing, {minor} AS minor
  FROM span
  JOIN pipeline_opportunityversion v ON v.organization_id = %(organization)s
    AND v.close_date >= span.first AND v.close_date < span.last AND v.valid_from <= span.high AND v.valid_to > span.low
    AND v.deleted_at IS NULL AND {COUNTS_WHEN_CLOSING.format("v")}
  JOIN sample s ON s.first = span.first AND s.last = span.last AND {HOLDS} {parts}
  UNION ALL
  SELECT {state}, false, {minor}
  FROM sample s
  JOIN pipeline_opportunity o ON o.organization_id = %(organization)s AND o.created_at >= s.start
    AND o.created_at < s.at
  JOIN pipeline_opportunityversion v ON v.organization_id = %(organization)s AND v.opportunity_id = o.id AND {HOLDS}
    AND v.deleted_at IS NULL AND {COUNTS_WHEN_CREATED.format("v")} {parts}
) x GROUP BY 1, 2, 3, 4
"""


KEPT = f"""
SELECT a.first, a.last, a.at, {", ".join(f"sum(w.{column})::bigint" for column in COLUMNS)}
FROM unnest(%(firsts)s::date[], %(lasts)s::date[], %(ats)s::timestamptz[]) AS a(first, last, at)
JOIN forecasting_weeklysum w ON w.organization_id = %(organization)s AND w.first = a.first AND w."end" = a.last
  AND w.at = a.at AND {{owners}}
GROUP BY 1, 2, 3
"""
KEPT_OF_ALL = f"""
SELECT a.first, a.last, a.at, {", ".join(f"w.{column}" for column in COLUMNS)}
FROM unnest(%(firsts)s::date[], %(lasts)s::date[], %(ats)s::timestamptz[]) AS a(first, last, at)
JOIN forecasting_weeklysample w ON w.organization_id = %(organization)s AND w.first = a.first AND w."end" = a.last
  AND w.at = a.at
"""


def summed_from_versions(
    samples: Sequence[Sample], *, known: datetime | None, corporate: str
) -> dict[Key, dict[UUID | None, Sums]]:
    """The slow, exact way: every sample's sums by owner. `known` is the instant whose knowledge counts; None: each
    sample's own.
    """
    if not samples:
        return {}
    parameters = _arrays(samples) | {
        "starts": [sample.start_at for sample in samples],
        "knowns": [known or sample.at for sample in samples],
        "corporate": corporate,
    }
    found: dict[Key, dict[UUID | None, Sums]] = {sample.key: {} for sample in samples}
    with connection.cursor() as cursor:
        cursor.execute(_from_versions(is_split=splits_count()), parameters)
        for first, last, at, owner_id, *sums in cursor.fetchall():
            found[first, last, at][owner_id] = Sums(*sums)
    return found


def kept_sums(samples: Iterable[tuple[Sample, Owners]]) -> dict[Key, Sums]:
    """The kept sums of samples, each for its owners. One query per set of owners; a moved line makes a second one."""
    by_owners: dict[Owners, list[Sample]] = {}
    for sample, owners in samples:
        by_owners.setdefault(owners, []).append(sample)
    found: dict[Key, Sums] = {}
    for owners, group in by_owners.items():
        sql, parameters = KEPT_OF_ALL, _arrays(group)
        if owners != ALL_OWNERS:
            sql = KEPT.format(owners=owner_condition("w", prefix="scope"))
            parameters |= owner_parameters(owners, prefix="scope")
        with connection.cursor() as cursor:
            cursor.execute(sql, parameters)
            found |= {(first, last, at): Sums(*sums) for first, last, at, *sums in cursor.fetchall()}
    return found


def holding(samples: Sequence[Sample]) -> set[Key]:
    """The samples whose kept sums are true: kept, and nothing of what was by then has changed since. Two queries."""
    stale_since = SumsStale.objects.order_by("since").values_list("since", flat=True).first()
    kept = WeeklySample.objects.filter(
        at__in={sample.at for sample in samples}, first__in={sample.period.first for sample in samples}
    )
    return {
        (first, end, at)
        for first, end, at in kept.values_list("first", "end", "at")
        if stale_since is None or at < stale_since
    }


def _arrays(samples: Sequence[Sample]) -> dict[str, Any]:
    return {
        "organization": str(current_organization_id()),
        "firsts": [sample.period.first for sample in samples],
        "lasts": [sample.period.end for sample in samples],
        "ats": [sample.at for sample in samples],
    }


def source_sql(question: Question) -> str:
    """SQL: deals `v` of the organization as of the question, with `id` and `created_at`, deleted ones left out."""
    if not question.is_past:
        return (
            "(SELECT o.* FROM pipeline_opportunity o WHERE o.organization_id = %(organization)s "
            "AND o.deleted_at IS NULL)"
        )
    return (
        "(SELECT x.opportunity_id AS id, x.organization_id, x.name, x.account_id, x.owner_id, x.outcome, x.category, "
        "x.amount_minor, x.currency, x.close_date, x.source, x.kind, x.product_id, x.attributes, "
        "x.split_people, x.split_shares, "
        "o.created_at FROM pipeline_opportunityversion x "
        "JOIN pipeline_opportunity o ON o.organization_id = x.organization_id AND o.id = x.opportunity_id "
        "WHERE x.organization_id = %(organization)s AND x.deleted_at IS NULL AND x.valid_from <= %(as_of)s "
        "AND x.valid_to > %(as_of)s AND x.known_from <= %(known)s AND x.known_to > %(known)s)"
    )


def frame_parameters(question: Question) -> dict[str, Any]:
    period = question.period
    return {
        "organization": str(question.organization.id),
        "as_of": question.as_of,
        "known": question.known,
        "corporate": question.currency,
        "first": period.first,
        "end": period.end,
        "start": start_of(period.first, zone=question.zone),
        **owner_parameters(question.owners, prefix="scope"),
    }
