"""Two records become one and two again: nothing is lost, the past keeps telling what it told."""

from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from otc.audit.models import AuditEntry
from otc.jobs.models import Job
from otc.jobs.services import enqueue, run
from otc.tenancy.context import use
from otc.undo.registry import CantUndo
from pipeline.accounts.models import Account, Contact
from pipeline.accounts.rules import Invalid
from pipeline.accounts.services import (
    account_create,
    account_edit,
    account_named,
    contact_create,
    contact_delete,
)
from pipeline.activities.models import Activity
from pipeline.activities.services import activity_log
from pipeline.buying.models import BuyingRole
from pipeline.buying.services import buying_role_add
from pipeline.duplicates.models import DuplicatePair, Merge
from pipeline.duplicates.relations import STAYS, all_relations
from pipeline.duplicates.services import CantMerge, merge_undo, records_merge
from pipeline.history.models import OpportunityVersion
from pipeline.history.queries import versions_as_of
from pipeline.opportunities.models import Opportunity
from pipeline.opportunities.services import opportunity_close, opportunity_create, opportunity_edit
from pipeline.process.models import CloseReason


def stored(*models: Any) -> dict[str, list[dict[str, Any]]]:
    """Everything in the tables, as it stands."""
    return {model.__name__: list(model._base_manager.order_by("id").values()) for model in models}


TABLES = (Account, Contact, Opportunity, Activity, BuyingRole)


def account_pair(house: Any, **more: Any) -> tuple[Account, Account]:
    kept = account_create(name="Kestrel Rail", industry="", **more)
    gone = account_create(name="Kestrel Rail AG", industry="Rail", external_id="K2", country="Sweden")
    return kept, gone


def merged(kind: str, kept: Any, gone: Any, **chosen: str) -> Merge:
    return records_merge(kind, kept_id=kept.id, gone_id=gone.id, chosen=chosen, now=timezone.now())


def test_deals_people_and_children_move_and_empty_fields_are_filled(inside: Any, make_deal: Any) -> None:
    kept, gone = account_pair(inside)
    child = account_create(name="Kestrel Depot", parent_id=gone.id)
    contact = contact_create(gone.id, name="Helena Strand")
    deal = make_deal(owner=inside.ana, account_id=gone.id, amount_minor=1_00)
    merge = merged("account", kept, gone)
    found = Account.objects.get(id=kept.id)
    assert (found.name, found.industry, found.country, found.external_id) == (
        "Kestrel Rail",
        "Rail",
        "Sweden",
        "K2",
    )
    assert Contact.objects.get(id=contact.id).account_id == kept.id
    assert Opportunity.objects.get(id=deal.id).account_id == kept.id
    assert Account.objects.get(id=child.id).parent_id == kept.id
    assert not Account.objects.filter(id=gone.id).exists()
    assert Account.everything.get(id=gone.id).merged_into_id == kept.id
    assert set(merge.moved) == {"contact.account", "opportunity.account", "account.parent"}


def test_undo_puts_everything_back_exactly(inside: Any, make_deal: Any) -> None:
    kept, gone = account_pair(inside)
    contact_create(gone.id, name="Helena Strand")
    account_create(name="Kestrel Depot", parent_id=gone.id)
    make_deal(owner=inside.ana, account_id=gone.id)
    before = stored(*TABLES)
    merge = merged("account", kept, gone, name="gone", country="kept")
    assert stored(*TABLES) != before
    merge_undo(merge.id, now=timezone.now())
    assert stored(*TABLES) == before


def test_the_past_keeps_the_account_that_stood_then(inside: Any, make_deal: Any) -> None:
    kept, gone = account_pair(inside)
    deal = make_deal(owner=inside.ana, account_id=gone.id)
    past = list(
        OpportunityVersion.objects.filter(opportunity_id=deal.id).values("id", "account_id", "valid_from")
    )
    before = timezone.now()
    merged("account", kept, gone)
    then = versions_as_of(before, known=before).get(opportunity_id=deal.id)
    assert then.account_id == gone.id and then.account.name == "Kestrel Rail AG"
    now = versions_as_of(timezone.now(), known=timezone.now()).get(opportunity_id=deal.id)
    assert now.account_id == kept.id
    known = OpportunityVersion.objects.filter(id__in=[row["id"] for row in past])
    assert list(known.values("id", "account_id", "valid_from")) == past


def test_undo_says_what_moved_again(inside: Any, make_deal: Any) -> None:
    kept, gone = account_pair(inside)
    deal = make_deal(owner=inside.ana, account_id=gone.id)
    merge = merged("account", kept, gone)
    opportunity_edit(deal.id, changes={"account_id": account_create(name="Third").id})
    before = stored(*TABLES)
    with pytest.raises(CantUndo, match="1 of 1 deals"):
        merge_undo(merge.id, now=timezone.now())
    assert stored(*TABLES) == before


def test_undo_refuses_over_an_edit_and_over_a_contact_that_is_gone(inside: Any) -> None:
    kept, gone = account_pair(inside)
    contact = contact_create(gone.id, name="Helena")
    merge = merged("account", kept, gone)
    contact_delete(contact.id)
    with pytest.raises(CantUndo, match="people"):
        merge_undo(merge.id, now=timezone.now())
    one, other = account_create(name="Corbel"), account_create(name="Corbel Ltd")
    merge = merged("account", one, other)
    account_edit(one.id, changes={"country": "Peru"})
    with pytest.raises(CantUndo, match="changed Corbel since"):
        merge_undo(merge.id, now=timezone.now())


def test_a_group_never_closes_a_circle(inside: Any) -> None:
    top = account_create(name="Top")
    middle = account_create(name="Middle", parent_id=top.id)
    low = account_create(name="Low", parent_id=middle.id)
    with pytest.raises(Invalid, match="circle"):
        account_edit(top.id, changes={"parent_id": low.id})
    merge = merged("account", low, top)
    assert Account.objects.get(id=low.id).parent_id is None
    assert Account.objects.get(id=middle.id).parent_id == low.id
    merge_undo(merge.id, now=timezone.now())
    assert Account.objects.get(id=low.id).parent_id == middle.id


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.integers(-1, 6), min_size=4, max_size=7),
    st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=4),
)
def test_merges_in_any_order_leave_no_circle_and_undo_backwards_restores(
    house: Any, parents: list[int], merges: list[tuple[int, int]]
) -> None:
    with use(house.organization.id, channel="ui"):
        accounts: list[Account] = []
        for place, parent in enumerate(parents):
            above = accounts[parent].id if 0 <= parent < place else None
            accounts.append(account_create(name=f"A{place}", parent_id=above))
        before = stored(Account)
        done = []
        for one, other in merges:
            if one < len(accounts) and other < len(accounts) and one != other:
                try:
                    done.append(merged("account", accounts[one], accounts[other], parent="gone"))
                except CantMerge:
                    continue
                _no_circle()
        for merge in reversed(done):
            merge_undo(merge.id, now=timezone.now())
        assert stored(Account) == before


def _no_circle() -> None:
    parents = dict(Account.everything.values_list("id", "parent_id"))
    stands = dict(Account.everything.values_list("id", "merged_into_id"))
    for start in parents:
        seen, at = set(), start
        while at is not None and stands[start] is None:
            assert at not in seen
            seen.add(at)
            at = parents[at]


def test_contacts_merge_with_their_parts_and_a_part_that_both_play_stays(inside: Any, make_deal: Any) -> None:
    account = account_create(name="Kestrel Rail")
    kept, gone = (
        contact_create(account.id, name="Ana"),
        contact_create(account.id, name="Ana B", email="a@k.example"),
    )
    deal, other = make_deal(account_id=account.id), make_deal("Second", account_id=account.id)
    now = timezone.now()
    for contact in (kept, gone):
        buying_role_add(deal.id, contact_id=contact.id, role="champion", now=now)
    buying_role_add(other.id, contact_id=gone.id, role="user", now=now)
    activity_log(deal.id, kind="call", at=now, now=now, subject="Hello", contact_id=gone.id)
    before = stored(*TABLES)
    merge = merged("contact", kept, gone)
    assert Contact.objects.get().email == "a@k.example"
    assert BuyingRole.objects.filter(contact_id=kept.id).count() == 2
    assert BuyingRole.objects.filter(contact_id=gone.id).count() == 1
    assert Activity.objects.get().contact_id == kept.id
    merge_undo(merge.id, now=timezone.now())
    assert stored(*TABLES) == before


def test_deals_merge_with_what_happened_and_come_apart_again(inside: Any, make_deal: Any) -> None:
    account = account_create(name="Kestrel Rail")
    kept = make_deal(owner=inside.ana, account_id=account.id)
    gone = make_deal(
        "Kestrel rail", owner=inside.ana, account_id=account.id, amount_minor=5_00, attributes={"x": "1"}
    )
    now = timezone.now()
    activity_log(gone.id, kind="call", at=now, now=now, subject="Hello")
    state = stored(*TABLES)
    merge = merged("opportunity", kept, gone)
    found = Opportunity.objects.get(id=kept.id)
    assert (found.amount_minor, found.attributes) == (5_00, {"x": "1"})
    assert Opportunity.objects.get(id=gone.id).deleted_at is not None
    assert Activity.objects.get().opportunity_id == kept.id
    merge_undo(merge.id, now=timezone.now())
    assert stored(*TABLES) == state


def test_a_deal_changed_since_is_not_put_back(inside: Any, make_deal: Any) -> None:
    kept, gone = make_deal("A"), make_deal("B")
    merge = merged("opportunity", kept, gone)
    opportunity_edit(kept.id, changes={"amount_minor": 7_00})
    with pytest.raises(CantUndo, match="A was changed since"):
        merge_undo(merge.id, now=timezone.now())


def test_a_won_deal_is_not_merged_into_an_open_one(inside: Any, make_deal: Any) -> None:
    kept, won = make_deal("A"), make_deal("B")
    reason = CloseReason.objects.first()
    now = timezone.now()
    opportunity_close(won.id, outcome="won", reason_id=reason.id, now=now, today=now.date())
    with pytest.raises(CantMerge, match="keep that one"):
        merged("opportunity", kept, won)
    merged("opportunity", won, kept)


def test_merges_of_merges_come_apart_in_order(inside: Any) -> None:
    one, two, three = (account_create(name=f"Kestrel {name}") for name in ("A", "B", "C"))
    before = stored(*TABLES)
    first, second = merged("account", two, three), merged("account", one, two)
    assert Account.everything.get(id=three.id).merged_into_id == one.id
    with pytest.raises(CantUndo, match="undo that merge first"):
        merge_undo(first.id, now=timezone.now())
    merge_undo(second.id, now=timezone.now())
    merge_undo(first.id, now=timezone.now())
    assert stored(*TABLES) == before


def test_the_name_of_one_that_was_merged_means_what_it_became(inside: Any) -> None:
    kept, gone = account_pair(inside)
    merged("account", kept, gone)
    assert account_named("kestrel rail ag").id == kept.id


def test_every_reference_moves_or_says_why_it_stays() -> None:
    """A table added later moves along by itself; look here whether that is what it should do."""
    found = {
        relation.key for kind in ("account", "contact", "opportunity") for relation in all_relations(kind)
    }
    assert set(STAYS) <= found


def look(house: Any) -> None:
    with use(house.organization.id):
        job_id = enqueue("find_duplicates", key=str(uuid4()))
    assert run(house.organization.id, job_id)


@pytest.mark.django_db(transaction=True)
def test_the_job_finds_pairs_and_never_proposes_again_what_is_none(house: Any, signed_in: Any) -> None:
    with use(house.organization.id, channel="ui"):
        kept, gone = account_pair(house)
        contact_create(kept.id, name="Ana", email="a@k.example")
        contact_create(gone.id, name="A. Ruiz", email="A@k.example")
        for account in (kept,):
            for owner in (house.ana, house.jon):
                opportunity_create(
                    name="Signalling",
                    owner_id=owner.id,
                    account_id=account.id,
                    amount_minor=1_00,
                    now=timezone.now(),
                )
    look(house)
    with use(house.organization.id):
        found = {pair.kind: pair.score for pair in DuplicatePair.objects.all()}
    assert set(found) == {"account", "contact", "opportunity"} and found["account"] >= 80
    client = signed_in(house.ana)
    page = client.get(house.url("duplicates/"))
    [pair] = page.context["report"].rows
    assert page.context["report"].counts == {"account": 1, "contact": 1, "opportunity": 0}
    client.post(house.url(f"duplicates/{pair.id}/dismiss/"))
    look(house)
    page = client.get(house.url("duplicates/"))
    assert page.context["report"].rows == ()
    boss = signed_in(house.max).get(house.url("duplicates/?kind=opportunity"))
    assert [row.reasons[0] for row in boss.context["report"].rows] == ["same name"]


def test_the_page_merges_and_the_toast_undoes(house: Any, signed_in: Any) -> None:
    with use(house.organization.id, channel="ui"):
        kept, gone = account_pair(house)
    client = signed_in(house.ana)
    ids = {"kind": "account", "keep": str(kept.id), "gone": str(gone.id)}
    shown = client.get(house.url("duplicates/merge/"), ids)
    assert {choice.key: choice.wins for choice in shown.context["choices"]} == {
        "name": "kept",
        "external_id": "gone",
        "industry": "gone",
        "country": "gone",
    }
    page = client.post(house.url("duplicates/merge/"), {**ids, "field.name": "gone"}, follow=True)
    assert page.context["account"].name == "Kestrel Rail AG"
    assert client.get(house.url(f"accounts/{gone.id}/")).url.endswith(f"/accounts/{kept.id}/")
    [message] = list(page.context["messages"])
    said = client.post(message.extra_tags, follow=True).content.decode()
    assert "are two again" in said
    with use(house.organization.id):
        assert {account.name for account in Account.objects.all()} == {"Kestrel Rail", "Kestrel Rail AG"}
        assert set(AuditEntry.objects.values_list("action", flat=True)) >= {
            "record.merged",
            "record.merge_undone",
        }


def test_deals_out_of_sight_can_not_be_merged(house: Any, signed_in: Any, make_deal: Any) -> None:
    with use(house.organization.id, channel="ui"):
        mine, his = make_deal(owner=house.ana), make_deal(owner=house.jon)
    ids = {"kind": "opportunity", "keep": str(mine.id), "gone": str(his.id)}
    assert signed_in(house.ana).post(house.url("duplicates/merge/"), ids).status_code == 404
    assert signed_in(house.max).get(house.url("duplicates/merge/"), ids).status_code == 200


def test_the_last_look_is_told_by_the_organizations_clock(house: Any, signed_in: Any) -> None:
    with use(house.organization.id):
        enqueue("find_duplicates")
        ended = timezone.now().replace(month=1, day=15, hour=11, minute=7)
        Job.objects.filter(kind="find_duplicates").update(state="done", finished_at=ended)
    page = signed_in(house.ana).get(house.url("duplicates/"))
    assert "12:07" in page.text.partition("Last looked")[2][:40]
