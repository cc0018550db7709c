"""A lead becomes a deal in one step or goes back with a reason; both can be taken back; seen as deals are."""

import csv
import io
from typing import Any

import pytest
from django.utils import timezone

from otc.audit.models import AuditEntry
from otc.tenancy.context import use
from pipeline.accounts.models import Account, Contact
from pipeline.accounts.services import account_create, contact_create
from pipeline.leads.models import Lead, LeadCheck, LeadMark
from pipeline.leads.rules import LeadRefused
from pipeline.leads.services import Conversion, checklist_set, lead_convert, lead_create, lead_marks_set
from pipeline.opportunities.models import Opportunity
from pipeline.opportunities.services import opportunity_close, opportunity_create, opportunity_edit
from pipeline.process.models import CloseReason
from postmortem.winloss.rules import Closed, win_rate, win_rate_by_amount
from tests.api_client import NEXT_STEP, Caller
from tests.pipeline.loading import load, refusals  # noqa: F401  # a fixture

SIGNALLING = {"name": "Signalling", "next_step": "Call them", "next_step_on": "+1w"}


def make(house: Any, **fields: Any) -> Lead:
    with use(house.organization.id, channel="ui"):
        given = {
            "company": "Kestrel Rail",
            "owner_id": house.ana.id,
            "source": "Fair",
            "campaign": "Rail 2026",
        }
        return lead_create(now=timezone.now(), **given | fields)


def stored(house: Any, lead: Lead) -> Lead:
    with use(house.organization.id):
        found: Lead = Lead.objects.get(id=lead.id)
        return found


def test_a_lead_is_called_by_what_is_known_of_it(inside: Any) -> None:
    now = timezone.now()
    assert lead_create(now=now, company="Kestrel Rail", email="a@k.example").name == "Kestrel Rail"
    assert lead_create(now=now, email="a@k.example").name == "a@k.example"
    with pytest.raises(LeadRefused, match="name the company"):
        lead_create(now=now, source="Fair")


def test_one_step_makes_account_contact_and_a_deal_that_says_where_it_came_from(
    house: Any, signed_in: Any
) -> None:
    lead = make(house, contact_name="Helena Strand", email="h@kestrel.example")
    client = signed_in(house.ana)
    typed = SIGNALLING | {"account": "Kestrel Rail", "amount": "12k", "close_date": "+2w"}
    page = client.post(house.url(f"leads/{lead.id}/convert/"), typed, follow=True)
    assert page.status_code == 200 and page.resolver_match.url_name == "deal"
    with use(house.organization.id):
        deal = Opportunity.objects.get()
        assert (deal.source, deal.attributes["campaign"], deal.amount_minor) == (
            "Fair",
            "Rail 2026",
            12_000_00,
        )
        assert (deal.account.name, deal.owner_id) == ("Kestrel Rail", house.ana.id)
        assert Contact.objects.get().email == "h@kestrel.example"
        assert Lead.objects.get().opportunity_id == deal.id
    [message] = list(page.context["messages"])
    said = client.post(message.extra_tags, follow=True).content.decode()
    assert "is a lead again" in said
    found = stored(house, lead)
    assert (found.state, found.opportunity_id, found.decided_at) == ("open", None, None)
    with use(house.organization.id):
        assert Opportunity.objects.get().deleted_at is not None
        assert {"lead.converted", "lead.conversion_undone"} <= set(
            AuditEntry.objects.values_list("action", flat=True)
        )


@pytest.mark.parametrize("missing", ["next_step", "next_step_on"])
def test_a_deal_from_a_lead_is_asked_for_its_next_step(house: Any, signed_in: Any, missing: str) -> None:
    lead = make(house)
    answer = signed_in(house.ana).post(house.url(f"leads/{lead.id}/convert/"), SIGNALLING | {missing: ""})
    assert answer.status_code == 422 and "next step" in answer.content.decode()
    assert stored(house, lead).state == "open"


def test_who_is_known_is_not_added_again(inside: Any) -> None:
    account = account_create(name="Kestrel Rail")
    contact = contact_create(account.id, name="Helena Strand", email="H@kestrel.example")
    lead = lead_create(now=timezone.now(), company="kestrel rail", email="h@Kestrel.example")
    lead_convert(lead.id, conversion=Conversion(name="Signalling"), now=timezone.now())
    assert Account.objects.count() == Contact.objects.count() == 1
    assert Lead.objects.get().contact_id == contact.id


def test_a_deal_that_somebody_changed_is_not_taken_back(house: Any, signed_in: Any) -> None:
    lead = make(house)
    client = signed_in(house.ana)
    page = client.post(house.url(f"leads/{lead.id}/convert/"), SIGNALLING, follow=True)
    [message] = list(page.context["messages"])
    with use(house.organization.id, channel="ui"):
        opportunity_edit(Opportunity.objects.get().id, changes={"amount_minor": 1_00})
    said = client.post(message.extra_tags, follow=True).content.decode()
    assert "Somebody changed the deal since" in said
    assert stored(house, lead).state == "converted"


def test_back_with_a_reason_and_open_again(house: Any, signed_in: Any) -> None:
    lead = make(house)
    client = signed_in(house.ana)
    assert client.post(house.url(f"leads/{lead.id}/return/"), {}).status_code == 422
    page = client.post(
        house.url(f"leads/{lead.id}/return/"), {"reason": "no_budget", "note": "Next year"}, follow=True
    )
    assert (stored(house, lead).state, stored(house, lead).return_note) == ("returned", "Next year")
    late = client.post(house.url(f"leads/{lead.id}/convert/"), SIGNALLING, follow=True)
    assert "returned already" in late.content.decode()
    [message] = list(page.context["messages"])
    client.post(message.extra_tags)
    assert (stored(house, lead).state, stored(house, lead).return_reason) == ("open", "")


def test_leads_are_seen_along_the_line(house: Any, signed_in: Any) -> None:
    mine, his = make(house), make(house, company="Corbel", owner_id=house.jon.id)
    seen = {
        who: {
            row.name for row in signed_in(getattr(house, who)).get(house.url("leads/")).context["report"].rows
        }
        for who in ("ana", "max")
    }
    assert seen == {"ana": {"Kestrel Rail"}, "max": {"Kestrel Rail", "Corbel"}}
    assert signed_in(house.ana).get(house.url(f"leads/{his.id}/")).status_code == 404
    assert signed_in(house.ana).get(house.url(f"leads/{mine.id}/")).status_code == 200
    assert (
        signed_in(house.ria).post(house.url(f"leads/{mine.id}/return/"), {"reason": "other"}).status_code
        == 403
    )


def test_the_checklist_counts_what_holds_of_what_is_asked_today(house: Any, signed_in: Any) -> None:
    lead = make(house)
    admin = signed_in(house.ops)
    asked = {"id": ["", ""], "text": ["Has budget", "Decides this year"], "points": ["3", "2"]}
    assert admin.post(house.url("leads/checklist/"), asked).status_code == 302
    assert signed_in(house.ana).get(house.url("leads/checklist/")).status_code == 403
    with use(house.organization.id, channel="ui"):
        budget, year = LeadCheck.objects.all()
    client = signed_in(house.ana)
    client.post(house.url(f"leads/{lead.id}/checks/"), {"check": [str(budget.id)]})
    page = client.get(house.url(f"leads/{lead.id}/"))
    assert page.context["fit"].text == "3 of 5"
    admin.post(house.url("leads/checklist/"), {"id": [str(year.id)], "text": ["Decides"], "points": ["4"]})
    assert client.get(house.url(f"leads/{lead.id}/")).context["fit"].text == "0 of 4"
    assert client.get(house.url("leads/")).context["report"].rows[0].fit.text == "0 of 4"
    with use(house.organization.id):
        assert LeadMark.objects.count() == 1


def test_a_question_that_is_gone_is_refused(inside: Any) -> None:
    lead = lead_create(now=timezone.now(), company="Kestrel")
    checklist_set([(None, "Has budget", 1)], now=timezone.now())
    gone = LeadCheck.objects.get()
    checklist_set([], now=timezone.now())
    with pytest.raises(LeadRefused, match="no longer on the checklist"):
        lead_marks_set(lead.id, check_ids=[gone.id], now=timezone.now())


def furnished_sources(house: Any) -> None:
    """Of five leads of the fair: two won, one lost, one open, one waiting; one of the web went back."""
    reason = None
    now = timezone.now()
    with use(house.organization.id, channel="ui"):
        reason = CloseReason.objects.get(name="Price")
        for outcome, amount in (("won", 30_00), ("won", 10_00), ("lost", 60_00), ("open", 5_00)):
            lead = lead_create(now=now, company=outcome, source="Fair", owner_id=house.ana.id)
            deal, _ = lead_convert(lead.id, conversion=Conversion(name=outcome, amount_minor=amount), now=now)
            if outcome != "open":
                opportunity_close(deal.id, outcome=outcome, reason_id=reason.id, now=now, today=now.date())
        lead_create(now=now, company="waits", source="Fair", owner_id=house.ana.id)
        lead_create(now=now, company="web", source="Web", owner_id=house.jon.id)
        opportunity_create(name="No lead", source="Fair", owner_id=house.ana.id, now=now)


def test_sources_say_what_became_of_leads_on_page_file_and_api_alike(house: Any, signed_in: Any) -> None:
    furnished_sources(house)
    client = signed_in(house.max)
    page = client.get(house.url("leads/sources/"))
    fair, web = page.context["report"].rows
    closed = Closed(won=2, lost=1, won_minor=40_00, lost_minor=60_00)
    assert (fair.leads, fair.converted, fair.waiting, fair.open_deals, fair.closed) == (5, 4, 1, 1, closed)
    assert (fair.rates.win_rate, fair.rates.win_rate_by_amount) == (
        win_rate(closed),
        win_rate_by_amount(closed),
    )
    assert (web.leads, web.closed.count, web.rates.win_rate) == (1, 0, None)
    text = b"".join(client.get(house.url("leads/sources/?format=csv"))).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [(row["source"], row["won"], row["won_minor"]) for row in rows[:2]] == [
        ("Fair", "2", "4000"),
        ("Web", "0", "0"),
    ]
    answer = Caller(house.max).get("/api/v1/lead-sources").json()
    assert [(row["source"], row["won"], row["win_rate"]) for row in answer["rows"]] == [
        ("Fair", 2, pytest.approx(2 / 3)),
        ("Web", 0, None),
    ]
    assert answer["total"]["leads"] == 6


def test_a_rep_learns_from_own_leads_only(house: Any, signed_in: Any) -> None:
    furnished_sources(house)
    report = signed_in(house.ana).get(house.url("leads/sources/")).context["report"]
    assert [row.source for row in report.rows] == ["Fair"]


def test_the_api_takes_a_lead_from_creation_to_deal(house: Any) -> None:
    caller = Caller(house.ana)
    made = caller.post(
        "/api/v1/leads", {"company": "Kestrel", "source": "Web", "owner_id": str(house.ana.id)}
    )
    assert made.status_code == 201, made.content
    lead = made.json()
    address = f"/api/v1/leads/{lead['id']}"
    assert caller.patch(address, {"campaign": "Spring"}).json()["campaign"] == "Spring"
    bare = caller.post(f"{address}/convert", {"amount_minor": 100})
    assert bare.status_code == 400 and bare.json()["error"]["fields"].keys() == NEXT_STEP.keys()
    done = caller.post(f"{address}/convert", {"amount_minor": 100, **NEXT_STEP}).json()
    assert done["state"] == "converted" and done["opportunity_id"]
    assert caller.post(f"{address}/return", {"reason": "other"}).status_code == 422
    assert [row["id"] for row in caller.get("/api/v1/leads?state=converted").json()["results"]] == [
        lead["id"]
    ]


HOSTILE = "<script>alert(1)</script> שלום 🚆" + "x" * 200


def test_any_name_is_shown_as_it_is(house: Any, signed_in: Any) -> None:
    lead = make(house, company=HOSTILE)
    text = signed_in(house.ana).get(house.url(f"leads/{lead.id}/")).content.decode()
    assert "<script>alert(1)" not in text and "שלום 🚆" in text


def test_leads_come_by_file_and_what_is_decided_stays(inside: Any, load: Any) -> None:  # noqa: F811  the fixture imported above
    text = "external_id,name,company,email,source,campaign,owner\nL1,Depot,Kestrel,a@k.example,Fair,Rail,Ana Ruiz\n"
    assert load("leads", text).created_count == 1
    lead = Lead.objects.get()
    assert (lead.name, lead.source, lead.owner_id, lead.state) == ("Depot", "Fair", inside.ana.id, "open")
    assert load("leads", text.replace("Rail", "Spring")).updated_count == 1
    lead_convert(lead.id, conversion=Conversion(name="Depot"), now=timezone.now())
    [(_, _, why)] = refusals(load("leads", text.replace("Fair", "Web")))
    assert "decided about already" in why
    assert (Lead.objects.get().source, Lead.objects.get().campaign) == ("Fair", "Spring")
