"""Alerts on the page, over the API and by mail: tried out first, kept, paused, removed; never more than one may see."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from forecasting.alerts.models import AlertDelivery, AlertRule
from forecasting.alerts.report import preview_report
from forecasting.alerts.services import hook_add
from forecasting.quotas.models import Quota
from otc.jobs.models import Job
from otc.notices.kinds import Ways
from otc.notices.models import Notice
from otc.notices.services import notice_choices_set
from otc.tenancy.context import use
from otc.tenancy.middleware import Tenant
from otc.undo.models import UndoStep
from pipeline.health.models import HealthChange
from pipeline.opportunities.models import Opportunity
from tests.api_client import Caller
from tests.conftest import House
from tests.forecasting.alerting import EVENTS, MILLION, QUARTER, big, look, rule, told


def lost_lately(house: House, make_deal: Any) -> Opportunity:
    with use(house.organization.id, channel="ui"):
        deal = big(make_deal, house)
        EVENTS["lost"](deal)
    return deal


def test_the_page_tries_an_alert_out_before_it_is_kept_and_keeps_it(house, make_deal, signed_in):
    lost_lately(house, make_deal)
    client = signed_in(house.max)
    assert "a deal is won" in client.get(house.url("alerts/new/")).content.decode()
    typed = {"name": "Large ones", "amount": "1m", "whose": "own", "in_app": "on", "scope": str(house.ana.id)}
    new = house.url("alerts/new/?kind=lost")
    tried = client.post(new, {**typed, "preview": "1"}).content.decode()
    assert "It would have fired 1 time in 30 days" in tried and "Kestrel (1,000,000 EUR) was lost" in tried
    assert (
        "never have fired" in client.post(new, {**typed, "amount": "1.1m", "preview": "1"}).content.decode()
    )
    with use(house.organization.id):
        assert not AlertRule.objects.exists()
    kept = client.post(new, typed, follow=True).content.decode()
    assert "1 alert watches" in kept and "at least 1.00\xa0M EUR" in kept
    with use(house.organization.id):
        one = AlertRule.objects.get()
    assert (one.owner_id, one.scope_id, one.amount_minor) == (house.max.id, house.ana.id, MILLION)
    assert client.get(house.url(f"alerts/{one.id}/")).status_code == 200
    refused = client.post(new, {**typed, "amount": "lots"})
    assert refused.status_code == 422 and "lots" in refused.content.decode()


def test_a_preview_holds_only_what_its_reader_may_see(house, make_deal, signed_in):
    lost_lately(house, make_deal)
    typed = {"name": "All", "amount": "", "in_app": "on", "scope": "", "preview": "1"}
    shown = signed_in(house.ana).post(house.url("alerts/new/?kind=lost"), typed).content.decode()
    assert "fired 1 time" in shown
    caller = Caller(house.jon)
    made = caller.post("alerts/rules", {"name": "All", "kind": "lost", "is_own": True}).json()
    assert caller.get(f"alerts/rules/{made['id']}/preview").json()["count"] == 0


@pytest.mark.parametrize(
    ("kind", "more"),
    [("silent", {"days": 20}), ("commit_at_risk", {}), ("coverage", {"times_hundredths": 300})],
)
def test_what_goes_on_is_previewed_from_when_it_began(house, make_deal, kind, more):
    now = timezone.now()
    with use(house.organization.id, channel="ui"):
        Quota(person=house.ana, period=QUARTER.key, amount_minor=MILLION).save()
        deal = big(make_deal, house, now=now - timedelta(days=25))
        HealthChange(
            opportunity=deal,
            at=now - timedelta(days=3),
            before=100,
            after=85,
            failing=["Commit at high risk"],
        ).save()
        one = rule(house, kind, **more)
        tenant = Tenant(house.organization, house.max, now)
        found = preview_report(one, tenant=tenant)
        expected = {"silent": 1, "commit_at_risk": 1, "coverage": 0}[kind]
        assert (found.count, len(found.shown)) == (expected, expected)
        if kind == "silent":
            assert abs(found.shown[0].at - (now - timedelta(days=5))) < timedelta(minutes=1)


def test_pause_resume_remove_and_undo(house, signed_in):
    with use(house.organization.id, channel="ui"):
        one = rule(house, "lost")
    client, act = signed_in(house.max), house.url(f"alerts/{one.id}/act/")
    for what, seen in (("pause", "Paused"), ("resume", "Pause"), ("remove", "No alert yet")):
        assert seen in client.post(act, {"act": what}, follow=True).content.decode()
    with use(house.organization.id):
        step = UndoStep.objects.latest("created_at")
    client.post(house.url(f"undo/{step.id}/"))
    with use(house.organization.id):
        assert AlertRule.objects.get().deleted_at is None
    assert client.post(act, {"act": "explode"}).status_code == 404


def test_a_sample_goes_to_who_asks_and_to_the_hook_alone(house, signed_in, settings):
    with use(house.organization.id, channel="ui"):
        hook = hook_add(name="Chat", url="https://example.org/", owner=house.eve, now=timezone.now()).hook
        one = rule(house, "lost", hook_id=hook.id, by_mail=True)
    answer = signed_in(house.eve).post(house.url(f"alerts/{one.id}/act/"), {"act": "test"}, follow=True)
    assert "below your bell and by mail and to its webhook" in answer.content.decode()
    with use(house.organization.id):
        assert (len(told(house, "eve")), told(house)) == (1, [])
        assert AlertDelivery.objects.get().content["type"] == "alert.sample"
        assert Job.objects.filter(kind="notice_mail").count() == 1


def test_a_hook_hears_of_what_its_maker_may_see_and_of_nothing_else(inside, make_deal):
    deal = big(make_deal, inside)
    for name in ("jon", "eve"):
        made = hook_add(name=name, url="https://example.org/", owner=inside.people[name], now=timezone.now())
        rule(inside, "lost", name=name, person_ids=(), hook_id=made.hook.id)
    EVENTS["lost"](deal)
    assert look(deal) == 2
    delivery = AlertDelivery.objects.get()
    assert delivery.hook.name == "eve"
    assert delivery.content["data"]["after"]["amount_minor"] == MILLION


def test_a_mail_is_asked_for_unless_its_reader_chose_otherwise(inside, make_deal):
    deal = big(make_deal, inside)
    notice_choices_set(inside.eve.id, ways={"alert": Ways(in_app=True, in_digest=False, is_mailed=False)})
    rule(inside, "lost", person_ids=(inside.max.id, inside.eve.id), by_mail=True, in_app=False)
    EVENTS["lost"](deal)
    look(deal)
    shown = {notice.person_id: notice.is_shown for notice in Notice.objects.filter(kind="alert")}
    assert shown == {inside.max.id: False, inside.eve.id: True}
    assert Job.objects.filter(kind="notice_mail").count() == 1


def test_who_keeps_no_alerts_of_the_organization_sees_none_of_them(house, elsewhere, make_deal, signed_in):
    with use(house.organization.id, channel="ui"):
        one = rule(house, "lost")
        deal = big(make_deal, house)
        EVENTS["lost"](deal)
        look(deal)
    assert signed_in(house.ana).get(house.url(f"alerts/{one.id}/")).status_code == 404
    assert signed_in(house.ana).get(house.url("alerts/hooks/")).status_code == 403
    assert "Nothing fired" in signed_in(house.ana).get(house.url("alerts/fired/")).content.decode()
    assert "was lost" in signed_in(house.max).get(house.url("alerts/fired/")).content.decode()
    assert Caller(house.ana).get("alerts/fired").json()["results"] == []
    assert len(Caller(house.max).get("alerts/fired").json()["results"]) == 1
    assert Caller(elsewhere.zoe).get(f"alerts/rules/{one.id}").status_code == 404


def test_rules_over_the_api(house):
    max_ = Caller(house.max)
    body = {"name": "Big", "kind": "fell", "percent": 20, "scope_id": str(house.max.id), "tells_owner": True}
    made = max_.post("alerts/rules", {**body, "is_own": False})
    assert made.status_code == 201 and made.json()["owner_id"] is None
    path = f"alerts/rules/{made.json()['id']}"
    changed = max_.call("put", path, {**body, "percent": 30, "in_app": True})
    assert (changed.status_code, changed.json()["percent"]) == (200, 30)
    assert max_.patch(path, {"is_paused": True}).json()["paused_at"]
    assert max_.post(f"{path}/test").status_code == 202
    assert max_.delete(path).status_code == 204 and max_.get(path).status_code == 404
    no_percent = {name: value for name, value in body.items() if name != "percent"}
    refused = max_.post("alerts/rules", {**no_percent, "is_own": False})
    assert (refused.status_code, list(refused.json()["error"]["fields"])) == (422, ["percent"])
    ana = Caller(house.ana).post("alerts/rules", {**body, "is_own": False, "scope_id": str(house.ana.id)})
    assert list(ana.json()["error"]["fields"]) == ["is_own"]
    hook = max_.post("alerts/hooks", {"name": "Chat", "url": "https://example.org/x"})
    assert hook.json()["secret"].startswith("whsec_")
    assert "secret" not in max_.get("alerts/hooks").json()["results"][0]
    assert max_.delete(f"alerts/hooks/{hook.json()['id']}").status_code == 204
