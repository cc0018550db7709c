"""A caller of the API: a person's token in a client's headers."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.test import Client
from django.utils import timezone

from otc.identity.services import token_issue
from otc.tenancy.context import use
from otc.tenancy.models import Person

READ, WRITE = "read", "write"
# What every new deal comes with.
NEXT_STEP = {"next_step": "Call the plant manager", "next_step_on": "2099-01-01"}


def secret_of(person: Person, *, scopes: Iterable[str] = (READ, WRITE), days: int = 30) -> str:
    """A fresh token of the person, as shown once."""
    now = timezone.now()
    with use(person.organization_id):
        issued = token_issue(
            person.id, name="test", scopes=frozenset(scopes), expires_at=now + timedelta(days=days), now=now
        )
    return issued.secret


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


class Caller:
    """Calls `/api/v1/<path>` as a person; bodies are JSON both ways."""

    def __init__(self, person: Person, *, scopes: Iterable[str] = (READ, WRITE)) -> None:
        self.person = person
        self.client = Client(headers=bearer(secret_of(person, scopes=scopes)))

    def call(self, method: str, path: str, body: Any = None) -> Any:
        url = path if path.startswith(("/", "http")) else f"/api/v1/{path}"
        more = {} if body is None else {"data": body, "content_type": "application/json"}
        return getattr(self.client, method)(url, **more)

    def get(self, path: str) -> Any:
        return self.call("get", path)

    def post(self, path: str, body: Any = None) -> Any:
        return self.call("post", path, {} if body is None else body)

    def patch(self, path: str, body: Any) -> Any:
        return self.call("patch", path, body)

    def delete(self, path: str) -> Any:
        return self.call("delete", path)
