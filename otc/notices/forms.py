"""From where on a deal is big."""

from typing import Any

from django import forms

from otc.ui.amounts import AmountNotUnderstood, parse_amount

# What a bigint of minor units holds with room to convert.
MOST_MINOR = 10**16


class BigDealForm(forms.Form):
    """An amount in the corporate currency, empty for none, and a chance in percent."""

    amount = forms.CharField(required=False, max_length=40)
    percent = forms.IntegerField(
        min_value=0,
        max_value=100,
        label="And a chance of being won of at least, in percent",
        help_text="By the deal’s own score, else by what its stage proposes. 0 asks for none.",
    )

    def __init__(self, *args: Any, currency: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.currency = currency
        self.fields["amount"].label = f"A deal is big from this amount on, in {currency}"
        self.fields["amount"].help_text = "386,000 or 1.2m, for example. Empty: no deal is told of as big."

    def clean_amount(self) -> int | None:
        typed: str = self.cleaned_data["amount"].strip()
        if not typed:
            return None
        try:
            amount = parse_amount(typed, currency=self.currency)
        except AmountNotUnderstood as problem:
            raise forms.ValidationError(str(problem)) from None
        if not 0 < amount <= MOST_MINOR:
            raise forms.ValidationError("An amount above zero that a deal can have")
        return amount
