"""Plans of pay with their day, attainment by branch, and what a deal pays: for its people and the line above only."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from forecasting.pay.models import PayPlan
from forecasting.pay.queries import plans_standing
from forecasting.pay.report import DealPay, attainment_report, deal_pay_report
from forecasting.pay.rules import Tier
from forecasting.pay.services import PlanWritten, Wanted, pay_plan_set, pay_plan_withdraw
from forecasting.quotas.models import Quota
from otc.audit.models import AuditEntry
from otc.calendar.rules import Kind, following, period_of, previous
from otc.question import ask
from otc.tenancy.context import use
from otc.tenancy.middleware import Tenant
from otc.tenancy.models import Person
from otc.undo.models import UndoStep
from pipeline.opportunities.models import Opportunity
from pipeline.opportunities.rules import Refused
from pipeline.team.rules import Share
from pipeline.team.services import splits_set
from tests.api_client import Caller
from tests.conftest import House
from tests.days import day_in_house
from tests.forecasting.lives import deal_with

HERE = period_of(day_in_house())
TIERS = (Tier(0, 500), Tier(10_000, 800))


def now() -> datetime:
    return datetime.now(UTC)


def tenant(house: House, person: Person) -> Tenant:
    return Tenant(house.organization, person, now())


def plan(house: House, tiers: tuple[Tier, ...] = TIERS, **given: Any) -> PlanWritten:
    fields: dict[str, Any] = {"starts_on": HERE.first, "cycle": "quarter", "reason": "The year’s plan"}
    if "person_id" not in given:
        fields["role"] = "rep"
    return pay_plan_set(Wanted(**fields | given, tiers=tiers), author=house.ops, now=now())


def quota(person: Person, amount_minor: int) -> None:
    Quota(person=person, period=HERE.key, amount_minor=amount_minor).save()


def won(person: Person, amount_minor: int, *, day: date = HERE.first, **more: Any) -> Opportunity:
    given = {"category": "closed", "outcome": "won", "closed_at": now()} | more
    return deal_with(owner_id=person.id, amount_minor=amount_minor, close_date=day, **given)


def opened(person: Person, amount_minor: int, *, day: date = HERE.last) -> Opportunity:
    return deal_with(owner_id=person.id, amount_minor=amount_minor, category="commit", close_date=day)


def pays(house: House, viewer: Person, deal: Opportunity, **asked: str) -> tuple[DealPay, ...]:
    who = tenant(house, viewer)
    return deal_pay_report(ask(who, asked), deal.id, tenant=who)


def attained(house: House, viewer: Person, **asked: str) -> dict[str, tuple[int, int | None]]:
    who = tenant(house, viewer)
    rows = attainment_report(ask(who, asked), tenant=who)
    return {row.person.name.split()[0]: (row.won_minor, row.pay_minor) for row in rows}


def test_an_open_deal_would_pay_by_the_tiers_that_it_crosses(inside):
    quota(inside.ana, 1_000_00)
    plan(inside)
    won(inside.ana, 900_00)
    (row,) = pays(inside, inside.ana, opened(inside.ana, 300_00))
    assert (row.before_minor, row.pay_minor) == (900_00, 21_00)
    assert [(part.amount_minor, part.pay_minor) for part in row.parts or ()] == [
        (100_00, 5_00),
        (200_00, 16_00),
    ]


def test_won_deals_pay_together_what_the_period_pays(inside):
    quota(inside.ana, 1_000_01)
    plan(inside)
    deals = [
        won(inside.ana, minor, day=HERE.first + timedelta(days=place % 2))
        for place, minor in enumerate((333_33, 777_77, 555_55, 1))
    ]
    paid = [pays(inside, inside.ana, deal)[0].pay_minor or 0 for deal in deals]
    assert sum(paid) == attained(inside, inside.ana)["Ana"][1]


def test_a_split_deal_pays_each_of_its_people_their_part(inside):
    created = opened(inside.ana, 100_00)
    shares = [Share(inside.ana.id, "revenue", 6_000), Share(inside.max.id, "revenue", 4_000)]
    splits_set(created.id, shares=shares, now=now())
    plan(inside, (Tier(0, 1_000),))
    (row,) = pays(inside, inside.ana, created)
    assert (row.amount_minor, row.pay_minor) == (60_00, 6_00)


def test_peers_see_nothing_and_the_line_above_does(inside):
    plan(inside)
    deal = opened(inside.ana, 100_00)
    seen = {name: len(pays(inside, person, deal)) for name, person in inside.people.items()}
    assert seen == {"ana": 1, "max": 1, "eve": 1, "ops": 1, "jon": 0, "ria": 0, "bot": 0}
    mine = opened(inside.max, 100_00)
    assert pays(inside, inside.ana, mine) == ()


def test_a_plan_pays_periods_that_begin_on_its_day_or_later(inside):
    plan(inside, (Tier(0, 100),), starts_on=HERE.first)
    plan(inside, (Tier(0, 200),), starts_on=HERE.first + timedelta(days=1))
    plan(inside, (Tier(0, 300),), starts_on=following(HERE).first, person_id=inside.ana.id)
    days = (previous(HERE).last, HERE.last, following(HERE).last)
    paid = [pays(inside, inside.ana, opened(inside.ana, 100_00, day=day))[0].pay_minor for day in days]
    assert paid == [None, 1_00, 3_00]


def test_the_own_plan_counts_before_that_of_the_role(inside):
    plan(inside, (Tier(0, 100),), person_id=inside.ana.id, starts_on=previous(HERE).first)
    plan(inside, (Tier(0, 200),))
    assert pays(inside, inside.ana, opened(inside.ana, 100_00))[0].pay_minor == 1_00


def test_a_manager_is_measured_by_the_branch(inside):
    quota(inside.max, 1_000_00)
    plan(inside, role="manager")
    won(inside.ana, 700_00)
    won(inside.max, 500_00)
    rows = attained(inside, inside.ops)
    assert rows["Max"] == (1_200_00, 50_00 + 16_00)
    assert rows["Ana"] == (700_00, None)


def test_attainment_of_another_length_of_period_pays_nothing(inside):
    plan(inside, (Tier(0, 1_000),))
    won(inside.ana, 100_00)
    year = str(HERE.first.year)
    assert attained(inside, inside.ana) == {"Ana": (100_00, 10_00)}
    assert attained(inside, inside.ana, period=year) == {"Ana": (100_00, None)}


def test_a_past_instant_is_paid_by_the_plan_of_then(inside):
    plan(inside, (Tier(0, 100),))
    deal = opened(inside.ana, 100_00)
    then = now()
    plan(inside, (Tier(0, 200),))
    assert pays(inside, inside.ana, deal)[0].pay_minor == 2_00
    assert pays(inside, inside.ana, deal, as_of=then.isoformat())[0].pay_minor == 1_00


def test_a_plan_is_withdrawn_once(inside):
    first = plan(inside)
    with pytest.raises(Refused):
        pay_plan_withdraw(first.plan, author=inside.ops, reason=" ", now=now())
    pay_plan_withdraw(first.plan, author=inside.ops, reason="A slip", now=now())
    assert plans_standing(now()) == []
    with pytest.raises(Refused):
        pay_plan_withdraw(first.plan, author=inside.ops, reason="Again", now=now())


@pytest.mark.parametrize(
    "wrong",
    [
        {"reason": " "},
        {"cycle": "week"},
        {"role": "integration"},
        {"role": ""},
        {"person_id": "00000000-0000-0000-0000-000000000000"},
    ],
)
def test_what_makes_no_plan_is_refused(inside, wrong):
    with pytest.raises(Refused):
        plan(inside, **wrong)
    assert not PayPlan.objects.exists()


# Over the API and on pages.


def body(**more: Any) -> dict[str, Any]:
    tiers = [{"from_bp": 0, "rate_bp": 500}, {"from_bp": 10_000, "rate_bp": 800}]
    return {"starts_on": str(HERE.first), "tiers": tiers, "reason": "The year’s plan", "role": "rep"} | more


def test_administrators_write_plans_over_the_api_and_everybody_reads_their_own_pay(house):
    made = Caller(house.ops).post("pay/plans", body())
    assert made.status_code == 201, made.content
    assert Caller(house.ops).post("pay/plans", body(tiers=[{"from_bp": 1, "rate_bp": 1}])).status_code == 422
    assert Caller(house.max).post("pay/plans", body()).status_code == 403
    assert Caller(house.max).get("pay/plans").status_code == 403
    listed = Caller(house.ops).get("pay/plans").json()["results"]
    assert [row["id"] for row in listed] == [made.json()["id"]]
    with use(house.organization.id):
        quota(house.ana, 1_000_00)
        won(house.ana, 1_100_00)
    (row,) = Caller(house.ana).get("pay/attainment").json()["rows"]
    assert (row["attainment"], row["pay_minor"], row["is_pay_readable"]) == (1.1, 58_00, True)
    ended = Caller(house.ops).post(f"pay/plans/{made.json()['id']}/withdraw", {"reason": "A slip"})
    assert ended.json()["is_withdrawn"]
    with use(house.organization.id):
        actions = set(AuditEntry.objects.values_list("action", flat=True))
    assert {"pay_plan.set", "pay_plan.withdrawn"} <= actions


def open_up(house: House) -> None:
    house.organization.visibility = "open"
    with use(house.organization.id):
        house.organization.save(update_fields=["visibility"])


def test_whoever_sees_every_deal_doesnt_see_every_pay(house):
    """An open organization shows everybody every deal, and nobody what it pays a colleague."""
    Caller(house.ops).post("pay/plans", body(role="manager"))
    open_up(house)
    with use(house.organization.id):
        won(house.max, 100_00)
    rows = {row["name"].split()[0]: row for row in Caller(house.ana).get("pay/attainment").json()["rows"]}
    assert rows["Max"]["won_minor"] == 100_00
    assert (rows["Max"]["is_pay_readable"], rows["Max"]["pay_minor"], rows["Max"]["plan_id"]) == (
        False,
        None,
        None,
    )


def test_the_deal_page_leads_to_what_it_pays_for_its_people_only(house, signed_in):
    with use(house.organization.id):
        plan(house, (Tier(0, 500),))
        deal = opened(house.ana, 1_000_00)
        of_max = opened(house.max, 1_000_00)
    open_up(house)
    ana = signed_in(house.ana)
    address = house.url(f"deals/{deal.id}/pay/")
    assert address in ana.get(house.url(f"deals/{deal.id}/")).content.decode()
    page = ana.get(address).content.decode()
    assert "Would pay" in page and "50.00" in page
    part = ana.get(address, headers={"HX-Request": "true"}).content.decode()
    assert "Would pay" in part and "<html" not in part
    theirs = house.url(f"deals/{of_max.id}/pay/")
    assert theirs not in ana.get(house.url(f"deals/{of_max.id}/")).content.decode()
    assert ana.get(theirs).status_code == 404
    assert signed_in(house.max).get(address).status_code == 200


def test_the_settings_page_takes_a_plan_and_withdraws_it(house, signed_in):
    ops, address = signed_in(house.ops), house.url("settings/pay/")
    typed = {
        "whom": f"person:{house.ana.id}",
        "starts_on": str(HERE.first),
        "cycle": "quarter",
        "tiers": "0: 5\n100: 8.5",
        "reason": "Her own",
    }
    refused = ops.post(address, typed | {"tiers": "5"})
    assert refused.status_code == 422 and "is not a tier" in refused.content.decode()
    assert ops.post(address, typed).status_code == 302
    page = ops.get(address).content.decode()
    assert "8.5\u00a0%" in page and "Nobody has a plan" not in page
    with use(house.organization.id):
        made = PayPlan.objects.get()
    assert ops.post(house.url(f"settings/pay/{made.id}/withdraw/")).status_code == 302
    assert "Nobody has a plan" in ops.get(address).content.decode()
    with use(house.organization.id):
        step = UndoStep.objects.order_by("-created_at", "-id").first()
    assert step is not None
    ops.post(house.url(f"undo/{step.id}/"))
    assert "Nobody has a plan" not in ops.get(address).content.decode()
    assert signed_in(house.max).get(address).status_code == 403


def test_the_one_to_one_sheet_says_what_is_attained_and_paid_to_who_may_see_it(house, signed_in):
    sheet = house.url(f"team/{house.ana.id}/")
    with use(house.organization.id, person_id=house.ops.id, channel="ui"):
        quota(house.ana, 1_000_00)
        plan(house)
        won(house.ana, 900_00)
    for viewer, is_shown in ((house.ana, True), (house.max, True), (house.eve, True), (house.ria, False)):
        text = signed_in(viewer).get(sheet).content.decode()
        assert ("Pays so far" in text, "45.00\xa0EUR" in text) == (is_shown, is_shown), viewer
    text = (
        signed_in(house.max)
        .get(sheet, {"period": period_of(HERE.first, kind=Kind.MONTH).key})
        .content.decode()
    )
    assert "the plan pays by quarter" in text
