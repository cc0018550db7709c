"""The role table: what revenue operations may, and that the table says everything once and in words."""

from django.test import Client

from otc.tenancy.lines import ALL_OWNERS
from otc.tenancy.models import Role
from otc.tenancy.permissions import ACTIONS, TABLE
from otc.tenancy.reach import visible_reach
from tests.conftest import BEGINNING, House

READING = ("view_", "use_pages", "manage_own_tokens")


def test_revenue_operations_may_do_everything_that_reads_and_nothing_else() -> None:
    reading = {action.key for action in TABLE if action.key.startswith(READING)}
    # Alerts tell of deals and edit none.
    assert ACTIONS[Role.OPERATIONS] == reading | {"keep_alerts", "manage_alerts"}


def test_revenue_operations_sees_the_deals_of_everybody_and_of_nobody(inside: House) -> None:
    found = visible_reach(inside.ria, organization=inside.organization, now=BEGINNING)
    assert found.owners == ALL_OWNERS


def test_no_page_offers_an_edit_to_revenue_operations(house: House, signed_in: object) -> None:
    client: Client = signed_in(house.ria)  # type: ignore[operator]  # the fixture's function
    pages = [client.get(house.url(path)) for path in ("deals/", "deals/board/", "accounts/", "inspection/")]
    assert [page.status_code for page in pages] == [200] * 4
    assert not any("deals/new/" in page.content.decode() for page in pages)
    assert "settings/" in pages[0].content.decode()


def test_every_action_is_in_the_table_once_with_its_meaning_in_words() -> None:
    keys = [action.key for action in TABLE]
    assert len(keys) == len(set(keys))
    assert all(action.meaning[0].isupper() and action.roles for action in TABLE)
