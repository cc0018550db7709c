"""Comments on a deal: whom an @Name means, who is told, who may change what, and what is put back."""

from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from otc.delegation.models import Delegation
from otc.notices.models import Notice
from otc.tenancy.context import use
from otc.tenancy.lines import chart_at
from otc.tenancy.models import Organization, Person
from otc.tenancy.reach import visible_reach
from otc.tenancy.services import person_create
from otc.undo.models import UndoStep
from pipeline.comments.models import DealComment
from pipeline.comments.rules import LONGEST_COMMENT, Somebody, checked_text, mentions_in, parts_of
from pipeline.opportunities.models import Opportunity
from pipeline.opportunities.queries import visible_opportunities
from pipeline.opportunities.rules import Refused
from pipeline.team.audience import people_seeing
from pipeline.team.rules import Share
from pipeline.team.services import splits_set, team_member_add
from tests.api_client import Caller
from tests.conftest import BEGINNING, House, user_for
from tests.days import day_in_house

SignedIn = Callable[[Person], Client]
ANA, MAX, MAXINE, OTHER = (
    Somebody(uuid4(), name) for name in ("Ana Ruiz", "Max Brandt", "Max Brandtner", "Ana Li")
)
EVERYBODY = (ANA, MAX, MAXINE, OTHER)


# Rules


@pytest.mark.parametrize(
    ("text", "people", "unknown"),
    [
        ("@Ana Ruiz, look", {ANA}, ()),
        ("(@ana  ruiz)", {ANA}, ()),
        ("@Max Brandtner and @max brandt", {MAX, MAXINE}, ()),
        ("write to ana@example.org", set(), ()),
        ("@Ana?", set(), ("Ana",)),
        ("@nobody here", set(), ("nobody",)),
        ("@@Ana Ruiz", set(), ()),
        ("@Ana Ruizova", set(), ("Ana",)),
        ("no names", set(), ()),
    ],
)
def test_an_at_means_the_longest_name_that_fits(text: str, people: set[Somebody], unknown: Any) -> None:
    meant = mentions_in(text, EVERYBODY)
    assert meant.people == {one.person_id for one in people}
    assert meant.unknown == unknown


def test_a_first_name_is_enough_where_only_one_has_it() -> None:
    assert mentions_in("@Ana", [ANA, MAX]).people == {ANA.person_id}


def test_people_of_one_name_are_not_guessed_between() -> None:
    twin = Somebody(uuid4(), "Ana Ruiz")
    meant = mentions_in("@Ana Ruiz", [ANA, twin])
    assert (meant.mentions, meant.unknown) == ((), ("Ana Ruiz",))


names = st.text(st.characters(codec="utf-8", exclude_characters="@"), min_size=1, max_size=20)


@given(st.lists(st.one_of(st.just("@"), names, st.sampled_from([f"@{one.name}" for one in EVERYBODY]))))
def test_mentions_never_overlap_and_their_pieces_are_the_text(pieces: list[str]) -> None:
    text = " ".join(pieces)
    mentions = mentions_in(text, EVERYBODY).mentions
    assert all(first.end <= second.start for first, second in pairwise(mentions))
    kept = [(one.start, one.end, str(one.person_id)) for one in mentions]
    parts = parts_of(text, kept)
    assert "".join(part for part, _ in parts) == text
    assert [part for part, is_mention in parts if is_mention] == [
        text[one.start : one.end] for one in mentions
    ]


@given(st.lists(st.builds(Somebody, st.uuids(), names), max_size=8), names)
def test_any_name_can_be_written_after_an_at(people: list[Somebody], text: str) -> None:
    mentions_in(f"@{text}", people)


def test_a_comment_has_words_and_an_end() -> None:
    assert checked_text(" a\r\nb\x00 ") == "a\nb"
    for text in ("", " \n ", "x" * (LONGEST_COMMENT + 1)):
        with pytest.raises(Refused):
            checked_text(text)


# Who may see a deal


@pytest.mark.parametrize("visibility", ["line", "team", "open"])
@pytest.mark.parametrize("owner", ["ana", "eve", None])
def test_the_audience_is_whoever_sees_the_deal(
    inside: House, make_deal: Callable[..., Any], visibility: str, owner: str | None
) -> None:
    now = timezone.now()
    lea = person_create(
        name="Lea Moser", role="rep", manager=inside.eve, since=BEGINNING, user=user_for("lea")
    )
    boss = person_create(name="Tom Lund", role="manager", manager=inside.eve, since=BEGINNING)
    seated = person_create(name="Sam Ode", role="rep", manager=boss, since=BEGINNING)
    person_create(name="Out Sider", role="rep", manager=inside.eve, since=BEGINNING)
    person_create(name="Gone Gil", role="executive", since=BEGINNING)
    Person.objects.filter(name="Gone Gil").update(left_on=day_in_house() - timedelta(days=1))
    today = day_in_house()
    for manager, delegate in ((inside.max, lea), (boss, inside.jon)):
        Delegation(manager=manager, delegate=delegate, first_on=today, last_on=today).save()
    Organization.objects.filter(id=inside.organization.id).update(visibility=visibility)
    organization = Organization.objects.get(id=inside.organization.id)
    deal = make_deal(owner=inside.people[owner] if owner else None)
    team_member_add(deal.id, person_id=seated.id, part="Legal", now=now)
    splits_set(deal.id, shares=[Share(inside.jon.id, "revenue", 10_000)], now=now)
    now = timezone.now()
    expected = {
        person.name
        for person in Person.objects.filter(left_on__isnull=True).exclude(role="integration")
        if visible_opportunities(visible_reach(person, organization=organization, now=now))
        .filter(id=deal.id)
        .exists()
    }
    deal = Opportunity.objects.get(id=deal.id)
    found = people_seeing(deal, organization=organization, chart=chart_at(now), today=today)
    assert {person.name for person in found} == expected
    assert ("Out Sider" in expected) == (visibility == "open")


# Pages


@pytest.fixture
def deal(house: House, make_deal: Callable[..., Any]) -> Opportunity:
    with use(house.organization.id, person_id=house.ana.id, channel="ui"):
        found: Opportunity = make_deal("Kestrel Rail", owner=house.ana)
    return found


def url(house: House, deal: Opportunity, rest: str = "") -> str:
    return house.url(f"deals/{deal.id}/{rest}")


def the_comment(house: House) -> DealComment:
    with use(house.organization.id):
        found: DealComment = DealComment.objects.get()
    return found


def notices_of(house: House, person: Person) -> list[str]:
    with use(house.organization.id):
        return list(Notice.objects.filter(person_id=person.id).values_list("text", flat=True))


def test_who_is_mentioned_and_may_see_the_deal_is_told(house: House, deal: Any, signed_in: SignedIn) -> None:
    client = signed_in(house.ana)
    answer = client.post(
        url(house, deal, "comments/"),
        {"text": "@Max Brandt <b>and</b> @Jonas Feld and @Ana Ruiz"},
        follow=True,
    )
    assert notices_of(house, house.max) == ["Ana Ruiz mentioned you on Kestrel Rail"]
    assert notices_of(house, house.jon) == notices_of(house, house.ana) == []
    text = answer.content.decode()
    assert "“@Jonas” is nobody who may see this deal" in text
    assert '<b class="mention">@Max Brandt</b> &lt;b&gt;and&lt;/b&gt;' in text
    only = client.get(url(house, deal), {"timeline": "comments"}).context["report"].timeline.entries
    assert [entry.who for entry in only] == ["Ana Ruiz"]
    told = signed_in(house.max).get(house.url("notices/")).content.decode()
    assert f"deals/{deal.id}/#comment-" in told


def test_an_edit_tells_only_those_who_were_not_told(house: House, deal: Any, signed_in: SignedIn) -> None:
    client = signed_in(house.ana)
    client.post(url(house, deal, "comments/"), {"text": "@Max Brandt"})
    one = url(house, deal, f"comments/{the_comment(house).id}/")
    assert "@Max Brandt" in client.get(one).content.decode()
    client.post(one, {"text": "@Max Brandt @Eve Okafor"})
    assert len(notices_of(house, house.max)) == len(notices_of(house, house.eve)) == 1
    assert the_comment(house).edited_at is not None


def test_only_the_author_changes_and_deletes(house: House, deal: Any, signed_in: SignedIn) -> None:
    signed_in(house.ana).post(url(house, deal, "comments/"), {"text": "Mine"})
    one = url(house, deal, f"comments/{the_comment(house).id}/")
    manager = signed_in(house.max)
    assert manager.get(one).status_code == manager.post(one, {"text": "Theirs"}).status_code == 404
    assert f"comments/{the_comment(house).id}" not in manager.get(url(house, deal)).content.decode()
    caller = Caller(house.max)
    refused = caller.delete(f"opportunities/{deal.id}/comments/{the_comment(house).id}")
    assert refused.status_code == 422 and the_comment(house).deleted_at is None


def undo_last(house: House, client: Client) -> None:
    with use(house.organization.id):
        step = UndoStep.objects.order_by("-created_at", "-id")[0]
    client.post(house.url(f"undo/{step.id}/"))


def test_saying_changing_and_deleting_are_undone(house: House, deal: Any, signed_in: SignedIn) -> None:
    client = signed_in(house.ana)
    client.post(url(house, deal, "comments/"), {"text": "First @Max Brandt"})
    one = url(house, deal, f"comments/{the_comment(house).id}/")
    client.post(one, {"text": "Second"})
    undo_last(house, client)
    assert (the_comment(house).text, len(the_comment(house).mentions)) == ("First @Max Brandt", 1)
    client.post(one, {"remove": "1"})
    assert client.get(one).status_code == 404
    assert "First" not in client.get(url(house, deal)).content.decode()
    undo_last(house, client)
    assert the_comment(house).deleted_at is None
    client.post(url(house, deal, "comments/"), {"text": "Never mind"})
    undo_last(house, client)
    assert "Never mind" not in client.get(url(house, deal)).content.decode()


def test_ten_thousand_characters_fit_and_one_more_is_kept_in_the_box(
    house: House, deal: Any, signed_in: SignedIn
) -> None:
    client = signed_in(house.ana)
    text = "\u202bمرحبا 👋🏽 <script>" * 600
    client.post(url(house, deal, "comments/"), {"text": text[:LONGEST_COMMENT]})
    page = client.get(url(house, deal)).content.decode()
    assert "Show all" in page and "<script>مرحبا" not in page and "&lt;script&gt;" in page
    refused = client.post(url(house, deal, "comments/"), {"text": "x" * (LONGEST_COMMENT + 1)})
    assert refused.status_code == 422 and "at most 10,000 characters" in refused.content.decode()
    assert "x" * (LONGEST_COMMENT + 1) in refused.content.decode()


def test_an_at_offers_who_may_see_the_deal(house: House, deal: Any, signed_in: SignedIn) -> None:
    client = signed_in(house.ana)
    offered = client.get(url(house, deal, "comments/people/"), {"q": "bra"}).content.decode()
    assert "Max Brandt" in offered and "Eve" not in offered
    assert "Jonas" not in client.get(url(house, deal, "comments/people/")).content.decode()


def test_who_may_not_see_the_deal_neither_reads_nor_writes(
    house: House, deal: Any, signed_in: SignedIn
) -> None:
    with use(house.organization.id):
        lea = person_create(name="Lea Moser", role="rep", manager=house.eve, user=user_for("lea"))
    guest = signed_in(lea)
    assert guest.post(url(house, deal, "comments/"), {"text": "x"}).status_code == 404
    assert guest.get(url(house, deal, "comments/people/")).status_code == 404
    assert Caller(lea).get(f"opportunities/{deal.id}/comments").status_code == 404


def test_revenue_operations_reads_and_says_nothing(house: House, deal: Any, signed_in: SignedIn) -> None:
    signed_in(house.ana).post(url(house, deal, "comments/"), {"text": "Seen by all"})
    client = signed_in(house.ria)
    page = client.get(url(house, deal)).content.decode()
    assert "Seen by all" in page and "data-mentions" not in page
    assert client.post(url(house, deal, "comments/"), {"text": "x"}).status_code == 403


# The API


def test_the_api_says_changes_lists_and_deletes(house: House, deal: Any) -> None:
    caller, path = Caller(house.ana), f"opportunities/{deal.id}/comments"
    made = caller.post(path, {"text": "Ask @Max Brandt"})
    assert (made.status_code, made.json()["mentioned_ids"]) == (201, [str(house.max.id)])
    one = f"{path}/{made.json()['id']}"
    assert caller.patch(one, {"text": "Ask nobody"}).json()["mentioned_ids"] == []
    assert [row["text"] for row in caller.get(path).json()["results"]] == ["Ask nobody"]
    assert caller.post(path, {"text": "  "}).status_code in (400, 422)
    assert caller.delete(one).status_code == 204
    assert caller.get(path).json()["results"] == []
    assert caller.delete(one).status_code == 404
    assert UUID(made.json()["author_id"]) == house.ana.id
