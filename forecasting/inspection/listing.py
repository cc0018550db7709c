"""The page's table: groups with their names, and each deal's cells with what changed, by whom and when."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.utils.safestring import SafeString

from forecasting.inspection import report as inspection
from forecasting.inspection.cells import Look, row_html
from forecasting.inspection.rows import FOLLOWED, Change, DealRow
from otc.fields.rules import Field
from otc.fields.shown import label_of
from otc.question import Question
from otc.ui import format as fmt
from pipeline.opportunities.queries import SHORT_TITLES
from pipeline.process.models import Category

CATEGORIES = list(Category.values)
CHANNELS = {"api": "over the API", "import": "by an import", "task": "by itself"}
TITLES = {
    "stage": "Stage",
    "amount": "Amount",
    "close": "Close date",
    "category": "Category",
    "owner": "Owner",
}


def grouped(
    found: inspection.Inspection,
    asked: inspection.Asked,
    *,
    names: Mapping[str, str],
    question: Question,
    look: Look,
) -> list[dict[str, Any]]:
    """The page's deals under their groups; a group's figures count every deal of it. `names`: people by id."""
    under: dict[str, list[DealRow]] = {}
    for deal in found.deals:
        under.setdefault(deal.group_key, []).append(deal)
    return [
        {
            "label": group_label(under[group.group_key][0], asked, names),
            "group": group,
            "change_minor": group.total_minor - group.was_minor,
            "rows": SafeString(
                "".join(row_html(deal_cells(deal, found, question), look) for deal in under[group.group_key])
            ),
        }
        for group in found.groups
        if group.group_key in under
    ]


def group_label(deal: DealRow, asked: inspection.Asked, names: Mapping[str, str]) -> str:
    if asked.field is not None:
        return field_group_label(asked.field, deal.group_key, names)
    labels = {
        "category": category_label(deal.category) or "No category",
        "stage": deal.stage_name or "No stage",
        "owner": deal.owner_name or "Unassigned",
        "product": deal.product_name or "No product",
    }
    return labels.get(asked.group, "All deals")


def category_label(category: str | None) -> str:
    return str(Category(category).label) if category else ""


def field_group_label(field: Field, key: str, names: Mapping[str, str]) -> str:
    """A group's heading in words; deals without a value stand together."""
    if not key:
        return f"{field.label}: not set"
    if field.kind == "date":
        first = date.fromisoformat(f"{key}-01")
        return f"{fmt.MONTHS[first.month - 1]} {first.year}"
    if field.kind == "number":
        return label_of(field, key, names=names)
    return label_of(field, key, names=names) or key


def deal_cells(deal: DealRow, found: inspection.Inspection, question: Question) -> dict[str, Any]:
    """A row's values with their changes; None where nothing changed."""
    contact = found.contacts.get(deal.opportunity_id, inspection.NO_CONTACT)
    worst = sorted(deal.failed or [], key=lambda check: -check["penalty"])
    told = told_changes(deal, found, question)
    changed = {line["key"]: line for line in told}
    return {
        "deal": deal,
        "is_new": not deal.existed,
        "rank": rank_change(deal),
        "amount_change": amount_change(deal),
        "days_change": days_change(deal),
        "category_label": category_label(deal.category),
        "was_category": category_label(deal.was_category) if "category" in changed else "",
        "category_rose": category_rank(deal.category) > category_rank(deal.was_category),
        "told": told,
        "who": {key: f"{line['before']} → {line['after']}, {line['who']}" for key, line in changed.items()},
        "is_overdue": deal.close_date is not None and deal.close_date < question.day,
        "days_overdue": (question.day - deal.close_date).days if deal.close_date else 0,
        "worst": worst[0] if worst else None,
        "short_title": SHORT_TITLES.get(worst[0]["check"], "") if worst else "",
        "checks": "; ".join(f"{check['title']}: {check['detail']}" for check in worst),
        "more": len(worst) - 1,
        "weekly": contact.weekly,
        "silent_days": (question.as_of - contact.last_at).days if contact.last_at else None,
        "step_late_days": (question.day - deal.next_step_on).days
        if deal.next_step_on and deal.next_step_on < question.day
        else 0,
    }


def amount_change(deal: DealRow) -> int | None:
    if not deal.existed or deal.corporate_minor is None:
        return None
    return deal.corporate_minor - (deal.was_corporate_minor or 0)


def days_change(deal: DealRow) -> int | None:
    if deal.close_date is None or deal.was_close_date is None:
        return None
    return (deal.close_date - deal.was_close_date).days


def rank_change(deal: DealRow) -> int | None:
    if deal.stage_position is None or deal.was_stage_position is None:
        return None
    return deal.stage_position - deal.was_stage_position


def category_rank(category: str | None) -> int:
    return CATEGORIES.index(category) if category in CATEGORIES else -1


def told_changes(deal: DealRow, found: inspection.Inspection, question: Question) -> list[dict[str, str]]:
    """What is other than at the compared instant, each from what to what, who changed it last and when."""
    if not deal.existed or deal.is_hidden:
        return []
    pairs = both_ends(deal, question)
    return [
        {
            "key": key,
            "title": TITLES[key],
            "before": before,
            "after": after,
            "who": who_changed(found.changes.get((deal.opportunity_id, key)), question),
        }
        for key, (before, after) in pairs.items()
        if differs(deal, key)
    ]


def differs(deal: DealRow, key: str) -> bool:
    """Whether one of FOLLOWED isn't what it was."""
    return any(getattr(deal, column) != getattr(deal, f"was_{column}") for column in FOLLOWED[key])


def both_ends(deal: DealRow, question: Question) -> dict[str, tuple[str, str]]:
    """Each thing that is followed in words, before and after."""
    today = question.now.astimezone(question.zone).date()

    def day(value: date | None) -> str:
        return fmt.day(value, today=today) if value else "no date"

    def amount(minor: int | None, currency: str | None) -> str:
        if minor is None:
            return "no amount"
        return fmt.money_full(minor, currency=currency or "") + f" {currency}"

    return {
        "stage": (deal.was_stage_name or "no stage", deal.stage_name or "no stage"),
        "amount": (
            amount(deal.was_amount_minor, deal.was_currency),
            amount(deal.amount_minor, deal.currency),
        ),
        "close": (day(deal.was_close_date), day(deal.close_date)),
        "category": (
            category_label(deal.was_category) or "no category",
            category_label(deal.category) or "no category",
        ),
        "owner": (deal.was_owner_name or "nobody", deal.owner_name or "nobody"),
    }


def who_changed(change: Change | None, question: Question) -> str:
    """Ana Ruiz, Wed 18 Nov 16:31: in the organization's zone."""
    if change is None:
        return "corrected later"
    today = question.now.astimezone(question.zone).date()
    at = fmt.moment(change.at.astimezone(question.zone), today=today)
    who = change.actor_name or CHANNELS.get(change.channel, "somebody")
    if change.acted_for_name:
        who += f" for {change.acted_for_name}"
    return f"{who}, {at}"
