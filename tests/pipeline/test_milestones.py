"""A deal's milestones of this stage and the next: whose, by when, on what evidence, told and undone."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.test import Client
from django.utils import timezone

from otc.question import ask
from otc.tenancy.context import use
from otc.tenancy.middleware import Tenant
from otc.tenancy.models import Person
from otc.undo.models import UndoStep
from pipeline.history.queries import stages_reached
from pipeline.opportunities.deal import DealReport, deal_report
from pipeline.opportunities.milestones import LONGEST_NOTE, milestone_mark
from pipeline.opportunities.models import OpportunityMilestone
from pipeline.opportunities.path import PathMilestone
from pipeline.opportunities.rules import Refused
from pipeline.opportunities.services import opportunity_create, opportunity_edit
from pipeline.process.models import Milestone, Stage
from tests.api_client import Caller
from tests.conftest import House
from tests.pipeline.past_deals import past_deal

SignIn = Callable[[Person], Client]
HTMX = {"HTTP_HX_REQUEST": "true"}
EVIDENCE = {"note": "Mail of 12 May <b>, שלום 🚂", "url": "https://docs.example.org/criteria"}


class Desk:
    """A deal of ana's in the second stage, and her browser."""

    def __init__(self, house: House, client: Client) -> None:
        self.house, self.client = house, client
        with self.at_work():
            self.stages = list(Stage.objects.order_by("position"))
            self.deal = opportunity_create(
                name="Kestrel", owner_id=house.ana.id, stage_id=self.stages[1].id, now=timezone.now()
            ).opportunity
            self.ours, self.theirs = (
                Milestone.objects.create(
                    stage=self.stages[1], name=name, side=side, position=90 + days, due_days=days
                )
                for name, side, days in (("Demo given", "seller", 2), ("Budget approved", "buyer", 5))
            )

    def at_work(self) -> Any:
        return use(self.house.organization.id, person_id=self.house.ana.id, channel="ui")

    def home(self, rest: str = "") -> str:
        return self.house.url(f"deals/{self.deal.id}/{rest}")

    def post(self, milestone: Milestone, *, htmx: bool = True, **sent: str) -> Any:
        extra: Any = HTMX if htmx else {}
        return self.client.post(self.home(f"milestones/{milestone.id}/"), sent, **extra)

    def mark(self, milestone: Milestone) -> OpportunityMilestone | None:
        with self.at_work():
            found: OpportunityMilestone | None = OpportunityMilestone.objects.filter(
                opportunity=self.deal, milestone=milestone
            ).first()
            return found

    def report(self, **asked: str) -> DealReport:
        with self.at_work():
            tenant = Tenant(self.house.organization, self.house.ana, timezone.now())
            found = deal_report(ask(tenant, asked), self.deal.id, since=timezone.now())
            assert found is not None
            return found

    def shown(self, milestone: Milestone, **asked: str) -> PathMilestone:
        stages = self.report(**asked).path
        return next(one for stage in stages for one in stage.milestones if one.id == milestone.id)

    def told(self) -> list[tuple[str, str, str]]:
        entries = self.report().timeline.entries
        return [(one.title, one.note, one.href) for one in entries if one.kind == "milestone"]

    def undo(self) -> str:
        with self.at_work():
            step = UndoStep.objects.latest("created_at")
        return self.client.post(
            self.house.url(f"undo/{step.id}/"), {"next": self.home()}, follow=True
        ).content.decode()

    def age(self, days: int) -> None:
        """Take a deal that came into the stage so many days ago."""
        stage = self.stages[1]
        state = {"owner_id": self.house.ana.id, "stage_id": stage.id, "process_id": stage.process_id}
        self.deal = past_deal(self.house, (timezone.now() - timedelta(days=days), state))


@pytest.fixture
def desk(house: House, signed_in: SignIn) -> Iterator[Desk]:
    yield Desk(house, signed_in(house.ana))


@pytest.mark.parametrize("state", ["met", "waived"])
@pytest.mark.parametrize("htmx", [True, False])
def test_a_mark_bears_its_evidence_on_the_page_and_in_the_timeline(
    desk: Desk, state: str, htmx: bool
) -> None:
    answer = desk.post(desk.ours, state=state, htmx=htmx, **EVIDENCE)
    if htmx:
        assert answer.status_code == 200 and answer["HX-Retarget"] == "#main"
    else:
        assert (answer.status_code, answer.url) == (302, desk.home() + f"#milestones-{desk.ours.id}")
    mark = desk.mark(desk.ours)
    assert mark is not None and (mark.note, mark.url) == (EVIDENCE["note"], EVIDENCE["url"])
    assert desk.told() == [
        (f"Milestone {state}: Demo given", f"Ana Ruiz: {EVIDENCE['note']}", EVIDENCE["url"])
    ]
    page = desk.client.get(desk.home()).content.decode()
    assert f'href="{EVIDENCE["url"]}"' in page and "docs.example.org" in page
    assert "Mail of 12 May &lt;b&gt;" in page and "Ana Ruiz" in page and "12 May <b>" not in page


def test_evidence_is_changed_later_and_says_by_whom(desk: Desk) -> None:
    with desk.at_work():
        desk.ours = Milestone.objects.get(name="Champion named")
    desk.post(desk.ours, state="met", note="On the phone")
    first = desk.mark(desk.ours)
    with use(desk.house.organization.id, person_id=desk.house.max.id, channel="ui"):
        later = timezone.now()
        milestone_mark(desk.deal.id, milestone_id=desk.ours.id, state="met", now=later, note="Signed")
    mark = desk.mark(desk.ours)
    assert first is not None and mark is not None
    assert (mark.met_at, mark.marked_by_id) == (first.met_at, desk.house.ana.id)
    assert (mark.note, mark.noted_by_id, mark.noted_at) == ("Signed", desk.house.max.id, later)
    assert desk.told() == [
        ("Evidence for Champion named", "Max Brandt: Signed", ""),
        ("Milestone met: Champion named", "Ana Ruiz", ""),
    ]
    assert "Evidence by Max Brandt" in desk.client.get(desk.home()).content.decode()
    assert first.met_at is not None
    then = (first.met_at + timedelta(microseconds=1)).isoformat()
    shown = desk.shown(desk.ours, as_of=then).mark
    assert shown is not None and (shown.note, shown.noted_by) == ("", None), "not what came later"


def test_one_click_marks_and_keeps_what_was_said(desk: Desk) -> None:
    body = {"milestone": str(desk.ours.id), "state": "met"}
    answer = desk.client.post(desk.home("milestones/"), body, headers={"HX-Request": "true"})
    assert answer.status_code == 200 and "Undo" in answer.content.decode()
    desk.post(desk.ours, state="met", **EVIDENCE)
    desk.client.post(desk.home("milestones/"), body)
    desk.client.post(desk.home("milestones/"), body | {"state": "waived"})
    mark = desk.mark(desk.ours)
    assert mark is not None and mark.waived_at and (mark.note, mark.url) == tuple(EVIDENCE.values())


@pytest.mark.parametrize(
    ("sent", "says"),
    [
        ({"url": "javascript:alert(1)"}, "http://"),
        ({"url": "data:text/html,x"}, "http://"),
        ({"url": "ftp://example.org/x"}, "http://"),
        ({"url": "https://ana:secret@example.org/"}, "sign-in"),
        ({"url": "https://exa mple.org/"}, "copy it"),
        ({"note": "x" * (LONGEST_NOTE + 1)}, "2,001"),
        ({"state": "done"}, "met, waived or open"),
    ],
)
@pytest.mark.parametrize("htmx", [True, False])
def test_what_cannot_be_kept_is_refused_and_stays_typed(
    desk: Desk, sent: dict[str, str], says: str, htmx: bool
) -> None:
    typed = {"state": "met", "note": "Typed with care", "url": "http://example.org/"} | sent
    answer = desk.post(desk.ours, htmx=htmx, **typed)
    text = answer.content.decode()
    assert answer.status_code == 422 and says in text and typed["note"] in text
    assert f'value="{typed["url"]}"' in text and desk.mark(desk.ours) is None


def test_undo_brings_back_mark_and_evidence_unless_somebody_came_between(desk: Desk) -> None:
    desk.post(desk.ours, state="met", **EVIDENCE)
    marked = desk.mark(desk.ours)
    assert marked is not None
    desk.post(desk.ours, state="open")
    assert desk.mark(desk.ours) is None
    desk.undo()
    back = desk.mark(desk.ours)
    assert back is not None and back.met_at == marked.met_at
    assert (back.note, back.url, back.marked_by_id) == (*EVIDENCE.values(), desk.house.ana.id)
    desk.post(desk.ours, state="met", note="Better evidence", url="")
    with use(desk.house.organization.id, person_id=desk.house.max.id, channel="ui"):
        milestone_mark(
            desk.deal.id, milestone_id=desk.ours.id, state="met", now=timezone.now(), note="Max: best"
        )
        UndoStep.objects.filter(person=desk.house.max).delete()
    assert "has changed since" in desk.undo()
    kept = desk.mark(desk.ours)
    assert kept is not None and kept.note == "Max: best"


def test_what_was_opened_again_stays_in_the_timeline_with_who_and_when(desk: Desk) -> None:
    with desk.at_work():
        desk.ours = Milestone.objects.get(name="Champion named")
    desk.post(desk.ours, state="met", **EVIDENCE)
    met = desk.mark(desk.ours)
    assert met is not None and met.met_at is not None
    opened = timezone.now()
    with use(desk.house.organization.id, person_id=desk.house.max.id, channel="ui"):
        milestone_mark(desk.deal.id, milestone_id=desk.ours.id, state="open", now=opened)
    first = ("Milestone met: Champion named", f"Ana Ruiz: {EVIDENCE['note']}", EVIDENCE["url"])
    again = ("Milestone open again: Champion named", "Max Brandt", "")
    assert desk.told() == [again, first]
    assert [one.at for one in desk.report().timeline.entries if one.kind == "milestone"] == [
        opened,
        met.met_at,
    ]
    desk.post(desk.ours, state="met", note="Now really")
    assert desk.told()[1:] == [again, first]
    # Every instant shows what stood then.
    for then, state in ((met.met_at, "met"), (opened, "open"), (timezone.now(), "met")):
        assert desk.shown(desk.ours, as_of=then.isoformat()).state == state
    shown = desk.shown(desk.ours, as_of=met.met_at.isoformat())
    assert shown.mark is not None and shown.mark.note == EVIDENCE["note"]


def test_a_mark_that_undo_puts_back_is_told_once_with_both_that_came_between(desk: Desk) -> None:
    with desk.at_work():
        desk.ours = Milestone.objects.get(name="Champion named")
    desk.post(desk.ours, state="met", **EVIDENCE)
    desk.post(desk.ours, state="open")
    between = timezone.now()
    desk.undo()
    told = [title for title, _, _ in desk.told()]
    assert told == [f"Milestone {did}: Champion named" for did in ("met again", "open again", "met")]
    assert desk.told()[0][1] == "Ana Ruiz: Undo"
    assert desk.shown(desk.ours, as_of=between.isoformat()).state == "open"
    desk.post(desk.ours, state="waived")
    assert [title for title, _, _ in desk.told()] == ["Milestone waived: Champion named", *told]


def test_this_stage_and_the_next_are_shown_the_buyers_and_the_sellers_apart(desk: Desk) -> None:
    assert [stage.name for stage in desk.report().at_hand] == [stage.name for stage in desk.stages[1:3]]
    page = desk.client.get(desk.home()).content.decode()
    part = page[page.index('id="milestones"') : page.index('id="timeline"')]
    row = {
        one.name: part[part.index(f'<li class="milestone is-open" id="milestones-{one.id}"') :].split(
            "</li>"
        )[0]
        for one in (desk.ours, desk.theirs)
    }
    assert "Seller" in row["Demo given"] and "Buyer" not in row["Demo given"]
    assert "Buyer" in row["Budget approved"] and "Seller" not in row["Budget approved"]
    assert f"into {desk.stages[2].name}" in part, "days of a stage ahead begin with it"


def test_days_count_from_the_stage_and_lateness_is_said_in_words(desk: Desk) -> None:
    desk.age(4)
    today = desk.report().shown_day
    assert desk.shown(desk.ours).due_on == today - timedelta(days=2) and desk.shown(desk.ours).days_late == 2
    assert (
        desk.shown(desk.theirs).due_on == today + timedelta(days=1) and not desk.shown(desk.theirs).days_late
    )
    page = desk.client.get(desk.home()).content.decode()
    assert "2\xa0days late, was due" in page.replace("2 days", "2\xa0days") and "1 late" in page
    desk.post(desk.ours, state="waived")
    assert desk.shown(desk.ours).days_late == 0
    assert "late, was due" not in desk.client.get(desk.home()).content.decode()


def test_a_stage_that_lies_ahead_again_has_no_days(desk: Desk) -> None:
    ahead = Milestone(stage=desk.stages[2], name="Offer read", side="buyer", position=95, due_days=3)
    with desk.at_work():
        ahead.save()
    assert desk.shown(ahead).due_on is None
    for stage, is_due in ((desk.stages[2], True), (desk.stages[1], False)):
        with desk.at_work():
            for one in Milestone.objects.filter(is_required=True):
                milestone_mark(desk.deal.id, milestone_id=one.id, state="met", now=timezone.now())
            opportunity_edit(desk.deal.id, changes={"stage_id": stage.id})
            reached = stages_reached(desk.deal.id)
        assert (desk.shown(ahead).due_on is not None) == is_due == (desk.stages[2].id in reached)


def test_the_api_tells_and_takes_evidence_and_days(desk: Desk) -> None:
    desk.age(4)
    caller = Caller(desk.house.ana)
    path = f"opportunities/{desk.deal.id}/milestones"

    def row(milestone_id: UUID) -> dict[str, Any]:
        return next(one for one in caller.get(path).json() if one["id"] == str(milestone_id))

    day = (desk.report().shown_day - timedelta(days=2)).isoformat()
    assert (row(desk.ours.id)["due_on"], row(desk.ours.id)["is_late"]) == (day, True)
    marked = caller.post(f"{path}/{desk.ours.id}", {"state": "met", **EVIDENCE}).json()
    assert (marked["note"], marked["url"], marked["is_late"]) == (*EVIDENCE.values(), False)
    again = caller.post(f"{path}/{desk.ours.id}", {"state": "met", "note": "Better"}).json()
    assert (again["note"], again["url"], again["marked_at"]) == (
        "Better",
        EVIDENCE["url"],
        marked["marked_at"],
    )
    assert again["noted_by_id"] == str(desk.house.ana.id) and again["noted_at"]
    refused = caller.post(f"{path}/{desk.ours.id}", {"state": "met", "url": "javascript:alert(1)"})
    assert refused.status_code == 422 and "http://" in refused.content.decode()
    assert row(desk.ours.id)["note"] == "Better"


def test_a_milestone_of_another_process_or_deal_is_not_there(
    desk: Desk, elsewhere: Any, signed_in: SignIn
) -> None:
    stranger = signed_in(elsewhere.zoe)
    assert stranger.post(desk.home(f"milestones/{desk.ours.id}/"), {"state": "met"}).status_code == 404
    with desk.at_work():
        Milestone.objects.filter(id=desk.ours.id).update(retired_at=timezone.now())
    assert desk.post(desk.ours, state="met").status_code == 404
    with desk.at_work(), pytest.raises(Refused):
        milestone_mark(desk.deal.id, milestone_id=desk.ours.id, state="met", now=timezone.now())


def test_the_path_shows_and_leads_to_the_one_place_that_marks(desk: Desk) -> None:
    page = desk.client.get(desk.home()).content.decode()
    path = page[page.index('<ol class="path"') : page.index('id="milestones"')]
    assert "<button" not in path and "<form" not in path
    assert f'href="#milestones-{desk.ours.id}"' in path, "of this stage: to the panel below"
    with desk.at_work():
        behind = Milestone.objects.filter(stage=desk.stages[0]).first()
    assert behind is not None
    assert f'href="{desk.home(f"milestones/{behind.id}/")}"' in path, "of an earlier one: to its form"
    assert page.count(f'name="milestone" value="{desk.ours.id}"') == 1
