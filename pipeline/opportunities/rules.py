"""What may be changed on a deal and what follows from it. No Django: values in, values out."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from pipeline.process.rules import StageMilestone, Verdict

OUTCOMES = ("won", "lost", "no_decision")
OPEN_CATEGORIES = ("omitted", "pipeline", "best_case", "most_likely", "commit")
EDITABLE = frozenset(
    {
        "name",
        "account_id",
        "owner_id",
        "stage_id",
        "process_id",
        "category",
        "amount_minor",
        "currency",
        "close_date",
        "competitor_id",
        "product_id",
        "source",
        "kind",
        "next_step",
        "next_step_on",
        "attributes",
        "fields",
    }
)


# Characters of what is typed in one line.
LONGEST = {"name": 300, "next_step": 500}


class Refused(ValueError):
    """A change that a rule refuses: which field, and in words what to do instead."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(reason)
        self.field, self.reason = field, reason


def one_line(text: str, *, field: str) -> str:
    """What was typed as one line with single spaces. Raises Refused where it is longer than the field: cutting it
    would lose its end without a word.

    >>> one_line("Send  the offer", field="next_step")
    'Send the offer'
    """
    line = " ".join(text.split())
    most = LONGEST[field]
    if len(line) > most:
        raise Refused(field, f"At most {most} characters; these are {len(line):,}. Say it shorter")
    return line


class MoveRefused(Refused):
    """A move that the process keeps from happening: the verdict, and what its fields and approver are called."""

    def __init__(
        self, verdict: Verdict, *, field: str, labels: Mapping[str, str], limit: str = "", asked_of: str = ""
    ) -> None:
        super().__init__(field, refusal_words(verdict, labels=labels, limit=limit, asked_of=asked_of))
        self.verdict, self.labels, self.limit, self.asked_of = verdict, dict(labels), limit, asked_of

    @property
    def missing(self) -> tuple[StageMilestone, ...]:
        return self.verdict.milestones

    @property
    def met(self) -> tuple[StageMilestone, ...]:
        return self.verdict.met

    @property
    def field_labels(self) -> list[str]:
        """What the missing fields are called."""
        return [self.labels.get(name, name) for name in self.verdict.fields]

    @property
    def approval_words(self) -> str:
        """What has to be approved by whom; empty where nothing has."""
        return approval_words(self.verdict, limit=self.limit, asked_of=self.asked_of)


def refusal_words(verdict: Verdict, *, labels: Mapping[str, str], limit: str, asked_of: str) -> str:
    """Every reason in one sentence: “Before Propose, meet or waive: Pilot; fill in: Amount”."""
    steps = []
    if verdict.milestones:
        steps.append("meet or waive: " + ", ".join(one.name for one in verdict.milestones))
    if verdict.fields:
        steps.append("fill in: " + ", ".join(labels.get(name, name) for name in verdict.fields))
    said = [f"Before {verdict.target}, {'; '.join(steps)}"] if steps else []
    if verdict.skipped:
        said.append(f"{_listed(verdict.skipped)} can’t be skipped; go there first")
    if verdict.kept_by:
        said.append(f"There is no way back from {verdict.kept_by}")
    if verdict.approval:
        said.append(approval_words(verdict, limit=limit, asked_of=asked_of))
    return ". ".join(said)


def approval_words(verdict: Verdict, *, limit: str, asked_of: str) -> str:
    if verdict.approval is None:
        return ""
    return f"Above {limit}, {verdict.approval.stage} needs the approval of {asked_of or 'a manager'}"


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def check_editable(changes: Mapping[str, Any], *, is_open: bool) -> None:
    """Refuse unknown fields, empty names, negative amounts, and any change of a closed deal's forecast."""
    unknown = sorted(set(changes) - EDITABLE)
    if unknown:
        raise Refused(unknown[0], f"{unknown[0]} can't be edited")
    if "name" in changes and not str(changes["name"]).strip():
        raise Refused("name", "A deal needs a name")
    amount = changes.get("amount_minor")
    if amount is not None and amount < 0:
        raise Refused("amount_minor", "An amount is not negative; take the deal out with a category instead")
    if "category" in changes and changes["category"] not in OPEN_CATEGORIES:
        raise Refused("category", "Choose one of: " + ", ".join(OPEN_CATEGORIES) + "; closing sets closed")
    frozen = {"stage_id", "process_id", "category"} & set(changes)
    if frozen and not is_open:
        raise Refused(sorted(frozen)[0], "This deal is closed; reopen it first")


def check_amount_follows(
    changes: Mapping[str, Any], *, present_minor: int | None, follows: bool, lines_total_minor: int | None
) -> None:
    """While the amount follows the products it is written by them alone; `lines_total_minor` is what they come to."""
    if not follows or "amount_minor" not in changes:
        return
    if changes["amount_minor"] not in (present_minor, lines_total_minor):
        raise Refused(
            "amount_minor",
            "The amount follows this deal’s products; change a product, or let the amount stand by itself there",
        )


def check_next_step(next_step: str, next_step_on: date | None, *, today: date) -> None:
    """The step that opens a deal, or follows one that is done, has words and a day that isn't past."""
    if not next_step.strip():
        raise Refused("next_step", "Say what comes next: an open deal always has one next step")
    if next_step_on is None:
        raise Refused("next_step_on", "Say when, like fri, +1w or 18 dec: a next step has a day")
    if next_step_on < today:
        raise Refused("next_step_on", f"What comes next lies ahead; today is {today.isoformat()}")


def check_keeps_next_step(
    changes: Mapping[str, Any], *, next_step: str, next_step_on: date | None, is_open: bool
) -> None:
    """An open deal's next step is replaced, never just taken away. What an import left empty may stay so."""
    if not is_open:
        return
    if next_step.strip() and not str(changes.get("next_step", next_step)).strip():
        raise Refused("next_step", "Say what comes next instead: an open deal always has one next step")
    if next_step_on is not None and changes.get("next_step_on", next_step_on) is None:
        raise Refused("next_step_on", "Give another day instead: a next step always has one")


def category_after_stage(
    *, present: str | None, set_by_person: bool, proposed: str | None
) -> tuple[str | None, bool]:
    """The category and whether a person set it, after the stage changed: a person's choice stays.

    >>> category_after_stage(present="commit", set_by_person=True, proposed="pipeline")
    ('commit', True)
    """
    return (present, True) if set_by_person else (proposed, False)


def closed_category(outcome: str) -> str:
    """Won deals sum as closed; the others leave every column."""
    return "closed" if outcome == "won" else "omitted"


def check_closing(
    *, outcome: str, has_reason: bool, close_date: date | None, today: date, created_on: date
) -> None:
    """A closing needs a known outcome, a reason, and, where a day is given, one of the deal's life so far."""
    if outcome not in OUTCOMES:
        raise Refused("outcome", "Choose won, lost or no decision")
    if not has_reason:
        raise Refused("reason", "Say the primary reason: it is what the next deal learns from")
    if close_date is None:
        return
    if close_date > today:
        raise Refused("close_date", f"A closing can't lie in the future; today is {today.isoformat()}")
    if close_date < created_on:
        raise Refused(
            "close_date",
            f"A deal can't close before it was created, on {created_on.isoformat()}; give that day or a later one",
        )
