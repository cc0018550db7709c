"""Does a first start leave three organizations with people who can sign in, once?"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import transaction
from django.test import Client

from otc.demo.organizations import PLANS
from otc.identity.models import User
from otc.tenancy.context import use
from otc.tenancy.models import Person
from pipeline.team.models import DealTeamMember
from postmortem.demo.services import organization_id_of

DEALS = 40


@pytest.fixture(scope="module")
def first_run(django_db_setup: None, django_db_blocker: Any) -> Iterator[str]:
    """What the first start said: the three organizations as they are, with few deals, rolled back at the file's end."""
    shown = StringIO()
    few = {slug: replace(plan, deals=DEALS) for slug, plan in PLANS.items()}
    with django_db_blocker.unblock(), transaction.atomic(), pytest.MonkeyPatch.context() as patch:
        for slug, plan in few.items():
            patch.setitem(PLANS, slug, plan)
        call_command("seed_demo", "--first-run", stdout=shown)
        yield shown.getvalue()
        transaction.set_rollback(True)


def test_a_first_run_shows_passwords_that_open_the_door_and_happens_once(first_run: str, db: None) -> None:
    sign_ins = re.findall(r"^  (\S+@\S+\.example) +(\S+)  (\w+) at", first_run, re.MULTILINE)
    assert {role for _, _, role in sign_ins} == {"executive", "manager", "rep", "operations", "administrator"}
    assert len(sign_ins) == 15
    for email, password, _ in sign_ins:
        assert User.objects.get(email=email).check_password(password)
    again = StringIO()
    call_command("seed_demo", "--first-run", stdout=again)
    assert again.getvalue() == ""


def test_who_runs_revenue_operations_signs_in_and_sits_on_deals(first_run: str, db: None) -> None:
    user = User.objects.get(email="ria.sandoval@halden.example")
    organization_id = organization_id_of("halden")
    assert organization_id is not None
    with use(organization_id):
        ria = Person.objects.get(user=user)
        assert ria.role == "operations"
        assert DealTeamMember.objects.filter(person=ria, part="Deal desk").exists()
    browser = Client()
    browser.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    assert browser.get("/o/halden/deals/").status_code == 200


def test_the_first_runs_administrator_belongs_to_all_three(first_run: str, db: None) -> None:
    user = User.objects.get(email="ola.petterson@halden.example")
    for slug in ("halden", "kitano", "prairie"):
        organization_id = organization_id_of(slug)
        assert organization_id is not None
        with use(organization_id):
            assert Person.objects.get(user=user).role == "administrator"
