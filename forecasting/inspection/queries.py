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

from forecasting.inspection.before import (
    is_changed_sql,
    looked_up_sql,
    read_minor_sql,
    unchanged_sql,
    unchanged_then_sql,
)
from forecasting.inspection.found import EndSums, GroupRow, Part, Pass, Place
from forecasting.inspection.marks import (
    ABSENT,
    NOW,
    THEN,
    code_sql,
    flag,
    has_gaps,
    is_hopeful,
    is_late,
    mark_sql,
    stands,
)
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
# Of so many owners at most, a score is looked up for each deal.
A_BRANCH = 100
NAMED_CAUSES = 3

# Hygiene: an open deal is well kept where none of these holds. All of it stands in versions, so that it has a past.
GAPS = (
    "{0}.owner_id IS NULL OR {0}.amount_minor IS NULL OR {0}.next_step = '' "
    "OR {0}.next_step_on < %({1})s OR {0}.close_date < %({1})s"
)
# Each over a deal's code.
TABS = {
    "all": "true",
    "changed": flag("is_changed"),
    "risk": flag("is_risk"),
    "upside": flag("is_upside"),
    "overdue": is_late(NOW),
    "gaps": has_gaps(NOW),
    "no_next_step": flag("lacks_step"),
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
    "amount": "minor",
    "change": "minor - was_minor",
    "close": "close_date",
    "category": "array_position(ARRAY['commit','most_likely','best_case','pipeline'], category)",
    "name": "sorted",
    "stage": "sorted",
    "owner": "sorted",
    "health": "health",
    "slip": "p_slip",
    "next": "next_step_on",
}
_SORTED = {
    "name": 'lower(b.name) COLLATE "C"',
    "stage": "(SELECT s.position FROM pipeline_stage s "
    "WHERE s.organization_id = b.organization_id AND s.id = b.stage_id)",
    "owner": "(SELECT p.name_folded FROM otc_person p "
    "WHERE p.organization_id = b.organization_id AND p.id = b.owner_id)",
}


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
    """SQL: the period's deals of now (`n`) joined with what ended since (`e`): one row a deal, as it is and was."""
    now, then = counting_of(question, since, parameters)
    reach = _reach(question, parameters).format(alias="b")
    reached = f"{reach} OR {now.owns('b')}" if now.is_split else reach
    split = ", {0}.split_people, {0}.split_shares" if now.is_split else ""
    minor0 = corporate_minor_sql("a", known="known0")
    whole = f", {minor0} AS whole_minor" if now.is_split else ""
    stands_now = as_of_condition("b", instant="t1", known="known")
    if not question.is_past:
        # Said once, or PostgreSQL thinks of a fifth of the rows and looks each of them up.
        stands_now = (
            f"b.valid_to = '{FOREVER}' AND b.known_to = '{FOREVER}' "
            "AND b.valid_from <= %(t1)s AND b.known_from <= %(known)s"
        )
    in_period = "{0}.close_date >= %(first)s AND {0}.close_date < %(end)s AND {0}.deleted_at IS NULL"
    scores = _scores_sql(question, asked)
    rank = "f.rank" if asked.field else "NULL::text"
    is_shown = f"({stands('n.mark', 'open')} AND {_shown(question)})"
    looked_up = looked_up_sql(now, condition=f"NOT n.is_same AND e.id IS NULL AND {is_shown}")
    return f"""
  SELECT n.id, coalesce(n.opportunity_id, e.opportunity_id) AS opportunity_id, n.key, n.field_rank, n.sorted,
    n.currency, n.amount_minor, n.minor, n.close_date, n.category, n.next_step_on, n.lacks_step, {scores.columns},
    n.counts, coalesce(n.mark, {ABSENT}) AS mark, {is_shown} AS is_shown,
    CASE WHEN n.is_same THEN n.counted ELSE e.id IS NOT NULL END AS counted,
    CASE WHEN n.is_same THEN n.was_mark ELSE coalesce(e.mark, {ABSENT}) END AS was_mark,
    CASE WHEN n.is_same THEN n.id ELSE coalesce(e.id, m.id) END AS was_id,
    CASE WHEN n.is_same THEN {unchanged_sql(now)}
      WHEN e.id IS NOT NULL THEN {read_minor_sql(now)} ELSE m.minor END AS was_minor,
    CASE WHEN n.is_same THEN {unchanged_then_sql(now, then)} ELSE e.minor END AS then_minor,
    NOT n.is_same AND CASE WHEN e.id IS NOT NULL THEN {is_changed_sql("e", is_split=now.is_split)}
      ELSE coalesce(m.is_changed, true) END AS is_changed
  FROM (
    SELECT b.id, b.organization_id, b.opportunity_id, b.owner_id, b.stage_id, b.category, b.amount_minor,
      b.currency, b.close_date, b.next_step = '' AS lacks_step, b.next_step_on{split.format("b")},
      {GROUPS[group_of(asked.field, asked.group)]} AS key,
      {rank} AS field_rank, {_SORTED.get(asked.sort_name, "NULL::int")} AS sorted,
      b.valid_from <= %(t0)s AND b.known_from <= %(known0)s AS is_same,
      {_mark_sql("b", day="day")} AS mark, {_mark_sql("b", day="day0")} AS was_mark,
      coalesce({now.owns("b")}, false) AS counts, coalesce({then.owns("b")}, false) AS counted,
      {now.shown_minor(corporate_minor_sql("b"), "b", counts=now.owns("b"))} AS minor
    FROM pipeline_opportunityversion b {_field_sql(asked.field, parameters)}
    WHERE b.organization_id = %(organization)s AND {in_period.format("b")}
      AND {stands_now}
      AND ({reached} OR {then.owns("b")})
  ) AS n FULL JOIN (
    SELECT a.id, a.opportunity_id, a.owner_id, a.stage_id, a.category, a.amount_minor, a.currency,
      a.close_date{split.format("a")}, {_mark_sql("a", day="day0")} AS mark,
      {then.minor(minor0, "a")} AS minor{whole}
    FROM pipeline_opportunityversion a
    WHERE a.organization_id = %(organization)s AND {in_period.format("a")}
      AND {as_of_condition("a", instant="t0", known="known0")} AND {then.owns("a")}
      AND ((a.valid_to > %(t0)s AND a.valid_to <= %(t1)s) OR (a.known_to > %(known0)s AND a.known_to <= %(known)s))
  ) AS e ON e.opportunity_id = n.opportunity_id
  {scores.joins}
  LEFT JOIN LATERAL ({looked_up}) AS m ON true"""


def _mark_sql(alias: str, *, day: str) -> str:
    return mark_sql(alias, day=f"%({day})s", gaps=GAPS.format(alias, day))


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
    """Risk and health are of the present only; health is read for all deals only where it sorts them.

    What chances said at the compared instant is in the first turn since; where none came, in the score that stands.
    """
    if question.is_past:
        none = "false AS slipped, false AS likely"
        return _Scores(f"NULL::float AS p_slip, NULL::float AS p_won, NULL::int AS health, {none}", "")
    turned = (
        "coalesce(t.slips, k.p_slip > 0.5, k0.p_slip > 0.5, false) AS slipped, "
        "coalesce(t.wins, k.p_won >= 0.5, k0.p_won >= 0.5, false) AS likely"
    )
    # A score is of a close date, and one of another day isn't the deal's: of everybody those of the period's days are
    # read at once, of a branch one by one.
    joins = (
        "LEFT JOIN pipeline_risk k ON k.organization_id = n.organization_id "
        "AND k.opportunity_id = n.opportunity_id AND k.close_date = n.close_date "
        "AND k.close_date >= %(first)s AND k.close_date < %(end)s "
    )
    people = question.reach.owners.person_ids
    if people is not None and len(people) <= A_BRANCH:
        joins = (
            "LEFT JOIN LATERAL (SELECT g.p_slip, g.p_won FROM pipeline_risk g WHERE g.organization_id = "
            "%(organization)s AND g.opportunity_id = n.opportunity_id AND g.close_date = n.close_date OFFSET 0) "
            "AS k ON true "
        )
    joins += (
        "LEFT JOIN (SELECT DISTINCT ON (r.opportunity_id) r.opportunity_id, r.slips, r.wins FROM pipeline_riskturn r "
        "WHERE r.organization_id = %(organization)s AND r.at > %(t0)s ORDER BY r.opportunity_id, r.at, r.id) AS t "
        "ON t.opportunity_id = coalesce(n.opportunity_id, e.opportunity_id) "
        "LEFT JOIN LATERAL (SELECT g.p_slip, g.p_won FROM pipeline_risk g WHERE n.id IS NULL "
        "AND g.organization_id = %(organization)s AND g.opportunity_id = e.opportunity_id OFFSET 0) AS k0 ON true"
    )
    health = "NULL::int"
    if asked.sort_name == "health":
        health = "h.score"
        joins += (
            " LEFT JOIN pipeline_health h ON h.organization_id = n.organization_id "
            "AND h.opportunity_id = n.opportunity_id"
        )
    return _Scores(f"k.p_slip, k.p_won, {health} AS health, {turned}", joins)


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


def _end_sql(mark: str, minor: str) -> str:
    """The values of EndSums over sums of one end, as a JSON array."""

    def total(condition: str) -> str:
        return f"coalesce(sum({minor}) FILTER (WHERE {condition}), 0)::bigint"

    def count(condition: str) -> str:
        return f"coalesce(sum(deals) FILTER (WHERE {condition}), 0)::bigint"

    is_open = stands(mark, "open")
    parts = [each(stands(mark, closed)) for closed in ("won", "not_won") for each in (total, count)]
    parts += [total(stands(mark, category)) for category in ("commit", "most_likely", "best_case")]
    for condition in (is_open, f"{is_open} AND {is_late(mark)}", f"{is_open} AND {has_gaps(mark)}"):
        parts += [total(condition), count(condition)]
    return f"json_build_array({', '.join(parts)})"


def _marked_sql(deals: str, asked: AskedRows) -> str:
    """SQL: the deals, each with its code, what it adds to the change of the open pipeline, and what it is sorted by."""
    flags = {
        "counts": "counts",
        "counted": "counted",
        "is_shown": "is_shown",
        "is_changed": "is_changed",
        "is_risk": f"p_slip > 0.5 OR {is_late('mark')}",
        "is_upside": "p_won >= 0.5 AND category IN ('pipeline', 'best_case')",
        "lacks_step": "lacks_step",
        "lacks_rate": "is_shown AND counts AND amount_minor IS NOT NULL AND minor IS NULL",
        "has_moved": "effect <> 0",
        "was_risk": f"slipped OR {is_late('was_mark')}",
        "was_upside": f"likely AND {is_hopeful('was_mark')}",
    }
    return f"""
  SELECT id, was_id, opportunity_id, key, field_rank, currency, amount_minor, minor, was_minor, then_minor, effect,
    {SORTS[asked.sort_name]} AS sorted, {code_sql(now="mark", then="was_mark", flags=flags)} AS code
  FROM (SELECT *, CASE WHEN counts AND {stands("mark", "open")} THEN coalesce(minor, 0) ELSE 0 END
    - CASE WHEN counted AND {stands("was_mark", "open")} THEN coalesce(then_minor, 0) ELSE 0 END AS effect
    FROM ({deals} OFFSET 0) AS r) AS r"""


def one_pass(question: Question, *, since: datetime, asked: AskedRows) -> Pass:
    """The figures at both instants, the tabs' counts, the groups of the asked tab, and its page. One query.

    Every deal is written down once, as `x`; sums are read from `s`, where deals that are alike are one row.
    """
    parameters = frame_parameters(question, since) | {"offset": asked.offset, "limit": asked.limit}
    deals = _marked_sql(_deals_sql(question, since, parameters, asked), asked)
    of_tab = f"{flag('is_shown')} AND {TABS[asked.tab]}"
    direction = "DESC NULLS LAST" if asked.sort.startswith("-") else "ASC NULLS LAST"
    counts = ", ".join(
        f"coalesce(sum(deals) FILTER (WHERE {condition}), 0)::bigint" for condition in TABS.values()
    )
    parts = ", ".join(
        f"coalesce(sum({column}) FILTER (WHERE {condition}), 0)::bigint"
        for condition, minor in (
            (f"{flag('is_shown')} AND {flag('counts')} AND {TABS['risk']}", "minor"),
            (f"{flag('is_shown')} AND {flag('counts')} AND {TABS['upside']}", "minor"),
            (f"{flag('counted')} AND {stands(THEN, 'open')} AND {flag('was_risk')}", "then_minor"),
            (f"{flag('counted')} AND {stands(THEN, 'open')} AND {flag('was_upside')}", "then_minor"),
        )
        for column in ("deals", minor)
    )
    sql = f"""WITH x AS MATERIALIZED ({deals}), s AS MATERIALIZED (
  SELECT key, code, count(*) AS deals, sum(minor)::bigint AS minor, sum(was_minor)::bigint AS was_minor,
    sum(then_minor)::bigint AS then_minor, min(field_rank) AS field_rank FROM x GROUP BY key, code
), g AS MATERIALIZED (
  SELECT g.*, row_number() OVER places AS place, sum(deals) OVER places AS up_to
  FROM (SELECT key, min(field_rank) AS field_rank, sum(deals)::bigint AS deals,
    coalesce(sum(deals) FILTER (WHERE NOT ({flag("counts")})), 0)::bigint AS seated,
    coalesce(sum(minor) FILTER (WHERE {flag("counts")}), 0)::bigint AS minor,
    coalesce(sum(was_minor) FILTER (WHERE {flag("counts")}), 0)::bigint AS was_minor,
    coalesce(sum(deals) FILTER (WHERE {flag("lacks_rate")}), 0)::bigint AS lost
    FROM s WHERE {of_tab} GROUP BY key) AS g
  WINDOW places AS (ORDER BY {GROUP_RANKS[group_of(asked.field, asked.group)]} NULLS LAST, g.key)
), p AS (
  SELECT x.id, x.was_id, x.key, NOT ({flag("counts")}) AS seated FROM x
  JOIN g ON g.key = x.key AND g.up_to > %(offset)s
    AND (g.up_to - g.deals < %(offset)s + %(limit)s::bigint OR %(limit)s::bigint IS NULL)
  WHERE {of_tab} ORDER BY g.place, x.sorted {direction}, x.opportunity_id
  LIMIT %(limit)s OFFSET %(offset)s - (SELECT coalesce(max(up_to), 0) FROM g WHERE up_to <= %(offset)s)
)
SELECT (SELECT {_end_sql(NOW, "minor")} FROM s WHERE {flag("counts")}),
  (SELECT {_end_sql(THEN, "then_minor")} FROM s WHERE {flag("counted")}),
  (SELECT json_build_array({parts}) FROM s),
  (SELECT json_build_array({counts}) FROM s WHERE {flag("is_shown")}),
  (SELECT json_agg(json_build_array(g.key, deals, seated, minor, was_minor, lost) ORDER BY place) FROM g),
  (SELECT json_agg(json_build_array(u.currency, u.deals, u.minor) ORDER BY u.currency) FROM (
    SELECT currency, count(*) AS deals, sum(amount_minor)::bigint AS minor FROM x
    WHERE {flag("lacks_rate")} AND {TABS[asked.tab]} GROUP BY 1) AS u),
  (SELECT json_agg(json_build_array(p.id, p.was_id, p.key, p.seated)) FROM p),
  (SELECT coalesce(sum(deals), 0)::bigint FROM s WHERE {flag("has_moved")}),
  (SELECT json_agg(json_build_array(c.opportunity_id, c.effect)) FROM (
    SELECT opportunity_id, effect FROM x WHERE {flag("has_moved")}
    ORDER BY abs(effect) DESC, opportunity_id LIMIT {NAMED_CAUSES}) AS c),
  (SELECT json_build_array(min(t.at)) FROM pipeline_riskturn t WHERE t.organization_id = %(organization)s)"""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return _read(cursor.fetchone())


def _read(row: tuple[Any, ...]) -> Pass:
    """The database hands JSON over as text; nothing found is null."""
    now, before, parts, counts, groups, unconvertible, places, moved, most_moved, scored = (
        json.loads(value) if isinstance(value, str) else value for value in row
    )
    end, start = EndSums(*now), EndSums(*before)
    return Pass(
        now=end,
        before=start,
        risk=Part(*parts[:2]),
        upside=Part(*parts[2:4]),
        risk_before=Part(*parts[4:6]),
        upside_before=Part(*parts[6:]),
        scored_from=datetime.fromisoformat(scored[0]) if scored[0] else None,
        counts=dict(zip(TABS, counts, strict=True)),
        groups=[GroupRow(*group) for group in groups or ()],
        unconvertible=tuple(CurrencySum(*one) for one in unconvertible or ()),
        places=[
            Place(UUID(version), UUID(was) if was else None, key, seated)
            for version, was, key, seated in places or ()
        ],
        moved_count=moved,
        moved_minor=end.open_minor - start.open_minor,
        most_moved=[(UUID(deal), minor) for deal, minor in most_moved or ()],
    )
