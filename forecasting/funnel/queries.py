"""What a cohort of deals did in the stages, and what was closed by segment: SQL over versions."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import connection

from forecasting.funnel.closed import Closed
from forecasting.funnel.rules import CohortEnd, Stay, Velocity
from forecasting.rollup.queries import owner_parameters, part_condition, part_minor
from forecasting.trends.queries import IS_OPEN, frame_parameters, source_sql
from otc.fields.rules import Field
from otc.money.queries import corporate_minor_sql
from otc.money.rules import CurrencySum
from otc.question import Question
from pipeline.fields.queries import read_sql
from pipeline.history.queries import as_of_condition
from pipeline.parts.queries import splits_count
from pipeline.team.queries import seen_sql

SEGMENTS = {
    "owner": "v.owner_id::text",
    "source": "nullif(v.source, '')",
    "kind": "nullif(v.kind, '')",
    "product": "v.product_id::text",
}
NAMES = {"owner": "otc_person", "product": "pipeline_product"}
# What may be opened of a stage, as conditions on a row of `journey`.
OPENED = {
    "entered": "j.entered",
    "advanced": "j.entered AND j.advanced",
    "lost": "j.entered AND NOT j.advanced AND j.finally IN ('lost', 'no_decision')",
    "open": "j.entered AND NOT j.advanced AND j.finally IS NULL",
    "skipped": "j.skipped",
    "backward": "j.backward > 0",
}
CLOSED_IN_PERIOD = "v.outcome IS NOT NULL AND v.close_date >= %(first)s AND v.close_date < %(end)s"
OPENED_OF_SEGMENT = {
    "closed": CLOSED_IN_PERIOD,
    "won": f"{CLOSED_IN_PERIOD} AND v.outcome = 'won'",
    "not_ended": IS_OPEN.format("v"),
}
LISTED = 50

# A visit is a run of versions in which the deal is open in one stage; what is closed or deleted is no visit. The first
# one begins with the deal: a deal that never changed stage counts from creation (DEFINITIONS 7).
VISITS = """
WITH cohort AS MATERIALIZED (
  SELECT v.opportunity_id AS id, v.outcome AS finally, v.closed_at, o.created_at, v.owner_id
  FROM pipeline_opportunity o
  JOIN pipeline_opportunityversion v ON v.organization_id = %(organization)s AND v.opportunity_id = o.id AND {as_of}
  WHERE o.organization_id = %(organization)s AND o.created_at >= %(start)s AND o.created_at < %(stop)s
    AND v.deleted_at IS NULL AND {mine}
), lived AS (
  SELECT c.id, c.created_at, h.valid_from, h.deleted_at IS NOT NULL AS is_deleted,
    CASE WHEN h.outcome IS NULL AND h.deleted_at IS NULL THEN h.stage_id END AS stage_id
  FROM cohort c JOIN pipeline_opportunityversion h ON h.organization_id = %(organization)s AND h.opportunity_id = c.id
    AND h.valid_from <= %(as_of)s AND h.known_from <= %(known)s AND h.known_to > %(known)s
), marked AS (
  SELECT *, row_number() OVER w AS number,
    row(stage_id, is_deleted) IS DISTINCT FROM row(lag(stage_id) OVER w, lag(is_deleted) OVER w) AS begins
  FROM lived WINDOW w AS (PARTITION BY id ORDER BY valid_from)
), run AS (
  SELECT id, stage_id, CASE WHEN number = 1 THEN least(valid_from, created_at) ELSE valid_from END AS start,
    lead(valid_from) OVER w AS stop, lead(is_deleted) OVER w AS is_deleted_next
  FROM marked WHERE begins OR number = 1 WINDOW w AS (PARTITION BY id ORDER BY valid_from)
), visit AS MATERIALIZED (
  SELECT r.*, s.position, lead(s.position) OVER w AS next_position,
    max(s.position) OVER (PARTITION BY r.id ORDER BY r.start ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING) AS later
  FROM run r JOIN pipeline_stage s ON s.organization_id = %(organization)s AND s.id = r.stage_id
    AND s.process_id = %(process)s
  WINDOW w AS (PARTITION BY r.id ORDER BY r.start)
)"""
# Deals that went the same way came to the same: one of each way travels for all of them.
WAYS = """
, way AS MATERIALIZED (
  SELECT min(p.id::text)::uuid AS id, p.finally, count(*) AS deals FROM (
    SELECT c.id, c.finally, array_agg(v.stage_id ORDER BY v.start) AS stages
    FROM cohort c JOIN visit v ON v.id = c.id GROUP BY c.id, c.finally) AS p
  GROUP BY p.finally, p.stages
)"""
# What each of the `travellers` did in each stage.
JOURNEY = """
, journey AS (
  SELECT c.id, c.finally, s.id AS stage_id, bool_or(v.stage_id = s.id) AS entered,
    bool_or(v.stage_id = s.id AND v.later > s.position) IS TRUE
      OR (bool_or(v.stage_id = s.id) AND c.finally IS NOT DISTINCT FROM 'won') AS advanced,
    NOT bool_or(v.stage_id = s.id) AND bool_or(v.position < s.position
      AND (v.later > s.position OR c.finally IS NOT DISTINCT FROM 'won')) IS TRUE AS skipped,
    count(*) FILTER (WHERE v.stage_id = s.id AND v.next_position < v.position) AS backward
  FROM {travellers} c JOIN visit v ON v.id = c.id
  JOIN pipeline_stage s ON s.organization_id = %(organization)s AND s.process_id = %(process)s
  GROUP BY c.id, c.finally, s.id, s.position
)"""


@dataclass(frozen=True)
class StageCounts:
    entered: int
    advanced: int
    lost: int
    open: int
    skipped: int
    backward: int


@dataclass(frozen=True)
class Journey:
    """By stage id; `ends` is what became of the whole cohort, by days."""

    counts: dict[UUID, StageCounts]
    stays: dict[UUID, list[Stay]]
    ends: list[CohortEnd]


@dataclass(frozen=True)
class ListedDeal:
    """A deal behind a number. `id` None: out of the viewer's sight today, and without a name."""

    id: UUID | None
    name: str
    owner_name: str | None
    account_name: str | None
    outcome: str | None
    close_date: date | None
    corporate_minor: int | None


def _is_owned() -> str:
    """SQL: the deal `v` is of the scope, or somebody of it has a part. It counts once."""
    return part_condition("v", prefix="scope", is_split=splits_count())


def _minor(question: Question) -> str:
    """SQL: what the scope has of the amount of `v`."""
    whole = corporate_minor_sql("v")
    return part_minor(whole, "v", owners=question.owners, prefix="scope", is_split=splits_count())


def _cohort(question: Question, process_id: UUID) -> tuple[str, dict[str, Any]]:
    parameters = frame_parameters(question) | {
        "process": str(process_id),
        "stop": min(question.start_of(question.period.end), question.as_of),
    }
    sql = VISITS.format(as_of=as_of_condition("v", instant="as_of", known="known"), mine=_is_owned())
    return sql, parameters


def journey_of(question: Question, *, process_id: UUID) -> Journey:
    """The deals created in the period, as they stand as of the question, in the stages of a process. One query."""
    sql, parameters = _cohort(question, process_id)
    counts = ", ".join(
        f"coalesce(sum(p.deals) FILTER (WHERE {condition}), 0)::bigint"
        for condition in list(OPENED.values())[:-1]
    )
    sql += f"""{WAYS}{JOURNEY.format(travellers="way")}
SELECT 'stage', j.stage_id, NULL::int, NULL, {counts}, sum(j.backward * p.deals)::bigint
FROM journey j JOIN way p ON p.id = j.id GROUP BY j.stage_id
UNION ALL
SELECT 'stay', stage_id, floor(extract(epoch FROM coalesce(stop, %(as_of)s) - start) / 86400)::int,
  CASE WHEN stop IS NOT NULL AND NOT is_deleted_next THEN 'ended' ELSE '' END, count(*), 0, 0, 0, 0, 0
FROM visit GROUP BY 2, 3, 4
UNION ALL
SELECT 'end', NULL, floor(extract(epoch FROM coalesce(closed_at, %(as_of)s) - created_at) / 86400)::int,
  coalesce(finally, ''), count(*), 0, 0, 0, 0, 0
FROM cohort GROUP BY 3, 4"""
    found = Journey({}, {}, [])
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        for kind, stage_id, days, word, *numbers in cursor.fetchall():
            if kind == "stage":
                found.counts[stage_id] = StageCounts(*numbers)
            elif kind == "stay":
                found.stays.setdefault(stage_id, []).append(Stay(days, word == "ended", numbers[0]))
            else:
                found.ends.append(CohortEnd(max(days, 0), word, numbers[0]))
    return found


def deals_of_stage(
    question: Question,
    *,
    process_id: UUID,
    stage_id: UUID,
    what: str,
    offset: int = 0,
    limit: int | None = LISTED,
) -> list[ListedDeal]:
    """The deals that one number of a stage counts, by name; `what` is a key of OPENED. For `backward`, the deals that
    made such moves.
    """
    visits, parameters = _cohort(question, process_id)
    journey = visits + JOURNEY.format(travellers="cohort")
    picked = f"SELECT j.id FROM journey j WHERE j.stage_id = %(stage)s AND {OPENED[what]}"
    parameters |= {"stage": str(stage_id), "offset": offset, "limit": limit}
    return _listed(question, f"{journey}, picked AS ({picked})", parameters)


def deals_of_segment(
    question: Question,
    *,
    segment: str,
    key: str | None,
    what: str,
    field: Field | None = None,
    offset: int = 0,
    limit: int | None = LISTED,
) -> list[ListedDeal]:
    """The deals that one number of a segment counts, by name; `what` is a key of OPENED_OF_SEGMENT."""
    parameters = frame_parameters(question) | {"offset": offset, "limit": limit, "segment": key}
    value, parameters = _segment_sql(segment, field, parameters)
    picked = f"""SELECT v.id FROM {source_sql(question)} v WHERE {_is_owned()}
      AND {value} IS NOT DISTINCT FROM %(segment)s AND {OPENED_OF_SEGMENT[what]}"""
    return _listed(question, f"WITH picked AS ({picked})", parameters)


def _segment_sql(segment: str, field: Field | None, parameters: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """SQL: the segment of `v` as text, NULL where it has none; with the parameters that it needs."""
    if field is None:
        return SEGMENTS[segment], parameters
    value, more = read_sql(field, "v")
    return f"nullif(({value})::text, '')", parameters | more


def _listed(question: Question, picked: str, parameters: dict[str, Any]) -> list[ListedDeal]:
    """The deals of the CTE `picked` as of the question, by name."""
    is_seen, seen_by = seen_sql(question.visible, deal="o.id", owner="o.owner_id", prefix="today_")
    sql = f"""{picked}
SELECT CASE WHEN {is_seen} THEN o.id END, CASE WHEN {is_seen} THEN o.name ELSE '' END, p.name,
  CASE WHEN {is_seen} THEN a.name END, v.outcome, v.close_date, {_minor(question)}
FROM picked
JOIN pipeline_opportunity o ON o.organization_id = %(organization)s AND o.id = picked.id
JOIN pipeline_opportunityversion v ON v.organization_id = %(organization)s AND v.opportunity_id = picked.id
  AND {as_of_condition("v", instant="as_of", known="known")}
LEFT JOIN otc_person p ON p.organization_id = %(organization)s AND p.id = v.owner_id
LEFT JOIN pipeline_account a ON a.organization_id = %(organization)s AND a.id = v.account_id
ORDER BY o.name_folded, o.id LIMIT %(limit)s OFFSET %(offset)s"""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters | seen_by)
        return [ListedDeal(*row) for row in cursor.fetchall()]


@dataclass(frozen=True)
class SegmentRow:
    """One segment, or all of them (`is_total`). `key` is an id, a text or a field's value; None where it is empty."""

    is_total: bool
    key: str | None
    velocity: Velocity


CLOSED_SUMS = """
  count(*) FILTER (WHERE x.outcome = 'won'), count(*) FILTER (WHERE x.outcome = 'lost'),
  count(*) FILTER (WHERE x.outcome = 'no_decision'),
  coalesce(sum(x.minor) FILTER (WHERE x.outcome = 'won'), 0)::bigint,
  coalesce(sum(x.minor) FILTER (WHERE x.outcome = 'lost'), 0)::bigint,
  coalesce(sum(x.minor) FILTER (WHERE x.outcome = 'no_decision'), 0)::bigint,
  count(*) FILTER (WHERE x.outcome = 'won' AND x.native IS NOT NULL AND x.minor IS NULL)"""
CYCLE = "v.close_date - (v.created_at AT TIME ZONE %(zone)s)::date"


def segment_rows(question: Question, *, segment: str, field: Field | None = None) -> list[SegmentRow]:
    """What was closed in the period and what is open now, by segment and in all. One query."""
    parameters = frame_parameters(question) | {"zone": question.organization.timezone}
    key, parameters = _segment_sql(segment, field, parameters)
    sql = f"""
SELECT grouping(x.key) = 1, x.key, {CLOSED_SUMS}, count(*) FILTER (WHERE x.outcome IS NULL),
  percentile_cont(0.5) WITHIN GROUP (ORDER BY x.cycle) FILTER (WHERE x.outcome = 'won')
FROM (
  SELECT {key} AS key, v.outcome, CASE WHEN v.outcome IS NOT NULL THEN {_minor(question)} END AS minor,
    v.amount_minor AS native, {CYCLE} AS cycle
  FROM {source_sql(question)} v WHERE {_is_owned()} AND (({IS_OPEN.format("v")})
    OR ({CLOSED_IN_PERIOD}))
) x GROUP BY GROUPING SETS ((x.key), ())"""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return [
            SegmentRow(is_total, key, Velocity(Closed(*sums), open_count, cycle))
            for is_total, key, *sums, open_count, cycle in cursor.fetchall()
        ]


def won_unpriced(question: Question) -> tuple[CurrencySum, ...]:
    """The deals won in the period that no rate converts, by currency. One query."""
    sql = f"""
SELECT v.currency, count(*), sum(v.amount_minor)::bigint FROM {source_sql(question)} v
WHERE {_is_owned()} AND {OPENED_OF_SEGMENT["won"]} AND v.amount_minor IS NOT NULL AND ({_minor(question)}) IS NULL
GROUP BY 1 ORDER BY 1"""
    parameters = frame_parameters(question) | {"zone": question.organization.timezone}
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return tuple(CurrencySum(*row) for row in cursor.fetchall())


def velocity_over(question: Question, spans: list[tuple[date, date, datetime]]) -> list[Velocity]:
    """Each span's closed deals [first, end) as they stand as of the question, and what was open at its instant.

    Whose deals count follows the question's scope throughout.
    """
    parameters = frame_parameters(question) | {
        "zone": question.organization.timezone,
        "firsts": [first for first, _, _ in spans],
        "ends": [end for _, end, _ in spans],
        "ats": (ats := [at for _, _, at in spans]),
        "earliest": min(ats),
        "latest": max(ats),
        **{f"at_{number}": at for number, at in enumerate(ats)},
        **owner_parameters(question.owners, prefix="scope"),
    }
    open_then = [
        f"count(*) FILTER (WHERE v.valid_from <= %(at_{number})s AND v.valid_to > %(at_{number})s)"
        for number in range(len(ats))
    ]
    sql = f"""
WITH span AS (SELECT * FROM unnest(%(firsts)s::date[], %(ends)s::date[], %(ats)s::timestamptz[])
  WITH ORDINALITY AS s(first, last, at, number)
), closed AS (
  SELECT s.number, v.outcome, {_minor(question)} AS minor, v.amount_minor AS native, {CYCLE} AS cycle
  FROM span s JOIN {source_sql(question)} v ON v.close_date >= s.first AND v.close_date < s.last
  WHERE v.outcome IS NOT NULL AND {_is_owned()}
), sums AS (
  SELECT x.number, {CLOSED_SUMS}, percentile_cont(0.5) WITHIN GROUP (ORDER BY x.cycle) FILTER (WHERE x.outcome = 'won')
  FROM closed x GROUP BY 1
), open AS (
  -- One look at the versions for all instants.
  SELECT counts.* FROM (SELECT ARRAY[{", ".join(open_then)}] AS counted FROM pipeline_opportunityversion v
    WHERE v.organization_id = %(organization)s AND v.valid_from <= %(latest)s AND v.valid_to > %(earliest)s
      AND v.known_from <= %(known)s AND v.known_to > %(known)s
      AND {IS_OPEN.format("v")} AND v.deleted_at IS NULL AND {_is_owned()}) AS all_of_them,
    unnest(counted) WITH ORDINALITY AS counts(count, number)
)
SELECT sums.*, coalesce(open.count, 0), span.number FROM span
LEFT JOIN sums ON sums.number = span.number LEFT JOIN open ON open.number = span.number ORDER BY span.number"""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return [Velocity(Closed(*(n or 0 for n in row[1:8])), row[9], row[8]) for row in cursor.fetchall()]
