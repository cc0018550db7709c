"""Long work tells whoever started it that it has ended, and nobody else."""

from datetime import timedelta
from typing import Any

from django.test import Client
from django.utils import timezone

from otc.notices.models import Notice
from otc.notices.services import NOTICE_DAYS, notice_send, notices_forget
from otc.tenancy.context import use


def at(house: Any, name: str) -> Client:
    client = Client()
    client.force_login(getattr(house, name).user)
    return client


def tell(house: Any, name: str, text: str, **more: Any) -> None:
    with use(house.organization.id):
        notice_send(getattr(house, name).id, text=text, **more)


def test_a_notice_is_new_until_its_person_looks(house: Any) -> None:
    tell(house, "ana", "Import of deals.csv: 3 new", path="deals/")
    client = at(house, "ana")
    assert "Notices, 1 new" in client.get(house.url("notices/count/")).content.decode()
    page = client.get(house.url("notices/"))
    assert page.context["new_count"] == 1 and house.url("deals/") in page.content.decode()
    assert "new" not in client.get(house.url("notices/count/")).content.decode()
    assert client.get(house.url("notices/")).context["new_count"] == 0


def test_nobody_sees_anothers_notices(house: Any, elsewhere: Any) -> None:
    tell(house, "ana", "Only for Ana")
    for other, name in ((house, "max"), (house, "ops"), (elsewhere, "zoe")):
        assert "Only for Ana" not in at(other, name).get(other.url("notices/")).content.decode()
    assert at(house, "ana").get(house.url("notices/")).context["new_count"] == 1


def test_work_that_a_command_asked_for_tells_nobody(house: Any) -> None:
    with use(house.organization.id):
        notice_send(None, text="nobody hears")
        assert not Notice.objects.exists()


def test_a_hostile_name_is_shown_as_text(house: Any) -> None:
    tell(house, "ana", "Import of <img src=x onerror=alert(1)>" + "x" * 500)
    assert "<img src=x" not in at(house, "ana").get(house.url("notices/")).content.decode()


def test_old_notices_are_forgotten(house: Any) -> None:
    tell(house, "ana", "Old")
    with use(house.organization.id):
        assert notices_forget(now=timezone.now() + timedelta(days=NOTICE_DAYS - 1)) == 0
        assert notices_forget(now=timezone.now() + timedelta(days=NOTICE_DAYS + 1)) == 1
