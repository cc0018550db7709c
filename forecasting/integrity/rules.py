"""What can't be right in an open deal, and what may be played with: each finding with its threshold and its cure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID

# A signal looks back so many days from the asked instant.
LOOK_BACK_DAYS = 30
# Close dates moved later so often without leaving their calendar month.
PUSHES_IN_MONTH = 2
# Hours before the owner's call in which an edit of what is called counts as made on its eve.
EVE_HOURS = 24
# So many changes of category, one of them back to where the deal had been.
FLIPS = 3


@dataclass(frozen=True)
class Finding:
    """`cell` is the field that cures it in the row; "" where the cure lies elsewhere. Its place is its bit."""

    key: str
    title: str
    meaning: str
    cell: str = ""
    is_signal: bool = False


FINDINGS = (
    Finding("no_owner", "No owner", "Nobody owns the deal: its money is unassigned.", "owner"),
    Finding(
        "no_amount", "No amount", "The deal has no amount, or zero: it counts and adds nothing.", "amount"
    ),
    Finding("no_close_date", "No close date", "Without a close date the deal is in no period.", "close"),
    Finding(
        "unmapped_stage",
        "No mapped stage",
        "The deal has no stage, or one that proposes no category: it stands in the column “no category”.",
        "stage",
    ),
    Finding("inactive_owner", "Inactive owner", "The owner has left; nobody works the deal.", "owner"),
    Finding(
        "vacant_manager",
        "Vacant manager",
        "The owner has no line, or the manager above has left: nobody answers for the deal’s number.",
        "owner",
    ),
    Finding(
        "unconvertible", "No rate", "No rate turns the amount into the currency of totals: it is in no sum."
    ),
    Finding(
        "past_due_commit",
        "Past-due commit",
        "In commit, though its close date has passed: it can’t close when it says.",
        "close",
    ),
    Finding(
        "pushed_in_month",
        "Pushed within the month",
        f"The close date was moved later {PUSHES_IN_MONTH} times or more in {LOOK_BACK_DAYS} days without leaving its "
        "month: no push across a month shows, and still it never comes.",
        "close",
        is_signal=True,
    ),
    Finding(
        "eve_of_call",
        "Edited on the eve of a call",
        f"Amount, close date or category changed in the {EVE_HOURS} hours before its owner’s call, in the last "
        f"{LOOK_BACK_DAYS} days.",
        "category",
        is_signal=True,
    ),
    Finding(
        "category_flips",
        "Category flip-flops",
        f"{FLIPS} changes of category or more in {LOOK_BACK_DAYS} days, one of them back to where the deal had been.",
        "category",
        is_signal=True,
    ),
)
BITS = {finding.key: 1 << place for place, finding in enumerate(FINDINGS)}
TITLES = {finding.key: finding.title for finding in FINDINGS}


def finding_named(key: str) -> Finding:
    return next(finding for finding in FINDINGS if finding.key == key)


def inactive(left_on: Mapping[UUID, date | None], *, day: date) -> frozenset[UUID]:
    """Everybody who had left on `day`: the last day in the house is the one before `left_on`."""
    return frozenset(person for person, left in left_on.items() if left is not None and left <= day)


def unmanaged(
    people: Mapping[UUID, date | None],
    *,
    manager_of: Mapping[UUID, UUID | None],
    lined: frozenset[UUID],
    day: date,
) -> frozenset[UUID]:
    """Those still in the house for whose number nobody answers: no line to a top, or a manager who has left."""
    gone = inactive(people, day=day)
    return frozenset(
        person
        for person in people
        if person not in gone and (person not in lined or manager_of.get(person) in gone)
    )
