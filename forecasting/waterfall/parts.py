"""SQL: the steps of a waterfall by parts, where an organization splits deals (DEFINITIONS 6).

A deal that is unsplit before and after a step is one part, whoever owns it: its step is what it is without any split.
Of one that is split at either end every person who has a part of it there takes a step of their own; who has none at
an end is out of the scope there, so that a re-split shows as transferred in and out, increased and decreased.
"""

from collections.abc import Callable, Mapping, Sequence

from pipeline.parts.queries import VERSIONS, part_columns

# What a state says beside steps.STATE: of whom it is, how it is shared (`whole` is the deal's native amount, `place`
# the part's in `shares`), and the instant and knowledge that it is asked at.
PART_STATE = ("owner", "people", "whole", "shares", "place", "instant", "knowing")


def moment_sql(*, at: str, known: str) -> str:
    """SQL: the columns PART_STATE of a deal's state as a whole."""
    return f""", v.owner_id AS owner, v.split_people AS people, v.amount_minor AS whole, NULL::integer[] AS shares,
      NULL::integer AS place, {at}::timestamptz AS instant, {known}::timestamptz AS knowing"""


def any_part_in_time(mine: str) -> str:
    """SQL: the same along a path, where people are in the scope for a time."""
    return f"""(CASE WHEN v.split_people IS NULL THEN {mine} ELSE %(ever_all)s OR EXISTS (
      SELECT FROM unnest(%(span_owners)s::uuid[], %(span_starts)s::timestamptz[], %(span_ends)s::timestamptz[])
        AS one (owner_id, starts, ends)
      WHERE one.owner_id = ANY(v.split_people) AND one.starts <= v.at AND one.ends > v.at) END)"""


def split_points(cuts: frozenset[str]) -> list[str]:
    """SQL: where a path is cut because somebody who has a part, without owning the deal, changed lines."""
    if "owner" not in cuts:
        return []
    return [
        """SELECT shown.*, cut.at FROM shown JOIN cut ON cut.kind = 'owner' AND shown.split_people IS NOT NULL
        AND cut.owner_id = ANY(shown.split_people) AND cut.owner_id IS DISTINCT FROM shown.owner_id
        AND cut.at > greatest(shown.starts, %(t0_instant)s) AND cut.at < shown.ends"""
    ]


def parted(
    steps: str,
    *,
    states: Mapping[str, Callable[..., str]],
    columns: Sequence[str],
    absent: Mapping[str, str],
    spans: str,
) -> str:
    """SQL: `steps`, those of deals that are split at an end taken apart.

    `states` gives for a and b the SQL of a state of `v` with what is asked of it; `columns` are a state's, `absent`
    what they are where there is no version; `spans`, where needed, says when each owner was in the scope.
    """
    every = (*columns, *PART_STATE)
    head = ("deal", "at", "known", "is_first", "is_last", "is_lacking_once")
    plain = ", ".join((*head, *(f"{side}_{column}" for side in "ab" for column in every)))
    apart = ", ".join(
        (
            *(f"step.{name}" for name in head),
            *(
                f"coalesce({side}.{column}, {absent[column]})" if column in absent else f"{side}.{column}"
                for side in "ab"
                for column in every
            ),
        )
    )
    sides = " ".join(
        f"LEFT JOIN LATERAL (SELECT {_state(states[side], side)} FROM {_part(side)} AS v {_span(spans, side)} "
        f"OFFSET 0) AS {side} ON true"
        for side in "ab"
    )
    people = " || ".join(f"coalesce(step.{side}_people, ARRAY[step.{side}_owner])" for side in "ab")
    return f"""WITH whole AS MATERIALIZED ({steps})
    SELECT {plain} FROM whole WHERE a_people IS NULL AND b_people IS NULL
    UNION ALL SELECT {apart} FROM (SELECT * FROM whole WHERE a_people IS NOT NULL OR b_people IS NOT NULL) AS step
      CROSS JOIN LATERAL (SELECT DISTINCT one.person_id FROM unnest({people}) AS one (person_id) OFFSET 0) AS person
      {sides}"""


def _state(state: Callable[..., str], side: str) -> str:
    amount = (
        "CASE WHEN NOT v.is_part THEN 0 WHEN v.part_place IS NULL THEN {0} "
        "ELSE pipeline_part({0}, v.split_shares, v.part_place) END"
    )
    more = f""", v.owner_id AS owner, v.split_people AS people, v.amount_minor AS whole, v.split_shares AS shares,
      v.part_place AS place, step.{side}_instant AS instant, step.{side}_knowing AS knowing"""
    return state(amount=amount, more=more)


def _part(side: str) -> str:
    """SQL: the version of an end as the person's: whether it is theirs, and which place they have in its shares."""
    return f"""(SELECT {part_columns("w", owner="person.person_id")},
        array_position(w.split_people, person.person_id) AS part_place,
        coalesce(CASE WHEN w.split_people IS NULL THEN w.owner_id IS NOT DISTINCT FROM person.person_id
          ELSE person.person_id = ANY(w.split_people) END, false) AS is_part
      FROM {VERSIONS} w WHERE w.organization_id = %(organization)s AND w.id = step.{side}_version)"""


def _span(spans: str, side: str) -> str:
    if not spans:
        return ""
    return (
        f"LEFT JOIN {spans} ON span.owner_id = v.owner_id "
        f"AND span.starts <= step.{side}_instant AND span.ends > step.{side}_instant"
    )
