"""A rule as it is typed, with the fields that its kind takes, and a hook."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from django import forms

from forecasting.alerts.models import AlertHook, AlertRule
from forecasting.alerts.rules import COVERAGE, KIND_NAMED, PUSHED_OUT, SPANS
from forecasting.alerts.services import Wanted
from otc.ui.amounts import AmountNotUnderstood, parse_amount
from otc.ui.format import money_full

THRESHOLDS = ("amount", "percent", "days", "times")
FOR_OTHERS = ("people", "tells_owner", "tells_manager", "hook")
COLUMN_OF = {"amount": "amount_minor", "times": "times_hundredths"}


class RuleForm(forms.Form):
    """One kind's fields. `scopes` are (id, name, depth) of whose deals one may choose; `people` (id, name)."""

    name = forms.CharField(max_length=100, label="Name", help_text="As its readers will know it.")
    amount = forms.CharField(required=False, max_length=40, help_text="500k or 1.2m; empty: of any amount.")
    percent = forms.IntegerField(min_value=1, max_value=100, label="Falls by at least, in percent")
    days = forms.IntegerField(min_value=1, max_value=365, label="Days without a call, mail, meeting or note")
    times = forms.DecimalField(
        min_value=Decimal("0.01"),
        max_value=100,
        max_digits=5,
        decimal_places=2,
        label="Tell when coverage falls below",
        help_text="Open pipeline of the quarter against what is missing to the quota: 3 means three times.",
    )
    span = forms.ChoiceField(choices=SPANS, label="Pushed out of", initial="quarter")
    scope = forms.ChoiceField(required=False, label="Whose deals")
    whose = forms.ChoiceField(
        label="Whom it tells",
        widget=forms.RadioSelect,
        choices=[("own", "Only me"), ("organization", "Others: the organization’s alert")],
        initial="own",
    )
    people = forms.MultipleChoiceField(
        required=False,
        label="People",
        widget=forms.SelectMultiple(attrs={"size": 6}),
        help_text="Each hears only of deals that they may see.",
    )
    tells_owner = forms.BooleanField(required=False, label="The deal’s owner")
    tells_manager = forms.BooleanField(required=False, label="The owner’s manager")
    in_app = forms.BooleanField(required=False, label="Below the bell", initial=True)
    by_mail = forms.BooleanField(required=False, label="By a mail at once")
    hook = forms.ChoiceField(required=False, label="Webhook")

    def __init__(
        self,
        *args: Any,
        kind: str,
        currency: str,
        scopes: list[tuple[str, str, int]],
        people: list[tuple[str, str]],
        hooks: list[AlertHook],
        manages: bool,
        is_new: bool,
        **options: Any,
    ) -> None:
        super().__init__(*args, **options)
        self.kind, self.currency, self.manages = kind, currency, manages
        fields: Any = self.fields
        fields["amount"].label = f"Deals from this amount on, in {currency}"
        fields["scope"].choices = [(key, " " * 2 * depth + label) for key, label, depth in scopes]
        fields["people"].choices = people
        fields["hook"].choices = [("", "None"), *((str(hook.id), hook.name) for hook in hooks)]
        for name in self._unused(is_new=is_new):
            del fields[name]

    def _unused(self, *, is_new: bool) -> list[str]:
        kind = KIND_NAMED[self.kind]
        taken = {*kind.asks, *kind.takes}
        unused = [name for name in THRESHOLDS if COLUMN_OF.get(name, name) not in taken]
        if self.kind != PUSHED_OUT:
            unused.append("span")
        if not self.manages:
            unused += ["whose", *FOR_OTHERS]
        elif self.kind == COVERAGE:
            unused += ["tells_owner", "tells_manager"]
        if self.manages and not is_new:
            unused.append("whose")
        return unused

    def clean_amount(self) -> int | None:
        typed: str = self.cleaned_data["amount"].strip()
        if not typed:
            return None
        try:
            return parse_amount(typed, currency=self.currency)
        except AmountNotUnderstood as problem:
            raise forms.ValidationError(str(problem)) from None

    def wanted(self) -> Wanted:
        """What services.rule_create and rule_edit take."""
        given = self.cleaned_data
        times = given.get("times")
        return Wanted(
            name=given["name"],
            kind=self.kind,
            is_own=given.get("whose", "own") == "own",
            scope_id=UUID(given["scope"]) if given.get("scope") else None,
            amount_minor=given.get("amount"),
            percent=given.get("percent"),
            days=given.get("days"),
            times_hundredths=round(times * 100) if times is not None else None,
            span=given.get("span") or "quarter",
            person_ids=tuple(UUID(person_id) for person_id in given.get("people", [])),
            tells_owner=given.get("tells_owner", False),
            tells_manager=given.get("tells_manager", False),
            in_app=given["in_app"],
            by_mail=given["by_mail"],
            hook_id=UUID(given["hook"]) if given.get("hook") else None,
        )


def initial_of(rule: AlertRule, *, currency: str) -> dict[str, Any]:
    amount = rule.amount_minor
    return {
        "name": rule.name,
        "amount": money_full(amount, currency=currency) if amount is not None else "",
        "percent": rule.percent,
        "days": rule.days,
        "times": Decimal(rule.times_hundredths) / 100 if rule.times_hundredths else None,
        "span": rule.span,
        "scope": str(rule.scope_id or ""),
        "people": rule.person_ids,
        "tells_owner": rule.tells_owner,
        "tells_manager": rule.tells_manager,
        "in_app": rule.in_app,
        "by_mail": rule.by_mail,
        "hook": str(rule.hook_id or ""),
    }


# The field of the form for a field that a service refuses.
FIELD_OF = {
    "amount_minor": "amount",
    "times_hundredths": "times",
    "scope_id": "scope",
    "person_ids": "people",
    "hook_id": "hook",
    "is_own": "whose",
}


class HookForm(forms.Form):
    name = forms.CharField(
        max_length=100, label="Name", help_text="After what gets it: Chat, Data warehouse …"
    )
    url = forms.CharField(max_length=500, label="Address", help_text="https://…; posts are signed.")
