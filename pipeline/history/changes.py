"""What changed from one version of a deal to the next, in words. Pure: states in, sentences' parts out."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from otc.fields.rules import Field, stored
from otc.fields.shown import label_of
from otc.ui import format as fmt
from otc.ui.format import Delta

CATEGORY_WORDS = {
    "omitted": "Omitted",
    "pipeline": "Pipeline",
    "best_case": "Best case",
    "most_likely": "Most likely",
    "commit": "Commit",
    "closed": "Closed",
}
CATEGORY_RANK = {category: rank for rank, category in enumerate(CATEGORY_WORDS)}
OUTCOME_WORDS = {"won": "Won", "lost": "Lost", "no_decision": "No decision"}
PROVENANCE_WORDS = {
    "live": "",
    "imported": "from imported history",
    "reconstructed": "reconstructed on import",
    "corrected": "corrected later",
}
CHANNEL_WORDS = {"ui": "", "api": "over the API", "import": "by an import", "task": "by the system"}
LONGEST_ATTRIBUTES = 3


@dataclass(frozen=True)
class Change:
    """“Close date 4 Dec to 18 Dec → +14 d”: label, before, after, delta. An empty `before` says “set to”."""

    label: str
    before: str = ""
    after: str = ""
    icon: str = "edit"
    delta: Delta | None = None

    @property
    def sentence(self) -> str:
        """As plain text, for a toast: “Close date 4 Dec to 18 Dec”."""
        if self.before and self.after:
            return f"{self.label} {self.before} to {self.after}"
        if self.after:
            return f"{self.label} {self.after}"
        return f"{self.label} removed" if self.before else self.label


def changes(
    before: Any,
    after: Any,
    *,
    today: date,
    fields: Sequence[Field] = (),
    names: Mapping[str, str] | None = None,
) -> tuple[Change, ...]:
    """The differences of two states (deals or versions with their names loaded), the weightiest first.

    `before` None is a new deal. Days are written as seen from `today`. `fields` are the deals' custom fields,
    `names` the people whom their values mean.
    """
    if before is None:
        return (Change("Created", icon="plus", after=after.stage.name if after.stage else ""),)
    if ended := _ending(before, after):
        return ended
    found = [change for tell in TELLERS if (change := tell(before, after, today)) is not None]
    return (*found, *_fields(before, after, today=today, fields=fields, names=names or {}))


def _fields(
    before: Any, after: Any, *, today: date, fields: Sequence[Field], names: Mapping[str, str]
) -> Iterable[Change]:
    """Custom fields under their labels, then what stands under none."""
    if (before.attributes or {}) == (after.attributes or {}):
        return
    for field in fields:
        old, new = stored(field, before.attributes), stored(field, after.attributes)
        if old != new:
            words = [label_of(field, value, names=names, today=today) for value in (old, new)]
            yield Change(field.label, before=words[0], after=words[1])
    if (untyped := _untyped(before, after, known={field.attribute for field in fields})) is not None:
        yield untyped


def _ending(before: Any, after: Any) -> tuple[Change, ...]:
    """Deleting, closing and reopening say all that their version changed."""
    if before.deleted_at is None and after.deleted_at is not None:
        return (Change("Deleted", icon="trash"),)
    if before.deleted_at is not None and after.deleted_at is None:
        return (Change("Brought back", icon="undo"),)
    if before.outcome is None and after.outcome is not None:
        reason = after.reason.name if after.reason else "reason not given"
        icon = "trophy" if after.outcome == "won" else "close"
        return (Change(f"{OUTCOME_WORDS[after.outcome]}:", after=reason, icon=icon),)
    if before.outcome is not None and after.outcome is None:
        return (Change("Reopened, was", after=OUTCOME_WORDS[before.outcome].lower(), icon="undo"),)
    return ()


def _stage(before: Any, after: Any, today: date) -> Change | None:
    if before.stage_id == after.stage_id:
        return None
    names = (
        before.stage.name if before.stage else "No stage",
        after.stage.name if after.stage else "no stage",
    )
    steps = after.stage.position - before.stage.position if before.stage and after.stage else 0
    delta = fmt.delta(steps, text=fmt.signed(steps, plus=True)) if steps else None
    icon = "arrow-left" if steps < 0 else "arrow-right"
    return Change("", before=names[0], after=names[1], icon=icon, delta=delta)


def _amount(before: Any, after: Any, today: date) -> Change | None:
    if (before.amount_minor, before.currency) == (after.amount_minor, after.currency):
        return None
    is_same = before.currency == after.currency
    change = (after.amount_minor or 0) - (before.amount_minor or 0) if is_same else 0
    text = fmt.money_short(change, currency=after.currency, plus=True)
    return Change(
        "Amount",
        before=_money(before, with_code=not is_same),
        after=_money(after, with_code=not is_same),
        delta=fmt.delta(change, text=text) if before.amount_minor is not None else None,
    )


def _money(state: Any, *, with_code: bool) -> str:
    if state.amount_minor is None:
        return ""
    text = fmt.money_full(state.amount_minor, currency=state.currency)
    return f"{state.currency}{fmt.NBSP}{text}" if with_code else text


def _close_date(before: Any, after: Any, today: date) -> Change | None:
    if before.close_date == after.close_date:
        return None
    days = (after.close_date - before.close_date).days if before.close_date and after.close_date else 0
    return Change(
        "Close date",
        before=fmt.day(before.close_date, today=today) if before.close_date else "",
        after=fmt.day(after.close_date, today=today) if after.close_date else "",
        icon="calendar",
        delta=fmt.delta_days(days),
    )


def _category(before: Any, after: Any, today: date) -> Change | None:
    if before.category == after.category:
        return None
    steps = 0
    if before.category and after.category:
        steps = CATEGORY_RANK[after.category] - CATEGORY_RANK[before.category]
    words = ["" if not c else CATEGORY_WORDS[c] for c in (before.category, after.category)]
    return Change(
        "Category",
        before=words[0],
        after=words[1],
        icon="flag",
        delta=fmt.delta(steps, text=fmt.signed(steps, plus=True)) if steps else None,
    )


def _next_step(before: Any, after: Any, today: date) -> Change | None:
    if (before.next_step, before.next_step_on) == (after.next_step, after.next_step_on):
        return None
    day = f", {fmt.day(after.next_step_on, today=today)}" if after.next_step_on else ""
    text = f"“{after.next_step}”{day}" if after.next_step else day.removeprefix(", ")
    gone = f"“{before.next_step}”" if before.next_step else _day_or_nothing(before.next_step_on, today)
    return Change("Next step", before="" if text else gone, after=text, icon="arrow-right")


def _day_or_nothing(day: date | None, today: date) -> str:
    return fmt.day(day, today=today) if day else ""


def _named(field: str, label: str, icon: str = "edit") -> Callable[[Any, Any, date], Change | None]:
    """A change of a reference, told by its names."""

    def tell(before: Any, after: Any, today: date) -> Change | None:
        if getattr(before, f"{field}_id") == getattr(after, f"{field}_id"):
            return None
        old, new = getattr(before, field), getattr(after, field)
        return Change(label, before=old.name if old else "", after=new.name if new else "", icon=icon)

    return tell


def _text(field: str, label: str) -> Callable[[Any, Any, date], Change | None]:
    def tell(before: Any, after: Any, today: date) -> Change | None:
        old, new = getattr(before, field), getattr(after, field)
        return None if old == new else Change(label, before=str(old or ""), after=str(new or ""))

    return tell


def _untyped(before: Any, after: Any, *, known: set[str]) -> Change | None:
    old: Mapping[str, Any] = before.attributes or {}
    new: Mapping[str, Any] = after.attributes or {}
    keys = sorted(key for key in {*old, *new} - known if old.get(key) != new.get(key))
    if not keys:
        return None
    shown = ", ".join(
        f"{key} {new[key]}" if key in new else f"{key} removed" for key in keys[:LONGEST_ATTRIBUTES]
    )
    more = f" and {len(keys) - LONGEST_ATTRIBUTES} more" if len(keys) > LONGEST_ATTRIBUTES else ""
    return Change("Fields:", after=shown + more)


def _split(before: Any, after: Any, today: date) -> Change | None:
    """Which shares a deal is split into, the largest first; who has them stands on the deal. A draft has none."""
    old, new = (
        (getattr(state, "split_people", None), getattr(state, "split_shares", None))
        for state in (before, after)
    )
    if old == new:
        return None
    words = [
        " / ".join(f"{share / 100:g} %" for share in shares or ()) or "nobody else"
        for _, shares in (old, new)
    ]
    return Change("Split between", before=words[0], after=words[1])


TELLERS: tuple[Callable[[Any, Any, date], Change | None], ...] = (
    _stage,
    _amount,
    _close_date,
    _category,
    _next_step,
    _named("owner", "Owner", "person"),
    _named("account", "Account", "accounts"),
    _text("name", "Name"),
    _named("product", "Product"),
    _named("competitor", "Competitor"),
    _named("reason", "Reason"),
    _text("source", "Source"),
    _text("kind", "Kind"),
    _split,
)
