"""SQL: what the deals of an inspection were before: those that changed, and what stood all the time."""

from forecasting.inspection.parts import Counting
from otc.money.queries import corporate_minor_sql
from pipeline.history.queries import as_of_condition


def is_changed_sql(before: str, *, is_split: bool) -> str:
    """SQL: something that an inspection follows is other in the version `n` than in `before`."""
    columns = ("stage_id", "category", "amount_minor", "close_date", "owner_id")
    followed = (*columns, "split_people", "split_shares") if is_split else columns
    differs = [f"{before}.{column} IS DISTINCT FROM n.{column}" for column in followed]
    return f"({' OR '.join([*differs, f'{before}.currency <> n.currency'])})"


def read_minor_sql(now: Counting) -> str:
    """SQL: what a deal `n` was worth that was in the period as `e`."""
    if not now.is_split:
        return "e.minor"
    return now.was_minor("e.whole_minor", before="e", after="n", counts="n.counts")


def looked_up_sql(now: Counting, *, condition: str) -> str:
    """SQL: what a deal `n` was that wasn't in period and scope, where the condition over `n` and `e` holds.

    One look into an index each, however many versions there are: OFFSET 0 keeps it so (a limit would keep the whole
    statement from being worked on in parallel).
    """
    minor = corporate_minor_sql("a", known="known0")
    if now.is_split:
        minor = now.was_minor(minor, before="a", after="n", counts="n.counts")
    return f"""
    SELECT a.id, {minor} AS minor, {is_changed_sql("a", is_split=now.is_split)} AS is_changed
    FROM pipeline_opportunityversion a WHERE {condition} AND a.organization_id = %(organization)s
      AND a.opportunity_id = n.opportunity_id AND {as_of_condition("a", instant="t0", known="known0")} OFFSET 0"""


def unchanged_sql(now: Counting) -> str:
    """What a version that still holds came to before: the same, unless a rate was learned in between."""
    learned = (
        "(SELECT count(*) FROM otc_rate x WHERE x.organization_id = %(organization)s "
        "AND (x.known_from > %(known0)s AND x.known_from <= %(known)s "
        "OR x.known_to > %(known0)s AND x.known_to <= %(known)s)) = 0"
    )
    again = now.shown_minor(corporate_minor_sql("n", known="known0"), "n", counts="n.counts")
    return f"CASE WHEN n.currency = %(corporate)s OR {learned} THEN n.minor ELSE {again} END"


def unchanged_then_sql(now: Counting, then: Counting) -> str:
    """The same to those who were the scope then."""
    if not now.is_split:
        return unchanged_sql(now)
    again = then.minor(corporate_minor_sql("n", known="known0"), "n")
    return f"CASE WHEN n.split_people IS NULL THEN {unchanged_sql(now)} ELSE {again} END"
