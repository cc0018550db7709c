"""New deals over the API: whose they are, what comes next, and that asking twice makes one."""

from collections.abc import Callable

import pytest

from otc.tenancy.context import use
from pipeline.opportunities.models import Opportunity
from tests.api_client import NEXT_STEP, Caller
from tests.conftest import House

pytestmark = pytest.mark.django_db


def test_a_deal_is_created_for_the_tokens_person(house: House) -> None:
    answer = Caller(house.ana).post(
        "opportunities", {"name": "Alder", "amount_minor": 12_50, "currency": "EUR", **NEXT_STEP}
    )
    assert answer.status_code == 201
    row = answer.json()
    assert (row["owner_id"], row["stage_name"], row["category"]) == (str(house.ana.id), "Qualify", "pipeline")
    assert Caller(house.ana).get(answer["Location"].removeprefix("http://testserver")).json() == row


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"next_step": NEXT_STEP["next_step"]},
        {"next_step_on": NEXT_STEP["next_step_on"]},
        {"next_step": "", "next_step_on": NEXT_STEP["next_step_on"]},
        {"next_step": "Call", "next_step_on": None},
    ],
)
def test_a_new_deal_is_asked_for_its_next_step_and_the_day_by_name(
    house: House, given: dict[str, str | None]
) -> None:
    answer = Caller(house.ana).post("opportunities", {"name": "Alder", **given})
    missing = {name for name in NEXT_STEP if not given.get(name)}
    assert answer.status_code == 400 and answer.json()["error"]["fields"].keys() == missing
    with use(house.organization.id):
        assert not Opportunity.objects.filter(name="Alder").exists()


def test_a_new_deals_next_step_lies_ahead(house: House) -> None:
    past = {"name": "Alder", "next_step": "Call", "next_step_on": "2020-01-01"}
    answer = Caller(house.ana).post("opportunities", past)
    assert (answer.status_code, set(answer.json()["error"]["fields"])) == (422, {"next_step_on"})


def test_a_deal_that_was_imported_without_a_next_step_can_be_edited_as_it_is(
    house: House, make_deal: Callable[..., Opportunity]
) -> None:
    with use(house.organization.id, channel="import"):
        deal = make_deal("Alder", owner=house.ana)
    answer = Caller(house.ana).patch(f"opportunities/{deal.id}", {"close_date": "2027-01-15"})
    assert (answer.status_code, answer.json()["next_step"]) == (200, "")


def test_an_integration_that_asks_twice_makes_one_deal(house: House) -> None:
    caller, wanted = Caller(house.bot), {"name": "Alder", "external_id": "A-1", **NEXT_STEP}
    first, again = caller.post("opportunities", wanted), caller.post("opportunities", wanted)
    assert (first.status_code, again.status_code) == (201, 422)
    assert set(again.json()["error"]["fields"]) == {"external_id"}


def test_an_integrations_deal_belongs_to_nobody_unless_it_says_so(house: House) -> None:
    caller = Caller(house.bot)
    assert caller.post("opportunities", {"name": "Alder", **NEXT_STEP}).json()["owner_id"] is None
    owned = caller.post("opportunities", {"name": "Birch", "owner_id": str(house.jon.id), **NEXT_STEP}).json()
    assert owned["owner_name"] == "Jonas Feld"
