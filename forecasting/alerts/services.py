"""The only writers of alert rules and hooks: keep, pause, remove, try out; with undo and on the audit log."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from forecasting.alerts.delivery import PURPOSE, delivery_ask
from forecasting.alerts.firing import around, state_fire
from forecasting.alerts.models import AlertDelivery, AlertHook, AlertRule
from forecasting.alerts.posting import AddressRefused, checked_address, new_secret
from forecasting.alerts.rules import COVERAGE, DEAL_EVENTS, KIND_NAMED, SPANS
from otc.audit.services import audit_append
from otc.notices.kinds import ALERT, Ways
from otc.notices.services import notices_send
from otc.sealing import seal
from otc.tenancy.lines import Owners
from otc.tenancy.models import Person
from otc.undo.registry import CantUndo, undoes
from otc.undo.services import undo_offer
from pipeline.opportunities.rules import Refused

UNDO = "alert_rule"
MOST_RULES = 200
MOST_MINOR = 10**16
LIMITS = {
    "amount_minor": (1, MOST_MINOR),
    "percent": (1, 100),
    "days": (1, 365),
    "times_hundredths": (1, 10_000),
}
TOLD = ("name", "kind", "scope_id", "amount_minor", "percent", "days", "times_hundredths", "span")
WAYS = ("person_ids", "tells_owner", "tells_manager", "in_app", "by_mail", "hook_id")


@dataclass(frozen=True)
class Wanted:
    """A rule as somebody asks for it; thresholds that its kind doesn't take are left out."""

    name: str
    kind: str
    is_own: bool = True
    scope_id: UUID | None = None
    amount_minor: int | None = None
    percent: int | None = None
    days: int | None = None
    times_hundredths: int | None = None
    span: str = "quarter"
    person_ids: tuple[UUID, ...] = field(default=())
    tells_owner: bool = False
    tells_manager: bool = False
    in_app: bool = True
    by_mail: bool = False
    hook_id: UUID | None = None


@dataclass(frozen=True)
class Author:
    """Who asks: whom they may name as scope, and whether they keep the organization's rules."""

    person: Person
    visible: Owners
    manages: bool


def rule_create(wanted: Wanted, *, author: Author, now: datetime) -> AlertRule:
    """A new rule, which watches from `now` on; what holds already is noted and not told. Raises Refused."""
    if AlertRule.objects.filter(deleted_at__isnull=True).count() >= MOST_RULES:
        raise Refused("name", f"There are {MOST_RULES} rules already; remove one first")
    values = _checked(wanted, author=author)
    rule = AlertRule(
        **values,
        owner_id=author.person.id if wanted.is_own else None,
        made_by_id=author.person.id,
        created_at=now,
        since=now,
        until=now,
    )
    rule.save(force_insert=True)
    _begin(rule, now=now)
    _note(rule, "alert_rule.created", f"Alert “{rule.name}” was made")
    return rule


def rule_edit(rule: AlertRule, wanted: Wanted, *, author: Author, now: datetime) -> UUID | None:
    """Other thresholds or readers; it watches anew from `now` on. Returns the step that Undo takes back."""
    values = _checked(wanted, author=author, is_own=rule.owner_id is not None)
    before = _kept(rule)
    for name, value in values.items():
        setattr(rule, name, value)
    rule.since = rule.until = now
    rule.save(update_fields=[*(name.removesuffix("_id") for name in values), "since", "until"])
    rule.fired.filter(holds=True).update(holds=False)
    _begin(rule, now=now)
    _note(rule, "alert_rule.changed", f"Alert “{rule.name}” was changed", before=before)
    return undo_offer(UNDO, said=f"Alert “{rule.name}” changed", payload=_payload(rule, was=before))


def rule_pause(rule: AlertRule, *, now: datetime) -> UUID | None:
    """It stops watching; what happens meanwhile never fires."""
    before = _kept(rule)
    rule.paused_at = now
    rule.save(update_fields=["paused_at"])
    _note(rule, "alert_rule.paused", f"Alert “{rule.name}” was paused")
    return undo_offer(UNDO, said=f"Alert “{rule.name}” paused", payload=_payload(rule, was=before))


def rule_resume(rule: AlertRule, *, now: datetime) -> UUID | None:
    """It watches again, from `now` on."""
    before = _kept(rule)
    rule.paused_at, rule.since, rule.until = None, now, now
    rule.save(update_fields=["paused_at", "since", "until"])
    _begin(rule, now=now)
    _note(rule, "alert_rule.resumed", f"Alert “{rule.name}” watches again")
    return undo_offer(UNDO, said=f"Alert “{rule.name}” resumed", payload=_payload(rule, was=before))


def rule_remove(rule: AlertRule, *, now: datetime) -> UUID | None:
    """It is gone; what it fired stays in the log."""
    before = _kept(rule)
    rule.deleted_at = now
    rule.save(update_fields=["deleted_at"])
    _note(rule, "alert_rule.removed", f"Alert “{rule.name}” was removed")
    return undo_offer(UNDO, said=f"Alert “{rule.name}” removed", payload=_payload(rule, was=before))


@undoes(UNDO, action="keep_alerts")
def put_rule_back(payload: Mapping[str, Any]) -> str:
    """As it was before the write. What happened in between has not been watched, and is not told later."""
    rule: AlertRule | None = AlertRule.objects.select_for_update().filter(id=payload["id"]).first()
    if rule is None or _kept(rule) != payload["after"]:
        raise CantUndo("This alert was changed since; change it again instead")
    was = payload["was"]
    for name, value in was.items():
        setattr(rule, name, datetime.fromisoformat(value) if name.endswith("_at") and value else value)
    rule.save()
    _note(rule, "alert_rule.restored", f"Alert “{rule.name}” was put back as it was before")
    return f"Alert “{rule.name}” is as it was before"


def rule_try(rule: AlertRule, *, person: Person, now: datetime) -> AlertDelivery | None:
    """Send a sample by each of the rule's channels: below the bell and by mail to `person` alone, and to its hook.

    Returns the hook's delivery, whose answer shows in the log.
    """
    text = f"{rule.name}: a sample, sent by {person.name}. Nothing happened."
    if rule.in_app or rule.by_mail:
        usual = Ways(in_app=rule.in_app, in_digest=False, is_mailed=rule.by_mail)
        notices_send([person.id], text=text, path="alerts/", kind=ALERT, usual=usual)
    if rule.hook is None or rule.hook.deleted_at is not None:
        return None
    content = {
        "type": "alert.sample",
        "timestamp": now.isoformat(),
        "data": {"rule": {"id": str(rule.id), "name": rule.name, "kind": rule.kind}, "text": text},
    }
    return delivery_ask(rule.hook, content=content, fired_id=None, now=now)


@dataclass(frozen=True)
class MadeHook:
    """A new hook with its secret, which can't be had again."""

    hook: AlertHook
    secret: str


def hook_add(*, name: str, url: str, owner: Person, now: datetime) -> MadeHook:
    """An address that the organization's alerts can be posted to. Raises Refused."""
    name, url = name.strip()[:100], url.strip()
    if not name:
        raise Refused("name", "Name the webhook after what gets it")
    if len(url) > 500:
        raise Refused("url", "An address of at most 500 characters")
    try:
        checked_address(url)
    except AddressRefused as refusal:
        raise Refused("url", str(refusal)) from None
    secret = new_secret()
    hook = AlertHook(
        name=name, url=url, sealed_secret=seal(secret, purpose=PURPOSE), owner_id=owner.id, created_at=now
    )
    hook.save(force_insert=True)
    audit_append(
        "alert_hook.created",
        subject_kind="alert_hook",
        subject_id=hook.id,
        summary=f"Webhook “{hook.name}” for alerts was made",
        detail={"url": url},
    )
    return MadeHook(hook, secret)


def hook_remove(hook: AlertHook, *, now: datetime) -> None:
    """Nothing is posted to it any more. Its secret is forgotten."""
    if hook.deleted_at is None:
        hook.deleted_at, hook.sealed_secret = now, ""
        hook.save(update_fields=["deleted_at", "sealed_secret"])
        audit_append(
            "alert_hook.removed",
            subject_kind="alert_hook",
            subject_id=hook.id,
            summary=f"Webhook “{hook.name}” for alerts was removed",
        )


def _checked(wanted: Wanted, *, author: Author, is_own: bool | None = None) -> dict[str, Any]:
    """The columns of a rule as wanted. Raises Refused, naming the field."""
    kind = KIND_NAMED.get(wanted.kind)
    if kind is None:
        raise Refused("kind", "Choose one of: " + ", ".join(KIND_NAMED))
    if not wanted.name.strip():
        raise Refused("name", "Name the alert as its readers will know it")
    if wanted.span not in dict(SPANS):
        raise Refused("span", "Choose one of: " + ", ".join(key for key, _ in SPANS))
    is_own = wanted.is_own if is_own is None else is_own
    if not is_own and not author.manages:
        raise Refused("is_own", "Only who keeps the organization’s alerts makes one for others")
    scope_id = _checked_scope(wanted, author=author, is_own=is_own)
    thresholds = {name: _threshold(name, wanted, kind.asks, kind.takes) for name in LIMITS}
    return {
        "name": wanted.name.strip()[:100],
        "kind": kind.key,
        "span": wanted.span,
        "scope_id": scope_id,
        **thresholds,
        **_checked_ways(wanted, is_own=is_own),
    }


def _threshold(name: str, wanted: Wanted, asks: Iterable[str], takes: Iterable[str]) -> int | None:
    given: int | None = getattr(wanted, name)
    if name not in asks and name not in takes:
        return None
    if given is None:
        if name in asks:
            raise Refused(name, "This kind of alert needs it")
        return None
    low, high = LIMITS[name]
    if not low <= given <= high:
        raise Refused(name, f"Between {low:,} and {high:,}")
    return given


def _checked_scope(wanted: Wanted, *, author: Author, is_own: bool) -> UUID | None:
    if wanted.scope_id is not None:
        exists = Person.objects.filter(id=wanted.scope_id).exists()
        if not exists or not author.visible.contains(wanted.scope_id):
            raise Refused("scope_id", "Choose somebody whose deals you may see")
        return wanted.scope_id
    if wanted.kind == COVERAGE and author.visible.person_ids is not None:
        raise Refused("scope_id", "Say whose coverage: you don’t see the whole organization’s")
    if not is_own and author.visible.person_ids is not None:
        raise Refused("scope_id", "Say whose deals: you don’t see the whole organization’s")
    return None


def _checked_ways(wanted: Wanted, *, is_own: bool) -> dict[str, Any]:
    """Who is told and how. One's own alert tells oneself only, in the app or by mail."""
    if is_own:
        if not (wanted.in_app or wanted.by_mail):
            raise Refused("in_app", "Choose below the bell, by mail, or both")
        ways = {"person_ids": [], "tells_owner": False, "tells_manager": False, "hook_id": None}
        return {**ways, "in_app": wanted.in_app, "by_mail": wanted.by_mail}
    people = set(wanted.person_ids)
    here = Person.objects.filter(id__in=people, left_on__isnull=True).count()
    if here != len(people):
        raise Refused("person_ids", "Choose people who are here")
    if wanted.hook_id and not AlertHook.objects.filter(id=wanted.hook_id, deleted_at__isnull=True).exists():
        raise Refused("hook_id", "Choose a webhook that there is")
    is_told = bool(people) or (wanted.kind != COVERAGE and (wanted.tells_owner or wanted.tells_manager))
    if not (is_told and (wanted.in_app or wanted.by_mail)) and wanted.hook_id is None:
        raise Refused("person_ids", "Choose somebody to tell and a way, or a webhook")
    return {
        "person_ids": sorted(str(person_id) for person_id in people),
        "tells_owner": wanted.tells_owner,
        "tells_manager": wanted.tells_manager,
        "in_app": wanted.in_app,
        "by_mail": wanted.by_mail,
        "hook_id": wanted.hook_id,
    }


def _begin(rule: AlertRule, *, now: datetime) -> None:
    """What holds at the beginning is no news: it is kept as such, and fires once it held no more in between."""
    if rule.kind not in DEAL_EVENTS:
        rule.fired.filter(holds=True).update(holds=False)
        state_fire(rule, around(now), is_quiet=True)


def _kept(rule: AlertRule) -> dict[str, Any]:
    """A rule's columns as JSON keeps them."""
    values = {name: getattr(rule, name) for name in (*TOLD, *WAYS, "paused_at", "deleted_at")}
    return {
        name: value.isoformat()
        if isinstance(value, datetime)
        else str(value)
        if isinstance(value, UUID)
        else value
        for name, value in values.items()
    }


def _payload(rule: AlertRule, *, was: dict[str, Any]) -> dict[str, Any]:
    return {"id": str(rule.id), "was": was, "after": _kept(rule)}


def _note(rule: AlertRule, action: str, summary: str, *, before: dict[str, Any] | None = None) -> None:
    detail = {"after": _kept(rule), "is_own": rule.owner_id is not None}
    audit_append(
        action,
        subject_kind="alert_rule",
        subject_id=rule.id,
        summary=summary,
        detail=detail if before is None else {"before": before, **detail},
    )
