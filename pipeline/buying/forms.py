"""A contact's part in a deal, as it is chosen on the deal's page."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django import forms

from pipeline.accounts.models import Contact
from pipeline.buying.models import BuyingRole, Influence, Part, Stance


class BuyingRoleForm(forms.Form):
    """Which part, how much influence, for or against. Without `instance` it also asks who."""

    role = forms.ChoiceField(choices=Part.choices, label="Part")
    influence = forms.ChoiceField(choices=Influence.choices, label="Influence", initial=Influence.MEDIUM)
    stance = forms.ChoiceField(choices=Stance.choices, label="Stance", initial=Stance.UNKNOWN)

    def __init__(
        self,
        *args: Any,
        contacts: Sequence[Contact] = (),
        instance: BuyingRole | None = None,
        **options: Any,
    ) -> None:
        names = ("role", "influence", "stance")
        if instance is not None:
            options["initial"] = {name: getattr(instance, name) for name in names}
            options["prefix"] = None
            options["auto_id"] = f"buying-{instance.id}-%s"
        super().__init__(*args, **options)
        if instance is None:
            self.fields["contact"] = forms.ChoiceField(
                choices=[(str(contact.id), contact.name) for contact in contacts], label="Who"
            )
            self.order_fields(["contact", *names])

    @property
    def contact_id(self) -> UUID:
        return UUID(self.cleaned_data["contact"])

    @property
    def changes(self) -> dict[str, str]:
        return {name: self.cleaned_data[name] for name in ("role", "influence", "stance")}
