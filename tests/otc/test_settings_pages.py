"""The settings pages, the sign-in's limit, and the command that opens an organization."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from io import StringIO

import pytest
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.test import Client

from otc.identity.models import User
from otc.money.models import Rate
from otc.tenancy.context import use
from otc.tenancy.models import Person
from otc.tenancy.queries import memberships
from tests.conftest import House

SignedIn = Callable[[Person], Client]

pytestmark = pytest.mark.django_db


def text_of(client: Client, url: str) -> str:
    page = client.get(url)
    assert page.status_code == 200
    return page.content.decode()


def test_an_administrator_reads_the_facts_and_the_rates(house: House, signed_in: SignedIn) -> None:
    with use(house.organization.id):
        Rate(
            currency="SEK",
            valid_from=date(2026, 1, 1),
            known_from=datetime(2026, 1, 1, tzinfo=UTC),
            rate="0.0871",
        ).save()
    ops = signed_in(house.ops)
    facts, rates = (text_of(ops, house.url(f"settings/{page}")) for page in ("", "currencies/of/SEK/"))
    assert all(fact in facts for fact in ("Halden Systems", "EUR", "Europe/Berlin"))
    assert "0.0871" in rates


def test_people_are_listed_with_role_and_manager(house: House, signed_in: SignedIn) -> None:
    page = signed_in(house.ops).get(house.url("settings/people/"))
    by_name = {member.person.name: member for member in page.context["members"]}
    assert by_name["Ana Ruiz"].manager_name == "Max Brandt"
    assert by_name["Eve Okafor"].is_top and not by_name["Olga Petrova"].is_top
    assert len(by_name) == len(house.people)


def test_the_process_shows_stages_milestones_and_reasons(house: House, signed_in: SignedIn) -> None:
    text = text_of(signed_in(house.ops), house.url("settings/process/"))
    assert all(word in text for word in ("Qualify", "Budget range named", "Product gap", "Required"))


@pytest.mark.parametrize("path", ["settings/", "settings/people/", "settings/process/"])
def test_only_administrators_open_settings(house: House, signed_in: SignedIn, path: str) -> None:
    codes = [
        signed_in(person).get(house.url(path)).status_code for person in (house.ana, house.max, house.eve)
    ]
    assert codes == [403, 403, 403]


def test_everybody_with_pages_has_a_page_of_tokens(house: House, signed_in: SignedIn) -> None:
    page = signed_in(house.ana).get(house.url("settings/tokens/"))
    assert page.status_code == 200 and "API tokens" in {tab.label for tab in page.context["tabs"]}


def test_guessing_a_password_is_stopped(db: None) -> None:
    User.objects.create_user(email="ana@example.org", password="correct horse battery")
    cache.clear()
    guesses = [{"login": "ana@example.org", "password": f"guess {number}"} for number in range(6)]
    codes = [Client().post("/accounts/login/", guess).status_code for guess in guesses]
    right = Client().post(
        "/accounts/login/", {"login": "ana@example.org", "password": "correct horse battery"}
    )
    assert right.status_code != 302, f"signed in after {codes}"
    assert "_auth_user_id" not in right.client.session


def test_the_right_password_signs_in(db: None) -> None:
    User.objects.create_user(email="ana@example.org", password="correct horse battery")
    cache.clear()
    answer = Client().post(
        "/accounts/login/", {"login": "ana@example.org", "password": "correct horse battery"}
    )
    assert answer.status_code == 302


FACTS = (
    "--slug=alder",
    "--name=Alder",
    "--currency=SEK",
    "--timezone=Europe/Stockholm",
    "--admin=Ida@alder.example",
)


def test_an_organization_is_opened_with_a_working_administrator(db: None) -> None:
    out = StringIO()
    call_command("create_organization", *FACTS, stdout=out)
    password = out.getvalue().split("signs in with ")[1].split()[0]
    client = Client()
    cache.clear()
    assert (
        client.post("/accounts/login/", {"login": "ida@alder.example", "password": password}).status_code
        == 302
    )
    assert "Qualify" in text_of(client, "/o/alder/settings/process/")


def test_a_second_organization_keeps_the_sign_in_and_shows_no_password(db: None) -> None:
    call_command("create_organization", *FACTS, stdout=StringIO())
    out = StringIO()
    call_command(
        "create_organization", "--slug=birch", "--name=Birch", "--admin=ida@alder.example", stdout=out
    )
    assert "the password they have" in out.getvalue()
    user = User.objects.get(email="ida@alder.example")
    assert [m.organization.slug for m in memberships(user.id, today=date(2026, 11, 22))] == ["alder", "birch"]


def test_a_taken_address_opens_nothing(db: None) -> None:
    call_command("create_organization", *FACTS, stdout=StringIO())
    with pytest.raises(CommandError, match="already"):
        call_command("create_organization", "--slug=alder", "--name=B", "--admin=b@alder.example")
    assert not User.objects.filter(email="b@alder.example").exists()


@pytest.mark.parametrize("wrong", ["--slug=a b", "--currency=XYZ", "--timezone=Mars/Base", "--admin=nobody"])
def test_facts_that_can_not_be_are_refused(db: None, wrong: str) -> None:
    with pytest.raises(CommandError):
        call_command("create_organization", *FACTS, wrong)
