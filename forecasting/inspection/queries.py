"""A period's deals at two instants in one pass over versions: figures, groups, tabs, and which deals a page shows.

What didn't change between the instants is read once: the same version held at both. Only deals that changed are joined
with what they were, and only what ended in between is read beside them.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from forecasting.inspection.before import CHANGED, unchanged_sql, unchanged_then_sql, was_sql
from forecasting.inspection.parts import counting_of
from otc.fields.rules import Field
from otc.money.queries import corporate_minor_sql
from otc.money.rules import CurrencySum
from otc.question import Question
from otc.tenancy.models import FOREVER
from pipeline.fields.queries import read_sql
from pipeline.history.queries import as_of_condition
from pipeline.parts.queries import splits_count
from pipeline.team.queries import seen_sql

ROWS_A_PAGE = 50
NAMED_CAUSES = 3

# Hygiene: an open deal is well kept where none of these holds. All of it stands in versions, so that it has a past.
GAPS = (
    "{0}.owner_id IS NULL OR {0}.amount_minor IS NULL OR {0}.next_step = '' "
    "OR {0}.next_step_on < %({1})s OR {0}.close_date < %({1})s"
)
TABS = {
    "all": "true",
    "changed": "r.is_changed",
    "risk": "r.p_slip > 0.5 OR r.close_date < %(day)s",
    "upside": "r.p_won >= 0.5 AND r.category IN ('pipeline', 'best_case')",
    "overdue": "r.close_date < %(day)s",
    "gaps": GAPS.format("r", "day"),
    "no_next_step": "r.next_step = ''",
}
FIELD = "field"
GROUPS = {
    "category": "coalesce(b.category, '')",
    "stage": "coalesce(b.stage_id::text, '')",
    "owner": "coalesce(b.owner_id::text, '')",
    "product": "coalesce(b.product_id::text, '')",
    "none": "''::text",
    # A custom field as the group: its own values at the asked instant, told as text.
    FIELD: "coalesce(f.value, '')",
}
# Groups come in this order, unknown ones last, then by their key.
GROUP_RANKS = {
    "category": "array_position(ARRAY['commit','most_likely','best_case','pipeline'], g.key)",
    "stage": "(SELECT -s.position FROM pipeline_stage s WHERE s.organization_id = %(organization)s "
    "AND s.id = nullif(g.key, '')::uuid)",
    "owner": "(SELECT p.name FROM otc_person p WHERE p.organization_id = %(organization)s "
    "AND p.id = nullif(g.key, '')::uuid)",
    "product": "(SELECT p.name_folded FROM pipeline_product p WHERE p.organization_id = %(organization)s "
    "AND p.id = nullif(g.key, '')::uuid)",
    "none": "NULL::int",
    FIELD: "g.field_rank",
}
# What rows are sorted by; each is read only where it is asked for.
SORTS = {
    "amount": "r.minor",
    "change": "r.minor - r.was_minor",
    "close": "r.close_date",
    "category": "array_position(ARRAY['commit','most_likely','best_case','pipeline'], r.category)",
    "name": "r.sorted",
    "stage": "r.sorted",
    "owner": "r.sorted",
    "health": "r.health",
    "slip": "r.p_slip",
    "next": "r.next_step_on",
}
_SORTED = {
    "name": 'lower(b.name) COLLATE "C"',
    "stage": "(SELECT s.position FROM pipeline_stage s "
    "WHERE s.organization_id = b.organization_id AND s.id = b.stage_id)",
    "owner": "(SELECT p.name_folded FROM otc_person p "
    "WHERE p.organization_id = b.organization_id AND p.id = b.owner_id)",
}


@dataclass(frozen=True)
class EndSums:
    """What a period and scope hold at one instant: corporate minor units and counts of deals.

    Open, overdue and gaps are of open deals that aren't omitted; `overdue` are those whose close date had passed,
    `gaps` those that lack something or are late with it. Categories are each by itself.
    """

    won_minor: int
    won_count: int
    not_won_minor: int
    not_won_count: int
    commit_minor: int
    most_likely_minor: int
    best_case_minor: int
    open_minor: int
    open_count: int
    overdue_minor: int
    overdue_count: int
    gaps_minor: int
    gaps_count: int


@dataclass(frozen=True)
class Part:
    """Some of the open deals: how many that count, and what they come to in corporate minor units."""

    count: int
    minor: int


@dataclass(frozen=True)
class GroupRow:
    """Sums over every deal of a group, not only over the page's: corporate minor units. `seated_count` of them
    are shown for a seat only and are in no sum.
    """

    group_key: str
    count: int
    seated_count: int
    total_minor: int
    was_minor: int
    unconvertible_count: int


@dataclass(frozen=True)
class Place:
    """A deal's place on a page: its version at the instant and at the compared one (None: not there then)."""

    version_id: UUID
    was_version_id: UUID | None
    group_key: str
    is_seated: bool


@dataclass(frozen=True)
class Pass:
    """What one pass over the deals found. `moved_*`: the deals that changed the open pipeline and what they changed it
    by together; `most_moved` those that did most, each with its part, in corporate minor units.
    """

    now: EndSums
    before: EndSums
    risk: Part
    upside: Part
    counts: dict[str, int]
    groups: list[GroupRow]
    unconvertible: tuple[CurrencySum, ...]
    places: list[Place]
    moved_count: int
    moved_minor: int
    most_moved: list[tuple[UUID, int]]


# Days by month, choices by key, people by id, texts folded; numbers come by size.
_TOLD = {
    "number": "trim_scale({value}::numeric / 1000000)::text",
    "date": "to_char({value}, 'YYYY-MM')",
    "person": "{value}::text",
    "choice": "{value}",
    "text": "nullif({value}, '')",
}


def group_of(field: Field | None, group: str) -> str:
    """The key of GROUPS for a group as the address names it."""
    return FIELD if field is not None else group


def _field_sql(field: Field | None, parameters: dict[str, Any]) -> str:
    """A join that gives `value` and `rank`, by which groups come: choices in their order, people by name."""
    if field is None:
        return ""
    value, more = read_sql(field, "b")
    parameters.update(more, field_order=[option.key for option in field.options])
    ranks = {
        "choice": f"lpad(array_position(%(field_order)s::text[], {value})::text, 4, '0')",
        "number": f"lpad(({value} + 10000000000000000000::numeric)::text, 20, '0')",
        "person": "(SELECT o.name_folded FROM otc_person o WHERE o.organization_id = b.organization_id "
        f"AND o.id = {value})",
    }
    told = _TOLD[field.kind].format(value=value)
    rank = ranks.get(field.kind, told)
    return f'CROSS JOIN LATERAL (SELECT {told} AS value, {rank} COLLATE "C" AS rank OFFSET 0) AS f'


def known_before(question: Question, since: datetime) -> datetime:
    """Whose knowledge tells what was at `since`: that of then, or the question's where it asks for today's."""
    return question.known if question.knowledge == "now" else since


def frame_parameters(question: Question, since: datetime) -> dict[str, Any]:
    """The parameters that every statement about the two instants takes."""
    return {
        "organization": str(question.organization.id),
        "corporate": question.currency,
        "t0": since,
        "known0": known_before(question, since),
        "t1": question.as_of,
        "known": question.known,
        "first": question.period.first,
        "end": question.period.end,
        "day": question.day,
        "day0": since.astimezone(question.zone).date(),
    }


def _reach(question: Question, parameters: dict[str, Any]) -> str:
    """SQL over {alias}: in the viewer's reach now."""
    reach, values = seen_sql(
        question.reach, deal="{alias}.opportunity_id", owner="{alias}.owner_id", prefix="reach_"
    )
    parameters |= values
    return reach


def _deals_sql(question: Question, since: datetime, parameters: dict[str, Any], asked: "AskedRows") -> str:
    """The CTEs: `n` the period's versions of now, `e` those that ended since, `r` the open deals beside their past."""
    now, then = counting_of(question, since, parameters)
    reach = _reach(question, parameters).format(alias="b")
    reached = f"{reach} OR {now.owns('b')}" if now.is_split else reach
    split, whole = (
        (", {0}.split_people, {0}.split_shares", ", {0} AS whole_minor") if now.is_split else ("", "")
    )
    minor0 = corporate_minor_sql("a", known="known0")
    stands = as_of_condition("b", instant="t1", known="known")
    if not question.is_past:
        # Said once, or PostgreSQL thinks of a fifth of the rows and looks each of them up.
        stands = (
            f"b.valid_to = '{FOREVER}' AND b.known_to = '{FOREVER}' "
            "AND b.valid_from <= %(t1)s AND b.known_from <= %(known)s"
        )
    in_period = "{0}.close_date >= %(first)s AND {0}.close_date < %(end)s AND {0}.deleted_at IS NULL"
    scores = _scores_sql(question, asked)
    rank = "f.rank" if asked.field else "NULL::text"
    return f"""
WITH n AS MATERIALIZED (
  SELECT b.id, b.organization_id, b.opportunity_id, b.owner_id, b.stage_id, b.category, b.outcome, b.amount_minor,
    b.currency, b.close_date, b.next_step, b.next_step_on{split.format("b")},
    {GROUPS[group_of(asked.field, asked.group)]} AS key,
    {rank} AS field_rank, {_SORTED.get(asked.sort_name, "NULL::int")} AS sorted,
    b.valid_from <= %(t0)s AND b.known_from <= %(known0)s AS is_same,
    coalesce({now.owns("b")}, false) AS counts, coalesce({then.owns("b")}, false) AS counted,
    {now.shown_minor(corporate_minor_sql("b"), "b", counts=now.owns("b"))} AS minor
  FROM pipeline_opportunityversion b {_field_sql(asked.field, parameters)}
  WHERE b.organization_id = %(organization)s AND {in_period.format("b")}
    AND {stands}
    AND ({reached} OR {then.owns("b")})
), e AS MATERIALIZED (
  SELECT a.id, a.opportunity_id, a.owner_id, a.stage_id, a.category, a.outcome, a.amount_minor, a.currency,
    a.close_date, a.next_step, a.next_step_on{split.format("a")},
    {then.minor(minor0, "a")} AS minor{whole.format(minor0)}
  FROM pipeline_opportunityversion a
  WHERE a.organization_id = %(organization)s AND {in_period.format("a")}
    AND {as_of_condition("a", instant="t0", known="known0")} AND {then.owns("a")}
    AND ((a.valid_to > %(t0)s AND a.valid_to <= %(t1)s) OR (a.known_to > %(known0)s AND a.known_to <= %(known)s))
), m AS MATERIALIZED (
  SELECT n.opportunity_id, n.organization_id, n.owner_id, n.stage_id, n.category, n.amount_minor, n.currency,
    n.close_date{split.format("n")}{", n.counts" if split else ""}
  FROM n LEFT JOIN e ON e.opportunity_id = n.opportunity_id WHERE {CHANGED} AND e.opportunity_id IS NULL
), w AS MATERIALIZED ({was_sql(now)}
), r AS MATERIALIZED (
  SELECT n.*, {scores.columns}, CASE WHEN n.is_same THEN n.id ELSE w.id END AS was_id,
    CASE WHEN n.is_same THEN {unchanged_sql(now)} ELSE w.minor END AS was_minor,
    NOT n.is_same AND coalesce(w.is_changed, true) AS is_changed
  FROM n LEFT JOIN w ON w.opportunity_id = n.opportunity_id {scores.joins}
  WHERE n.outcome IS NULL AND n.category IS DISTINCT FROM 'omitted' AND {_shown(question)}
)"""


def _shown(question: Question) -> str:
    """Of the rows read for either end, those that the list shows: owned in scope, or seen for a seat."""
    if not question.reach.seated:
        return "n.counts"
    reach, _ = seen_sql(question.reach, deal="n.opportunity_id", owner="n.owner_id", prefix="reach_")
    return f"(n.counts OR {reach})" if splits_count() else reach


@dataclass(frozen=True)
class _Scores:
    columns: str
    joins: str


def _scores_sql(question: Question, asked: "AskedRows") -> _Scores:
    """Risk and health are of the present only; health is read for all deals only where it sorts them."""
    if question.is_past:
        return _Scores("NULL::float AS p_slip, NULL::float AS p_won, NULL::int AS health", "")
    columns, joins = "k.p_slip, k.p_won, NULL::int AS health", ""
    # A score is of a close date: those of the period's days are read at once, and one of another day isn't the deal's.
    joins = (
        "LEFT JOIN pipeline_risk k ON k.organization_id = n.organization_id "
        "AND k.opportunity_id = n.opportunity_id AND k.close_date = n.close_date "
        "AND k.close_date >= %(first)s AND k.close_date < %(end)s"
    )
    if asked.sort_name == "health":
        columns = "k.p_slip, k.p_won, h.score AS health"
        joins += (
            " LEFT JOIN pipeline_health h ON h.organization_id = n.organization_id "
            "AND h.opportunity_id = n.opportunity_id"
        )
    return _Scores(columns, joins)


@dataclass(frozen=True)
class AskedRows:
    """Which deals of the pass a page shows; `limit` None is all of them. `sort` with "-" before it turns round."""

    tab: str
    group: str
    sort: str
    offset: int
    limit: int | None
    field: Field | None = None

    @property
    def sort_name(self) -> str:
        return self.sort.removeprefix("-")


def _end_sql(alias: str, *, day: str) -> str:
    """The values of EndSums over rows of one end, as a JSON array."""
    is_open = f"{alias}.outcome IS NULL AND {alias}.category IS DISTINCT FROM 'omitted'"
    not_won = f"{alias}.outcome IN ('lost', 'no_decision')"

    def total(condition: str) -> str:
        return f"coalesce(sum({alias}.minor) FILTER (WHERE {condition}), 0)::bigint"

    def count(condition: str) -> str:
        return f"count(*) FILTER (WHERE {condition})"

    parts = [
        total(f"{alias}.outcome = 'won'"),
        count(f"{alias}.outcome = 'won'"),
        total(not_won),
        count(not_won),
    ]
    parts += [
        total(f"{is_open} AND {alias}.category = '{category}'")
        for category in ("commit", "most_likely", "best_case")
    ]
    late = f"{is_open} AND {alias}.close_date < %({day})s"
    gaps = f"{is_open} AND ({GAPS.format(alias, day)})"
    for condition in (is_open, late, gaps):
        parts += [total(condition), count(condition)]
    return f"json_build_array({', '.join(parts)})"


# What each deal adds to the change of the open pipeline, of those that add anything: they come to the whole change.
_EFFECTS = """
  SELECT d.opportunity_id, sum(d.minor)::bigint AS minor FROM (
    SELECT n.opportunity_id, coalesce(CASE WHEN n.counts THEN n.minor END, 0)
      - coalesce(CASE WHEN n.is_same AND n.counted THEN {was} END, 0) AS minor
    FROM n WHERE n.outcome IS NULL AND n.category IS DISTINCT FROM 'omitted'
      AND (NOT n.is_same OR n.counts <> n.counted OR n.minor IS DISTINCT FROM {was})
    UNION ALL SELECT e.opportunity_id, -e.minor FROM e
    WHERE e.outcome IS NULL AND e.category IS DISTINCT FROM 'omitted') AS d
  GROUP BY 1 HAVING sum(d.minor) <> 0
"""
_BEFORE = """
  SELECT n.owner_id, n.category, n.outcome, n.amount_minor, n.close_date, n.next_step, n.next_step_on, {minor} AS minor
  FROM n WHERE n.is_same AND n.counted
  UNION ALL SELECT owner_id, category, outcome, amount_minor, close_date, next_step, next_step_on, minor FROM e
"""


def one_pass(question: Question, *, since: datetime, asked: AskedRows) -> Pass:
    """The figures at both instants, the tabs' counts, the groups of the asked tab, and its page. One query."""
    parameters = frame_parameters(question, since) | {"offset": asked.offset, "limit": asked.limit}
    deals = _deals_sql(question, since, parameters, asked)
    was = unchanged_then_sql(*counting_of(question, since, parameters))
    tab = TABS[asked.tab]
    direction = "DESC NULLS LAST" if asked.sort.startswith("-") else "ASC NULLS LAST"
    counts = ", ".join(f"count(*) FILTER (WHERE {condition})" for condition in TABS.values())
    parts = ", ".join(
        f"count(*) FILTER (WHERE NOT seated AND ({TABS[name]})), "
        f"coalesce(sum(r.minor) FILTER (WHERE NOT seated AND ({TABS[name]})), 0)::bigint"
        for name in ("risk", "upside")
    ).replace("seated", "(NOT r.counts)")
    lost = "r.counts AND r.amount_minor IS NOT NULL AND r.minor IS NULL"
    sql = f"""{deals}, g AS MATERIALIZED (
  SELECT g.*, row_number() OVER (
    ORDER BY {GROUP_RANKS[group_of(asked.field, asked.group)]} NULLS LAST, g.key) AS place
  FROM (SELECT r.key, min(r.field_rank) AS field_rank, count(*) AS deals,
    count(*) FILTER (WHERE NOT r.counts) AS seated, coalesce(sum(r.minor) FILTER (WHERE r.counts), 0)::bigint AS minor,
    coalesce(sum(r.was_minor) FILTER (WHERE r.counts), 0)::bigint AS was_minor,
    count(*) FILTER (WHERE {lost}) AS lost FROM r WHERE {tab} GROUP BY r.key) AS g
), p AS (
  SELECT r.id, r.was_id, r.key, NOT r.counts AS seated FROM r JOIN g ON g.key = r.key WHERE {tab}
  ORDER BY g.place, {SORTS[asked.sort_name]} {direction}, r.opportunity_id LIMIT %(limit)s OFFSET %(offset)s
), d AS MATERIALIZED ({_EFFECTS.format(was=was)})
SELECT (SELECT {_end_sql("n", day="day")} FROM n WHERE n.counts),
  (SELECT {_end_sql("n", day="day0")} FROM ({_BEFORE.format(minor=was)}) AS n),
  (SELECT json_build_array({parts}) FROM r), (SELECT json_build_array({counts}) FROM r),
  (SELECT json_agg(json_build_array(g.key, deals, seated, minor, was_minor, lost) ORDER BY place) FROM g),
  (SELECT json_agg(json_build_array(u.currency, u.deals, u.minor) ORDER BY u.currency) FROM (
    SELECT r.currency, count(*) AS deals, sum(r.amount_minor)::bigint AS minor FROM r
    WHERE ({tab}) AND {lost} GROUP BY 1) AS u),
  (SELECT json_agg(json_build_array(p.id, p.was_id, p.key, p.seated)) FROM p),
  (SELECT json_build_array(count(*), coalesce(sum(d.minor), 0)::bigint) FROM d),
  (SELECT json_agg(json_build_array(c.opportunity_id, c.minor)) FROM (
    SELECT * FROM d ORDER BY abs(d.minor) DESC, d.opportunity_id LIMIT {NAMED_CAUSES}) AS c)"""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return _read(cursor.fetchone())


def _read(row: tuple[Any, ...]) -> Pass:
    """The database hands JSON over as text; nothing found is null."""
    now, before, parts, counts, groups, unconvertible, places, moved, most_moved = (
        json.loads(value) if isinstance(value, str) else value for value in row
    )
    return Pass(
        now=EndSums(*now),
        before=EndSums(*before),
        risk=Part(*parts[:2]),
        upside=Part(*parts[2:]),
        counts=dict(zip(TABS, counts, strict=True)),
        groups=[GroupRow(*group) for group in groups or ()],
        unconvertible=tuple(CurrencySum(*one) for one in unconvertible or ()),
        places=[
            Place(UUID(version), UUID(was) if was else None, key, seated)
            for version, was, key, seated in places or ()
        ],
        moved_count=moved[0],
        moved_minor=moved[1],
        most_moved=[(UUID(deal), minor) for deal, minor in most_moved or ()],
    )
