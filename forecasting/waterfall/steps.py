"""SQL: the states that a deal has at the ends of a waterfall, or at every cut of its path, in pairs.

A step has, for a (before) and b (after): in, won, booked, entering (the bucket in which one who was like a enters),
leaving (that in which one who is like b leaves), amount, currency, minor, close, grp and version; and deal, at, known,
is_first and is_last. Whether one enters, leaves or stays is for the moves to say.
"""

from functools import partial

from forecasting.rollup.queries import owner_condition, part_condition
from forecasting.waterfall.parts import (
    PART_STATE,
    any_part_in_time,
    moment_sql,
    parted,
    split_points,
)
from otc.money.queries import converted_sql
from pipeline.history.queries import as_of_condition

# What a state's group is; team and week follow from where and when it stands.
GROUPS: dict[str, str] = {
    "stage": "v.stage_id::text",
    "category": "v.category",
    "product": "v.product_id::text",
    "person": "v.owner_id::text",
    "team": "span.team_id",
    "": "NULL::text",
}
STATE = (
    *("is_in", "is_won", "is_booked", "entering", "leaving", "amount", "currency", "minor", "close", "grp"),
    "version",
)
ABSENT = {"is_in": "false", "is_won": "false", "is_booked": "false"} | {
    "entering": "'new'",
    "leaving": "'deleted'",
}
INSIDE = "v.close_date >= %(first)s AND v.close_date < %(end)s"
COUNTS = "v.deleted_at IS NULL AND (v.outcome IS NULL OR v.outcome = 'won')"
# The bucket in which one who was like `v` enters, and that in which one who is like it leaves.
ENTERING = """CASE WHEN v.deleted_at IS NOT NULL OR v.outcome IS NOT NULL THEN 'reopened'
        WHEN NOT {mine} THEN 'transferred_in'
        WHEN v.close_date IS NULL OR v.close_date >= %(end)s THEN 'pulled_in'
        WHEN v.close_date < %(first)s THEN 'pushed_in' ELSE 'included' END"""
LEAVING = """CASE WHEN v.deleted_at IS NOT NULL THEN 'deleted' WHEN v.outcome IN ('lost', 'no_decision') THEN v.outcome
        WHEN NOT {mine} THEN 'transferred_out'
        WHEN v.close_date IS NULL OR v.close_date >= %(end)s THEN 'pushed_out'
        WHEN v.close_date < %(first)s THEN 'pulled_out' WHEN v.outcome = 'won' THEN 'won'
        ELSE 'omitted' END"""
SPANS = """unnest(%(span_owners)s::uuid[], %(span_starts)s::timestamptz[], %(span_ends)s::timestamptz[],
    %(span_teams)s::text[]) AS span (owner_id, starts, ends, team_id)"""


def state_sql(
    *, mine: str, known: str, group: str, amount: str = "{}", more: str = "", is_here: bool = False
) -> str:
    """SQL: the columns of the state that the version `v` is, asked as known at an instant, and `more` columns.

    `amount` is what is counted of an amount. `is_here`: only versions in period and scope are asked, which need no
    second look.
    """
    minor = converted_sql(
        "v.amount_minor",
        currency="v.currency",
        day="v.close_date",
        organization="v.organization_id",
        known=known,
        corporate="%(corporate)s",
    )
    here, is_won = f"coalesce(v.deleted_at IS NULL AND {mine} AND {INSIDE}, false) AND ", "v.outcome = 'won'"
    entering, leaving = ENTERING.format(mine=mine), LEAVING.format(mine=mine)
    if is_here:
        here, entering = "", "CASE WHEN v.outcome IS NULL THEN 'included' ELSE 'reopened' END"
        leaving = "coalesce(v.outcome, 'omitted')"
    return f"""v.opportunity_id AS deal,
      {here}v.outcome IS NULL AND v.category IS DISTINCT FROM 'omitted' AS is_in,
      coalesce(v.deleted_at IS NULL AND {is_won}, false) AS is_won,
      {here}v.outcome IS NOT DISTINCT FROM 'won' AS is_booked,
      {entering} AS entering, {leaving} AS leaving,
      {amount.format("v.amount_minor")} AS amount, v.currency AS currency,
      CASE WHEN v.amount_minor IS NULL THEN 0 ELSE {amount.format(minor)} END AS minor,
      v.close_date AS close, {GROUPS[group]} AS grp, v.id AS version{more}"""


def at_end(end: str, *, group: str, mine: str, more: str, is_split: bool, is_here: bool = False) -> str:
    """SQL: the states of one end (t0 or t1) that also fulfil `more`; `is_here`: which lets only period and scope in."""
    known = f"%({end}_known)s"
    columns = state_sql(
        mine=mine,
        known=known,
        group=group,
        more=moment_sql(at=f"%({end}_instant)s", known=known) if is_split else "",
        is_here=is_here,
    )
    team = (
        f"LEFT JOIN {SPANS} ON span.owner_id = v.owner_id "
        f"AND span.starts <= %({end}_instant)s AND span.ends > %({end}_instant)s"
        if group == "team"
        else ""
    )
    return f"""SELECT {columns} FROM pipeline_opportunityversion v {team}
      WHERE v.organization_id = %(organization)s
        AND {as_of_condition("v", instant=f"{end}_instant", known=f"{end}_known")} AND {more}"""


def endpoint_steps(*, group: str, is_split: bool, is_of_deals: bool = False) -> str:
    """SQL: one step a deal, or a part where deals are split, from one end to the other.

    What is in the period at either end is read at once and joined whole, what was lost in it too; only a deal that
    counts at one end and has left the period at the other is looked up there, by its key (OFFSET 0 keeps the look-up
    apart, so that nobody else costs one).
    """
    only = " AND v.opportunity_id = ANY(%(deals)s::uuid[])" if is_of_deals else ""
    mine = {end: part_condition("v", prefix=end, is_split=is_split) for end in ("t0", "t1")}
    ends = [
        at_end(
            end,
            group=group,
            mine=mine[end],
            more=f"{INSIDE} AND v.deleted_at IS NULL AND {mine[end]}{only}",
            is_split=is_split,
            is_here=True,
        )
        for end in ("t0", "t1")
    ]
    lookups = []
    for end, this, other, name in (("t0", "a", "b", "x"), ("t1", "b", "a", "y")):
        counts = f"({other}.is_in OR {other}.is_booked)"
        missing = f"v.opportunity_id = {other}.deal AND {this}.deal IS NULL AND {counts}"
        found = at_end(end, group=group, mine=mine[end], more=missing, is_split=is_split)
        lookups.append(f"LEFT JOIN LATERAL ({found} OFFSET 0) AS {name} ON true")
    columns = ", ".join(
        f"coalesce({side}.{column}, {looked}.{column}{', ' + ABSENT[column] if column in ABSENT else ''}) "
        f"AS {side}_{column}"
        for side, looked in (("a", "x"), ("b", "y"))
        for column in (*STATE, *(PART_STATE if is_split else ()))
    )
    steps = f"""SELECT coalesce(a.deal, b.deal) AS deal, %(t1_instant)s::timestamptz AS at,
      %(t1_known)s::timestamptz AS known, true AS is_first, true AS is_last, false AS is_lacking_once, {columns}
    FROM ({ends[0]}) AS a FULL JOIN ({ends[1]}) AS b ON a.deal = b.deal {" ".join(lookups)}"""
    if not is_split:
        return steps
    owned = {"a": owner_condition("v", prefix="t0"), "b": owner_condition("v", prefix="t1")}
    return parted_steps(steps, mine=owned, group=group, spans=SPANS if group == "team" else "")


def parted_steps(steps: str, *, mine: dict[str, str], group: str, spans: str) -> str:
    """SQL: the same steps, those of deals that are split at an end taken apart (see parts.py)."""
    sides = {
        side: partial(
            state_sql, mine=f"(v.is_part AND {mine[side]})", known=f"step.{side}_knowing", group=group
        )
        for side in ("a", "b")
    }
    return parted(steps, states=sides, columns=STATE, absent=ABSENT, spans=spans)


# Whom a cut of a path concerns.
CUT_BY = {
    "currency": "cut.currency = shown.currency",
    "every": "shown.currency <> %(corporate)s",
    "owner": "cut.owner_id = shown.owner_id",
}


# What a path keeps of a version, and what else for a group or where deals are split.
KEPT = (
    *("id", "organization_id", "opportunity_id", "owner_id", "category", "outcome", "deleted_at"),
    *("amount_minor", "currency", "close_date"),
)
KEPT_BY = {"stage": ("stage_id",), "product": ("product_id",)}
KEPT_PARTS = ("split_people", "split_shares")
# One version shows at a time: those that were read are all there are where they reach from end to end without a gap.
WHOLE = """min(starts) <= %(t0_instant)s AND max(ends) > %(t1_instant)s
        AND sum(ends - starts) = max(ends) - min(starts)"""


def path_steps(*, group: str, is_split: bool, is_known_now: bool, cuts: frozenset[str]) -> str:
    """SQL: a step at the first end, where nothing moves, and one for every version, rate change and line change.

    Versions in period and scope are read at once. Only a deal whose life they don't tell wholly, because it came from
    elsewhere or went there, is looked up by its key (OFFSET 0: joined, PostgreSQL would read every version there is).
    `cuts` says which cuts beside versions there are: by currency ("currency"), of every foreign amount ("every"), by
    owner ("owner").
    """
    seen = ("v.valid_from", "v.valid_to")
    if not is_known_now:
        seen = ("greatest(v.valid_from, v.known_from)", "least(v.valid_to, v.known_to)")
    starts, ends = seen
    # A version shows while it is true and known; with today's knowledge, while it is true.
    shows = f"""v.organization_id = %(organization)s
      AND v.valid_from <= %(t1_instant)s AND v.valid_to > %(t0_instant)s AND v.known_from <= %(t1_known)s
      AND v.known_to > %(t0_known)s AND {starts} < {ends}
      AND {starts} <= %(t1_instant)s AND {ends} > %(t0_instant)s"""
    kept = ", ".join(
        f"v.{column}" for column in (*KEPT, *KEPT_BY.get(group, ()), *(KEPT_PARTS if is_split else ()))
    )
    points = [
        "SELECT shown.*, greatest(starts, %(t0_instant)s) AS at FROM shown",
        *(
            f"""SELECT shown.*, cut.at FROM shown JOIN cut ON cut.kind = '{kind}' AND {CUT_BY[kind]}
            AND cut.at > greatest(shown.starts, %(t0_instant)s) AND cut.at < shown.ends"""
            for kind in sorted(cuts)
        ),
    ]
    owned = "(CASE WHEN v.owner_id IS NULL THEN %(ever_nobody)s ELSE %(ever_all)s OR span.owner_id IS NOT NULL END)"
    known = "%(t1_known)s::timestamptz" if is_known_now else "v.at"
    if is_split:
        points += split_points(cuts)
        columns = state_sql(
            mine=any_part_in_time(owned), known=known, group=group, more=moment_sql(at="v.at", known=known)
        )
    else:
        columns = state_sql(mine=owned, known=known, group=group)
    is_start = "at = %(t0_instant)s"
    states = ", ".join(
        f"CASE WHEN {is_start} THEN {column} ELSE "
        + (f"lag({column}, 1, {ABSENT[column]})" if column in ABSENT else f"lag({column})")
        + f" OVER deals END AS a_{column}, {column} AS b_{column}"
        for column in (*STATE, *(PART_STATE if is_split else ()))
    )
    steps = f"""WITH
    cut AS MATERIALIZED (SELECT DISTINCT * FROM unnest(%(cut_at)s::timestamptz[], %(cut_kind)s::text[],
      %(cut_currency)s::text[], %(cut_owner)s::uuid[]) AS cut (at, kind, currency, owner_id)),
    read AS MATERIALIZED (
      SELECT {kept}, {starts} AS starts, {ends} AS ends, {COUNTS} AS counts FROM pipeline_opportunityversion v
      WHERE {shows} AND {INSIDE} AND {part_condition("v", prefix="ever", is_split=is_split)}),
    life AS MATERIALIZED (
      SELECT opportunity_id, {WHOLE} AS is_whole FROM read GROUP BY opportunity_id HAVING bool_or(counts)),
    shown AS (
      SELECT {kept}, v.starts, v.ends FROM read v JOIN life USING (opportunity_id) WHERE life.is_whole
      UNION ALL SELECT other.* FROM life CROSS JOIN LATERAL (
        SELECT {kept}, {starts} AS starts, {ends} AS ends FROM pipeline_opportunityversion v
        WHERE NOT life.is_whole AND v.opportunity_id = life.opportunity_id AND {shows} OFFSET 0) AS other),
    point AS ({" UNION ALL ".join(points)}),
    state AS (
      SELECT {columns}, v.at, {known} AS known
      FROM point v LEFT JOIN {SPANS} ON span.owner_id = v.owner_id AND span.starts <= v.at AND span.ends > v.at)
    SELECT deal, at, known, {is_start} AS is_first, lead(at) OVER deals IS NULL AS is_last, {states},
      bool_or((is_in OR is_booked) AND minor IS NULL) OVER deals AS is_lacking_once
    FROM state WINDOW deals AS (
      PARTITION BY deal ORDER BY at ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)"""
    if not is_split:
        return steps
    return parted_steps(steps, mine={"a": owned, "b": owned}, group=group, spans=SPANS)
