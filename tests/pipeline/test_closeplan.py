"""A buyer opens a plan by link: sees what is his, ticks and comments; a link that is over tells nothing."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from otc.audit.models import AuditEntry
from otc.notices.models import Notice
from pipeline.closeplan.links import hash_of, new_token
from pipeline.closeplan.models import ClosePlanEvent, ClosePlanLink
from pipeline.closeplan.rules import MOST_CHARACTERS
from pipeline.closeplan.services import link_revoke, plan_set
from pipeline.opportunities.milestones import milestone_mark
from pipeline.opportunities.models import Opportunity
from pipeline.opportunities.services import (
    opportunity_close,
    opportunity_delete,
)
from pipeline.process.models import CloseReason, Milestone, Stage
from tests.conftest import House
from tests.days import day_in_house
from tests.pipeline.shared_plan import HOSTILE, Share, SignIn


def test_the_buyer_sees_his_steps_and_nothing_of_ours_that_was_not_chosen(share: Share) -> None:
    page = share.get()
    text = page.content.decode()
    assert page.status_code == 200 and "Budget approved" in text and "Kestrel Rail and Halden Systems" in text
    secrets = (
        "squeeze",
        "386,000",
        "Bluff",
        "Penetration test",
        "Max Brandt",
        "Qualif",
        "health",
        "/o/halden",
    )
    assert [word for word in secrets if word in text] == []
    with share.inside():
        stage = Stage.objects.get(id=share.deal.stage_id)
        chosen = {"person_ids": [share.house.max.id], "milestone_ids": [share.ours.id]}
        plan_set(share.deal.id, title=f"Our way {HOSTILE}", **chosen)
    text = share.get().content.decode()
    assert "Penetration test" in text and "Max Brandt" in text and "Ana Ruiz" not in text
    assert "<script>alert" not in text and "&lt;script&gt;" in text and stage.objective not in text


def test_no_cookie_no_cache_no_index_no_referrer(share: Share) -> None:
    for answer in (share.get(), share.get("forged"), share.tick(share.theirs), share.say("")):
        assert not answer.cookies
        assert "no-store" in answer["Cache-Control"] and answer["Referrer-Policy"] == "no-referrer"
        assert "noindex" in answer["X-Robots-Tag"]
        assert "unsafe-inline" not in answer["Content-Security-Policy"]


def test_a_tick_is_the_deals_and_bears_the_recipients_name(share: Share) -> None:
    answer = share.tick(share.theirs)
    assert (answer.status_code, answer["Location"]) == (303, f"/plan/{share.token}/#step-{share.theirs.id}")
    mark = share.marks()[share.theirs.id]
    assert mark.met_at and mark.marked_by_id is None and mark.ticked_by == "Lena Vogt"
    assert 'by <span dir="auto">Lena Vogt</span>' in share.get().content.decode()
    with share.inside():
        notice = Notice.objects.get(kind="close_plan")
        assert notice.person_id == share.house.ana.id and "Lena Vogt ticked “Budget approved”" in notice.text
    share.tick(share.theirs)
    assert share.tick(share.theirs, "open").status_code == 303 and share.theirs.id not in share.marks()
    with share.inside():
        acts = list(ClosePlanEvent.objects.order_by("at").values_list("act", flat=True))
        assert acts == ["met", "open"], "ticking what is ticked says nothing"


def test_every_tick_and_comment_is_in_the_timeline_also_what_was_taken_back(share: Share) -> None:
    share.tick(share.theirs)
    share.tick(share.theirs, "open")
    share.say("We wait for legal")
    by = "by Lena Vogt via close plan"
    assert share.told() == [
        ("We wait for legal", f"Comment {by}"),
        ("Milestone open again: Budget approved", by),
        ("Milestone met: Budget approved", by),
    ]


@pytest.mark.parametrize("whose", ["ours", "shown", "stranger", "garbage", "retired", "waived"])
def test_only_the_buyers_own_steps_can_be_ticked(share: Share, whose: str) -> None:
    milestone: Any = share.ours
    with share.inside():
        if whose == "shown":
            plan_set(share.deal.id, title="T", person_ids=[], milestone_ids=[share.ours.id])
        elif whose == "stranger":
            milestone = uuid4()
        elif whose == "retired":
            milestone = share.theirs
            Milestone.objects.filter(id=milestone.id).update(retired_at=timezone.now())
        elif whose == "waived":
            milestone = share.theirs
            milestone_mark(share.deal.id, milestone_id=milestone.id, state="waived", now=timezone.now())
    before = share.marks()
    answer = (
        share.browser.post(f"/plan/{share.token}/tick/", {"milestone": "x"})
        if whose == "garbage"
        else share.tick(milestone)
    )
    assert answer.status_code == 422 and 'role="alert"' in answer.content.decode()
    assert share.marks().keys() == before.keys()


def test_what_we_marked_is_not_the_buyers_to_open_and_its_evidence_stays(share: Share) -> None:
    with share.inside():
        now = timezone.now()
        milestone_mark(share.deal.id, milestone_id=share.theirs.id, state="met", now=now, note="By phone")
    page = share.get().content.decode()
    assert "Done" in page and f"tick-{share.theirs.id}" not in page and f"tick-{share.other.id}" in page
    assert share.tick(share.theirs, "open").status_code == 422
    assert share.marks()[share.theirs.id].note == "By phone"


def test_a_comment_is_text_whatever_it_holds_and_too_long_a_one_stays_typed(share: Share) -> None:
    assert share.say(HOSTILE + "\nsecond line\x07", str(share.theirs.id)).status_code == 303
    long = "ä🚂" * (MOST_CHARACTERS // 2)
    assert share.say(long).status_code == 303
    with share.inside():
        texts = list(ClosePlanEvent.objects.order_by("at").values_list("text", flat=True))
        assert texts == [HOSTILE + "\nsecond line", long]
    page = share.get().content.decode()
    assert "<script>alert" not in page and "second line" in page and "{{ 7|add:7 }}" in page
    answer = share.say(long + "!")
    assert answer.status_code == 422 and "10,001 characters" in answer.content.decode()
    assert long + "!" in answer.content.decode()
    assert share.say(" \n ").status_code == 422
    owner = Client()
    owner.force_login(share.house.ana.user)
    for path in (f"deals/{share.deal.id}/", f"deals/{share.deal.id}/close-plan/", "notices/"):
        assert "<script>alert" not in owner.get(share.house.url(path)).content.decode()


def over_by(share: Share, how: str) -> str:
    """The token of a link that is over, or never was one."""
    with share.inside():
        if how == "revoked":
            link_revoke(share.row, now=timezone.now())
        elif how == "expired":
            ClosePlanLink.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
        elif how == "deleted deal":
            opportunity_delete(share.deal.id, now=timezone.now())
        elif how == "forged":
            return share.token[:-3] + ("abc" if share.token[-3:] != "abc" else "xyz")
        elif how == "unknown":
            return new_token()
        elif how == "garbage":
            return "🚂"
    return share.token


@pytest.mark.parametrize(
    ("how", "status"),
    [
        ("revoked", 410),
        ("expired", 410),
        ("deleted deal", 410),
        ("forged", 404),
        ("unknown", 404),
        ("garbage", 404),
    ],
)
def test_a_link_that_is_over_or_forged_does_nothing_and_tells_nothing(
    share: Share, how: str, status: int
) -> None:
    assert share.get().status_code == 200
    token = over_by(share, how)
    typed = f"Too late? {HOSTILE}"
    asked = [
        lambda token: share.get(token),
        lambda token: share.tick(share.theirs, token=token),
        lambda token: share.browser.post(f"/plan/{token}/comment/", {"text": typed}),
    ]
    for ask_for in asked:
        answer, nothing = ask_for(token), ask_for("nothing").content
        assert answer.status_code == status
        assert answer.content == nothing, "the same page as for a link that never was"
        assert b"Halden" not in nothing and b"Kestrel" not in nothing
    assert share.marks() == {} and b"was not saved" in nothing
    assert b"<script>alert" not in nothing and "Too late? &lt;script" in nothing.decode(), "to be taken along"
    with share.inside():
        assert not ClosePlanEvent.objects.exists()


def test_a_forged_link_costs_no_query(share: Share) -> None:
    token = over_by(share, "forged")
    with CaptureQueriesContext(connection) as captured:
        share.get(token)
    assert len(captured) == 0


def test_what_is_kept_opens_nothing(share: Share) -> None:
    with share.inside(), connection.cursor() as cursor:
        cursor.execute("SELECT to_jsonb(l)::text FROM pipeline_closeplanlink l")
        kept = cursor.fetchone()[0]
    assert share.token.split(".")[0] not in kept
    assert share.get(hash_of(share.token)).status_code == 404
    with share.inside():
        entries = "".join(f"{entry.summary}{entry.detail}" for entry in AuditEntry.objects.all())
    assert "Lena Vogt" in entries and share.token[:20] not in entries


def test_one_revoked_link_leaves_the_others_and_undo_opens_it_again(share: Share, signed_in: SignIn) -> None:
    other = share.link("Omar")
    client = signed_in(share.house.ana)
    home = share.house.url(f"deals/{share.deal.id}/close-plan/")
    with share.inside():
        row_id = share.row.id
    page = client.post(f"{home}links/{row_id}/revoke/", follow=True).content.decode()
    assert share.get().status_code == 410 and share.get(other).status_code == 200
    undo = re.search(r'action="([^"]*/undo/[^"]*)"', page)
    assert undo is not None
    client.post(undo[1])
    assert share.get().status_code == 200


def test_a_closed_deal_shows_no_outcome_and_takes_no_tick(share: Share) -> None:
    with share.inside():
        reason = CloseReason.objects.get(name="Price")
        today = day_in_house()
        opportunity_close(share.deal.id, outcome="lost", reason_id=reason.id, now=timezone.now(), today=today)
    page = share.get()
    assert page.status_code == 200 and "This plan is closed" in page.content.decode()
    assert not re.search(r"\blost\b|Price|<form", page.content.decode())
    assert share.tick(share.theirs).status_code == 422 and share.say("But why?").status_code == 422
    assert share.marks() == {}


def test_a_comment_on_a_plan_that_closed_meanwhile_or_came_too_often_is_given_back(
    share: Share, settings: Any
) -> None:
    with share.inside():
        reason = CloseReason.objects.get(name="Price")
        today = day_in_house()
        opportunity_close(share.deal.id, outcome="lost", reason_id=reason.id, now=timezone.now(), today=today)
    answer = share.say("What about the pilot?")
    assert answer.status_code == 422 and "What about the pilot?</textarea>" in answer.content.decode()
    settings.ACCOUNT_RATE_LIMITS = settings.ACCOUNT_RATE_LIMITS | {"close_plan_write": "1/m/key"}
    cache.clear()
    share.say("one")
    answer = share.say("What about the pilot?")
    assert answer.status_code == 429 and "What about the pilot?</textarea>" in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    cache.clear()


def test_days_due_count_from_the_stage_and_wait_for_stages_ahead(share: Share) -> None:
    with share.inside():
        ahead = Stage.objects.filter(process_id=share.deal.process_id).order_by("-position")[0]
        Milestone(stage=ahead, name="Goes live", side="buyer", position=95, due_days=1).save()
    steps = {step.name: step for step in share.get().context["plan"].milestones}
    zone_day = datetime.now(UTC).astimezone(steps and share.get().context["plan"].zone).date()
    assert (
        steps["Budget approved"].due_on == zone_day + timedelta(days=5) and steps["Goes live"].due_on is None
    )
    with share.inside():
        Opportunity.objects.filter(id=share.deal.id).update(stage=ahead)
    steps = {step.name: step for step in share.get().context["plan"].milestones}
    assert steps["Goes live"].due_on == zone_day + timedelta(days=1)


def test_looking_is_remembered_and_costs_the_same_however_much_was_said(share: Share) -> None:
    with share.inside():
        assert share.row.last_opened_at is None
    share.get()
    with share.inside():
        assert share.row.last_opened_at is not None
    counts = []
    for number in (1, 20):
        for _ in range(number):
            share.say("more")
        with CaptureQueriesContext(connection) as captured:
            share.get()
        counts.append(len(captured))
    assert counts[0] == counts[1]


def test_too_many_tries_are_stopped(share: Share, settings: Any) -> None:
    settings.ACCOUNT_RATE_LIMITS = settings.ACCOUNT_RATE_LIMITS | {"close_plan": "5/m/ip"}
    cache.clear()
    codes = [share.get("guess").status_code for _ in range(7)]
    assert codes == [404] * 5 + [429] * 2
    cache.clear()


def test_a_visitor_of_another_organization_opens_it_like_anybody(
    share: Share, elsewhere: House, signed_in: SignIn
) -> None:
    client = signed_in(elsewhere.zoe)
    page = client.get(f"/plan/{share.token}/").content.decode()
    assert "Budget approved" in page and "Prairie" not in page and "Zoe" not in page
    assert client.get(f"/o/halden/deals/{share.deal.id}/close-plan/").status_code == 404
