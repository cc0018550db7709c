"""What may be changed about a person."""

from django import forms

from otc.tenancy.models import Role


class RoleForm(forms.Form):
    """Any role of the table."""

    role = forms.ChoiceField(choices=Role.choices)
