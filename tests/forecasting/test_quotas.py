"""Quotas: what was asked when, all or none, ramps and years shared out, on the page and over the API."""

from datetime import date, timedelta

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from forecasting.quotas.block import block_read
from forecasting.quotas.models import EVER, Quota
from forecasting.quotas.queries import branch_quota, quotas_of
from forecasting.quotas.rules import Ramp, ramped, read_shares, read_weights, shared_out
from forecasting.quotas.services import QuotasRefused, QuotaWish, put_quotas_back, quotas_set, ramp_set
from otc.audit.models import AuditEntry
from otc.calendar.rules import CALENDAR_YEARS, parse_period
from otc.tenancy.context import use
from otc.tenancy.lines import Chart
from otc.tenancy.models import FOREVER
from otc.undo.models import UndoStep
from otc.undo.registry import CantUndo
from tests.api_client import Caller

Q4 = parse_period("2026-Q4")


def set_to(house, amount_minor, *, person=None, period="2026-Q4", now=None, **more):
    wish = QuotaWish((person or house.ana).id, period, amount_minor, **more)
    return quotas_set(
        house.organization, [wish], author=house.ops, calendar=CALENDAR_YEARS, now=now or timezone.now()
    )


def asked(house, known=None):
    return quotas_of(Q4, own="EUR", currency="EUR", known=known or timezone.now())


@pytest.mark.django_db
def test_a_change_holds_from_then_on_and_a_past_day_keeps_what_was_asked_then(inside):
    monday = timezone.now() - timedelta(days=7)
    set_to(inside, 100, now=monday)
    set_to(inside, 150)
    assert asked(inside) == {inside.ana.id: 150}
    assert asked(inside, monday + timedelta(days=1)) == {inside.ana.id: 100}
    # The first one took nobody's place: it counts for the days before it, too.
    assert asked(inside, monday - timedelta(days=30)) == {inside.ana.id: 100}
    assert list(Quota.objects.order_by("valid_from").values_list("amount_minor", flat=True)) == [100, 150]


@pytest.mark.django_db
def test_a_quota_that_ends_is_none_from_then_on(inside):
    monday = timezone.now() - timedelta(days=7)
    set_to(inside, 100, now=monday)
    set_to(inside, None)
    assert asked(inside) == {}
    assert asked(inside, monday) == {inside.ana.id: 100}


@pytest.mark.django_db
def test_the_same_again_changes_nothing(inside):
    set_to(inside, 100)
    assert set_to(inside, 100).changed == 0
    assert Quota.objects.count() == 1
    assert AuditEntry.objects.filter(action="quota.set").count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"period": "2026-Q9"}, "period"),
        ({"period": "2026-W03"}, "period"),
        ({"amount_minor": -1}, "amount_minor"),
        ({"currency": "XXX"}, "currency"),
        ({"currency": "USD"}, "currency"),
        ({"person_id": "00000000-0000-7000-8000-000000000000"}, "person_id"),
        ({"type_id": "00000000-0000-7000-8000-000000000000"}, "type_id"),
    ],
)
def test_one_wrong_row_writes_none_and_says_which(inside, wrong, field):
    good = {"person_id": inside.ana.id, "period": "2026-Q4", "amount_minor": 100}
    wishes = [QuotaWish(**good, row=1), QuotaWish(**{**good, "period": "2026-Q3", **wrong}, row=2)]
    with pytest.raises(QuotasRefused) as refusal:
        quotas_set(
            inside.organization, wishes, author=inside.ops, calendar=CALENDAR_YEARS, now=timezone.now()
        )
    assert [(fault.row, fault.field) for fault in refusal.value.faults] == [(2, field)]
    assert not Quota.objects.exists()


@pytest.mark.django_db
def test_who_left_is_asked_for_nothing_later(inside):
    inside.ana.left_on = date(2026, 9, 1)
    inside.ana.save()
    with pytest.raises(QuotasRefused, match="left on 2026-09-01"):
        set_to(inside, 100)
    assert set_to(inside, 100, period="2026-Q2").changed == 1


@pytest.mark.django_db
def test_undo_brings_back_what_was_unless_somebody_changed_it_again(house, signed_in):
    browser = signed_in(house.ops)
    page = f"/o/{house.organization.slug}/forecast/quotas/"
    form = {"year": "2026", f"was:{house.ana.id}:2026-Q4": "", f"q:{house.ana.id}:2026-Q4": "780k"}
    assert browser.post(f"{page}save/", form).status_code == 302
    with use(house.organization.id, person_id=house.ops.id, channel="ui"):
        assert asked(house) == {house.ana.id: 780_000_00}
        step = UndoStep.objects.get(kind="quotas")
        assert put_quotas_back(step.payload) == "The quotas are as they were"
        assert asked(house) == {}
        set_to(house, 5)
        with pytest.raises(CantUndo):
            put_quotas_back(step.payload)


def test_a_ramp_asks_for_its_share_of_each_day():
    ramp = Ramp(date(2026, 11, 1), (50,))
    # October has nothing of its 31 days, November half of 30, December all 31.
    assert ramped(9_200, first=Q4.first, end=Q4.end, ramp=ramp) == 9_200 * (15 + 31) // 92
    assert ramped(9_200, first=Q4.first, end=Q4.end, ramp=None) == 9_200
    assert ramped(100, first=date(2027, 1, 1), end=date(2027, 4, 1), ramp=ramp) == 100


@given(
    amount=st.integers(0, 10**12),
    shares=st.lists(st.integers(0, 100), max_size=12),
    start=st.dates(date(2025, 1, 1), date(2027, 12, 31)),
)
def test_a_ramp_never_asks_for_more_and_in_the_end_for_all(amount, shares, start):
    ramp = Ramp(start, tuple(shares))
    assert 0 <= ramped(amount, first=Q4.first, end=Q4.end, ramp=ramp) <= amount
    later = date(start.year + 3, 1, 1)
    assert ramped(amount, first=later, end=later + timedelta(days=90), ramp=ramp) == amount


@given(amount=st.integers(0, 10**15), weights=st.lists(st.integers(0, 1000), min_size=1, max_size=12))
def test_a_year_that_is_shared_out_adds_up(amount, weights):
    if not any(weights):
        with pytest.raises(ValueError, match="above zero"):
            shared_out(amount, weights=weights)
    else:
        assert sum(shared_out(amount, weights=weights)) == amount


def test_what_is_typed_for_a_ramp_and_for_weights_is_read_or_refused():
    assert read_shares("25, 50 75%") == (25, 50, 75)
    assert read_shares("") == ()
    assert read_weights("20 22 24 34", count=4) == [20, 22, 24, 34]
    assert read_weights("", count=4) == [1, 1, 1, 1]
    for wrong in ("half", "300", " ".join(["1"] * 30)):
        with pytest.raises(ValueError, match=r"percentage|months"):
            read_shares(wrong)
    with pytest.raises(ValueError, match="whole numbers"):
        read_weights("1 2", count=4)


@pytest.mark.django_db
def test_a_new_rep_s_ramp_counts_in_reports_from_when_it_was_said(inside):
    before = timezone.now()
    set_to(inside, 9_200, now=before)
    ramp_set(inside.ana, Ramp(date(2026, 11, 1), (50,)), author=inside.ops, now=timezone.now())
    assert asked(inside, before) == {inside.ana.id: 9_200}
    assert asked(inside) == {inside.ana.id: 4_600}
    ramp_set(inside.ana, None, author=inside.ops, now=timezone.now())
    assert asked(inside) == {inside.ana.id: 9_200}


@pytest.mark.django_db
def test_a_year_asks_for_what_its_quarters_do_and_a_quarter_for_its_months(inside):
    chart = Chart({inside.max.id: None, inside.ana.id: inside.max.id, inside.jon.id: inside.max.id})

    def year(person, key="2026"):
        found = quotas_of(parse_period(key), own="EUR", currency="EUR", known=timezone.now())
        return branch_quota(person.id, chart=chart, quotas=found)

    assert year(inside.max) is None
    # In the first quarter the team's own quota counts, in the others what its reports have.
    for person, key, amount in (
        (inside.max, "2026-Q1", 1_000),
        (inside.ana, "2026-Q1", 200),
        (inside.ana, "2026-Q3", 300),
        (inside.jon, "2026-Q4", 50),
    ):
        set_to(inside, amount, person=person, period=key)
    assert (year(inside.max), year(inside.ana), year(inside.jon)) == (1_350, 500, 50)
    assert (year(inside.max, "2026-W40"), year(inside.max, "2026-11"), year(inside.max, "2025")) == (
        None,
    ) * 3
    # A ramp leaves of each quarter what it leaves of that one.
    ramp_set(inside.jon, Ramp(date(2026, 10, 1), (50, 50, 50)), author=inside.ops, now=timezone.now())
    assert year(inside.jon) == year(inside.jon, "2026-Q4") == 25
    # Months count only where nobody is asked for a quarter, and the year's own quota before both.
    set_to(inside, 7, period="2027-02")
    assert (year(inside.max, "2027-Q1"), year(inside.max, "2027"), year(inside.max, "2027-Q2")) == (
        7,
        7,
        None,
    )
    set_to(inside, 9_999, person=inside.max, period="2026")
    assert (year(inside.max), year(inside.ana)) == (9_999, None)


def test_a_team_without_a_quota_has_the_sum_of_its_reports():
    chart = Chart({"top": None, "max": "top", "ana": "max", "jon": "max"})
    assert branch_quota("top", chart=chart, quotas={"ana": 3, "jon": 4}) == 7
    assert branch_quota("top", chart=chart, quotas={"max": 5, "ana": 3}) == 5
    assert branch_quota("top", chart=chart, quotas={}) is None


@pytest.mark.django_db
def test_lines_are_read_by_mail_or_name_with_or_without_a_head(inside):
    inside.ana.email = "ana@halden.example"
    inside.ana.save()
    lines = "Person\tQuota\tQuarter\nana@halden.example\t780k\t2026-Q4\nMax Brandt\t1.2m\t2026-Q4\nNobody\t1\t2026-Q4\n"
    block = block_read(lines, currency="EUR")
    assert [(one.person_id, one.amount_minor, one.period) for one in block.wishes] == [
        (inside.ana.id, 780_000_00, "2026-Q4"),
        (inside.max.id, 1_200_000_00, "2026-Q4"),
    ]
    assert [(one.row, one.field) for one in block.faults] == [(4, "person")]
    assert block_read("Ana Ruiz;2026-Q4;100", currency="EUR").wishes[0].amount_minor == 100_00


@pytest.mark.django_db
def test_a_pasted_block_is_checked_first_and_written_whole(house, signed_in):
    browser = signed_in(house.ops)
    page = f"/o/{house.organization.slug}/forecast/quotas/paste/"
    block = "Ana Ruiz\t2026-Q4\t100\nJonas Feld\t2026-Q4\t200"
    checked = browser.post(page, {"block": block, "year": "2026", "act": "check"})
    assert "2 quotas can be written" in checked.content.decode()
    assert browser.post(page, {"block": block, "year": "2026", "act": "write"}).status_code == 302
    refused = browser.post(page, {"block": block + "\nZoe\t2026-Q4\t3", "year": "2026", "act": "write"})
    assert refused.status_code == 422
    assert "Line 3: Nobody is called “Zoe”" in refused.content.decode()


@pytest.mark.django_db
def test_what_can_not_be_read_comes_back_as_it_was_typed(house, signed_in):
    browser = signed_in(house.ops)
    form = {"year": "2026", f"was:{house.ana.id}:2026-Q4": "", f"q:{house.ana.id}:2026-Q4": "lots"}
    answer = browser.post(f"/o/{house.organization.slug}/forecast/quotas/save/", form)
    assert answer.status_code == 422
    assert 'value="lots"' in answer.content.decode()


@pytest.mark.django_db
def test_a_manager_sees_quotas_and_may_not_set_them(house, signed_in):
    browser = signed_in(house.max)
    page = f"/o/{house.organization.slug}/forecast/quotas/"
    assert b'name="q:' not in browser.get(page).content
    assert browser.post(f"{page}save/", {}).status_code == 403


@pytest.mark.django_db
def test_a_page_of_a_year_adds_up_and_its_csv_says_the_same(house, signed_in):
    with use(house.organization.id, channel="ui"):
        for person, amount in ((house.ana, 100_00), (house.jon, 250_00)):
            set_to(house, amount, person=person)
    browser = signed_in(house.eve)
    page = f"/o/{house.organization.slug}/forecast/quotas/?year=2026"
    assert "asks for" in browser.get(page).content.decode()
    csv = browser.get(f"{page}&format=csv").content.decode()
    assert "Ana Ruiz" in csv and "10000" in csv
    story = browser.get(f"/o/{house.organization.slug}/forecast/quotas/{house.ana.id}/2026-Q4/")
    assert "from the beginning" in story.content.decode()


@pytest.mark.django_db
def test_many_are_written_over_the_api_all_or_none(house):
    caller = Caller(house.ops)
    rows = [{"person_id": str(house.ana.id), "period": "2026-Q4", "amount_minor": 100}]
    assert caller.post("/api/v1/quotas", {"quotas": rows, "dry_run": True}).json()["changed"] == 0
    assert caller.post("/api/v1/quotas", {"quotas": rows}).json() == {"changed": 1, "kept": 0, "faults": []}
    wrong = [*rows, {"email": "nobody@example.org", "period": "2026-Q4", "amount_minor": 1}]
    answer = caller.post("/api/v1/quotas", {"quotas": wrong})
    assert answer.status_code == 422
    assert answer.json()["faults"][0]["row"] == 2
    [listed] = caller.get("/api/v1/quotas?period=2026-Q4").json()["results"]
    assert (listed["amount_minor"], listed["valid_to"][:4]) == (100, "9999")
    assert caller.get("/api/v1/quotas?at=2026-01-01T00:00Z").json()["results"][0]["amount_minor"] == 100


def test_dates_of_quotas_are_half_open():
    assert EVER < timezone.now() < FOREVER
