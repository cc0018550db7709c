"""SQL: which deals an inspection counts, and what of their amounts: of one that is split, what the scope's people have.

A deal is one row, whoever shares it. Where an organization never split a deal, nothing is asked about parts.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from otc.question import Question
from pipeline.parts.queries import parts_of_sql, shares_of_sql, splits_count


@dataclass(frozen=True)
class Counting:
    """The scope at one instant: `condition` over {alias} says whose deals, `people` names the parameter with who.

    `is_everybody`: every person is in it, so that a split deal counts whole.
    """

    condition: str
    people: str
    is_everybody: bool
    is_split: bool

    def owns(self, alias: str) -> str:
        """SQL: the version is of the scope: by its owner, or where it is split by somebody's part."""
        owned = self.condition.format(alias=alias)
        if not self.is_split:
            return owned
        part = "true" if self.is_everybody else f"{alias}.split_people && %({self.people})s::uuid[]"
        return (
            f"(({alias}.split_people IS NULL AND {owned}) OR ({alias}.split_people IS NOT NULL AND {part}))"
        )

    def minor(self, minor: str, alias: str) -> str:
        """SQL: what the scope has of the version's amount `minor`."""
        if not self.is_split or self.is_everybody:
            return minor
        return parts_of_sql(minor, alias, people=self.people)

    def shown_minor(self, minor: str, alias: str, *, counts: str) -> str:
        """SQL: the same where the version `counts`; whole where it is only shown for a seat."""
        if not self.is_split or self.is_everybody:
            return minor
        is_whole = f"{alias}.split_people IS NULL OR NOT {counts}"
        return f"CASE WHEN {is_whole} THEN {minor} ELSE {self.minor(minor, alias)} END"

    def was_minor(self, minor: str, *, before: str, after: str, counts: str) -> str:
        """SQL: what a deal that is `after` now was worth `before`, to the same people: a deal that was never split is
        worth what it is, whoever owned it; of one that was split between, only the owner had the whole.
        """
        if not self.is_split or self.is_everybody:
            return minor
        is_whole = f"({before}.split_people IS NULL AND {after}.split_people IS NULL) OR NOT {counts}"
        owned = self.condition.format(alias=before)
        return f"""CASE WHEN {is_whole} THEN {minor}
          WHEN {before}.split_people IS NULL THEN CASE WHEN {owned} THEN {minor} WHEN {before}.id IS NOT NULL THEN 0 END
          ELSE {self.minor(minor, before)} END"""

    def share_bp(self, alias: str, *, counts: str) -> str:
        """SQL: what the scope has of a split deal in basis points; NULL where the deal counts whole."""
        if not self.is_split or self.is_everybody:
            return "NULL::integer"
        return f"CASE WHEN {counts} THEN {shares_of_sql(alias, people=self.people)} END"


def counting_of(question: Question, since: datetime, parameters: dict[str, Any]) -> tuple[Counting, Counting]:
    """The scope now and at `since`; what its SQL takes goes into `parameters`."""
    is_split = splits_count()
    found = []
    for name, owners in (("owners", question.owners), ("owners0", question.owners_at(since))):
        sql, values = owners.condition("{alias}.owner_id")
        parameters[name] = values[0] if values else []
        people = f"{name}_people"
        if is_split:
            parameters[people] = sorted(str(person_id) for person_id in owners.person_ids or ())
        found.append(Counting(sql.replace("%s", f"%({name})s"), people, owners.person_ids is None, is_split))
    return found[0], found[1]
