"""What an account and a contact may be. No Django: values in, a refusal out."""

from collections.abc import Mapping
from typing import Any

ACCOUNT_FIELDS = frozenset(
    {"name", "parent_id", "industry", "country", "attributes", "external_id", "fields"}
)
CONTACT_FIELDS = frozenset({"name", "title", "email", "phone", "attributes", "external_id", "fields"})


class Invalid(ValueError):
    """A value that a rule refuses: which field, and in words what to do instead."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(reason)
        self.field, self.reason = field, reason


def check_account(changes: Mapping[str, Any]) -> None:
    _check_known(changes, ACCOUNT_FIELDS)
    _check_name(changes, "An account needs a name")


def check_contact(changes: Mapping[str, Any]) -> None:
    _check_known(changes, CONTACT_FIELDS)
    _check_name(changes, "A contact needs a name")
    email = str(changes.get("email") or "")
    if email and ("@" not in email.strip("@") or " " in email.strip()):
        raise Invalid("email", f"“{email}” is not an e-mail address like ana@example.org")


def _check_known(changes: Mapping[str, Any], known: frozenset[str]) -> None:
    unknown = sorted(set(changes) - known)
    if unknown:
        raise Invalid(unknown[0], f"{unknown[0]} can't be edited")


def _check_name(changes: Mapping[str, Any], reason: str) -> None:
    if "name" in changes and not str(changes["name"] or "").strip():
        raise Invalid("name", reason)
