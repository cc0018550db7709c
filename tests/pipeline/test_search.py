"""Search through the table of words finds what the slow definition finds, whatever happened to the names."""

import contextlib
import importlib
import unicodedata
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import ProgrammingError, connection, transaction
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from otc.tenancy.context import use
from otc.tenancy.services import fold
from pipeline.accounts.models import Account, Contact
from pipeline.accounts.services import account_create, contact_create
from pipeline.activities.services import activity_forget, activity_log
from pipeline.history.models import STATE_COLUMNS, HistoryRow
from pipeline.history.services import enter_history
from pipeline.opportunities.models import Opportunity
from pipeline.opportunities.services import opportunity_edit
from pipeline.search.queries import (
    MARKS,
    accounts_bearing,
    bears,
    deals_bearing,
    deals_looked_up,
    plain,
    words_of,
)
from tests.cluster import superuser_connection, worker_database

LETTERS = st.sampled_from("aAbBßÉé1 -“”.,_/%\\'$")
NAMES = st.text(LETTERS, min_size=1, max_size=12).filter(lambda text: text.strip())


def names_found(text: str, *, among: list[UUID] | None = None) -> set[str]:
    found = Opportunity.objects.filter(deals_bearing(text, among=among))
    return set(found.values_list("name", flat=True))


def looked_up(text: str) -> list[str]:
    return list(Opportunity.objects.filter(deals_looked_up(text).condition).values_list("name", flat=True))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(names=st.lists(NAMES, min_size=1, max_size=6, unique=True), text=st.text(LETTERS, max_size=6))
@example(names=["100% of it", "100_0"], text="100%")
@example(names=["a b", "b a", "ab"], text="b a")
def test_the_words_find_what_the_slow_definition_finds(inside: Any, names: list[str], text: str) -> None:
    with transaction.atomic():
        for name in names:
            Opportunity(
                id=uuid4(), name=name, name_folded=fold(name), currency="EUR", created_at=datetime.now(UTC)
            ).save(force_insert=True)
        expected = {name for name in names if bears(name, text)}
        assert names_found(text) == expected
        assert set(looked_up(text)) == expected
        ids = [Opportunity.objects.get(name=name).id for name in names]
        assert names_found(text, among=ids) == expected
        assert names_found(text, among=ids[:1]) == expected & set(names[:1])
        transaction.set_rollback(True)


def test_a_renamed_deal_is_found_by_its_new_name_only(inside: Any, make_deal: Any) -> None:
    deal = make_deal("Kestrel Rail", owner=inside.ana)
    opportunity_edit(deal.id, changes={"name": "Kestrel Harbour"})
    assert names_found("kes har") == {"Kestrel Harbour"}
    assert names_found("rail") == set()


def test_an_accounts_words_find_its_deals(inside: Any, make_deal: Any) -> None:
    account = account_create(name="Northwind & Söhne")
    make_deal("First", owner=inside.ana, account_id=account.id)
    make_deal("Second", owner=inside.ana)
    assert names_found("söh north") == {"First"}
    assert list(Account.objects.filter(accounts_bearing("wind"))) == []
    Account.objects.filter(id=account.id).update(name_folded="southwind")
    assert names_found("south") == {"First"} and names_found("north") == set()


def test_a_contact_an_owner_a_next_step_and_a_note_find_the_deal(inside: Any, make_deal: Any) -> None:
    account = account_create(name="Northwind")
    deal = make_deal("First", owner=inside.ana, account_id=account.id, next_step="Send the STRASSE-offer")
    other = make_deal("Second", owner=inside.jon)
    contact = contact_create(account.id, name="Dr. Émile Weiß")
    now = datetime.now(UTC)
    note = activity_log(
        deal.id, kind="note", at=now, now=now, subject="Budget freigegeben, größer als gedacht"
    )
    call = activity_log(deal.id, kind="call", at=now, now=now, subject="Voicemail")
    for text in ("weiss émi", "ruiz an", "straße", "offer send", "budget GRÖSSER"):
        assert names_found(text) == {"First"}, text
        assert names_found(text, among=[deal.id, other.id]) == {"First"}, text
        assert names_found(text, among=[other.id]) == set(), text
    for text in ("weiss offer", "feld budget", "voicemail", "eld"):
        assert names_found(text) == set(), text
    opportunity_edit(deal.id, changes={"next_step": "Wait"})
    Contact.objects.filter(id=contact.id).delete()
    activity_forget(note.id, opportunity_id=deal.id)
    assert call
    for text in ("straße", "weiss", "budget"):
        assert names_found(text) == set(), text
    assert names_found("wait") == {"First"}


def test_every_kind_of_space_parts_words(inside: Any, make_deal: Any) -> None:
    # Control characters are taken out before.
    spaces = [chr(code) for code in range(0x20, 0x3100) if chr(code).isspace()]
    said = "".join(f"w{number}x{space}" for number, space in enumerate(spaces))
    deal = make_deal("First", owner=inside.ana, next_step=said)
    now = datetime.now(UTC)
    activity_log(deal.id, kind="note", at=now, now=now, subject="Agreed\non the budget\r\nof spring")
    missing = [hex(ord(space)) for n, space in enumerate(spaces) if names_found(f"w{n}x") != {"First"}]
    assert missing == []
    assert names_found("on spring") == {"First"}


def test_a_word_of_a_thousand_letters_is_found(inside: Any, make_deal: Any) -> None:
    make_deal("First", owner=inside.ana, next_step="x" * 500)
    assert names_found("x" * 500) == names_found("x" * 120) == names_found("xxx") == {"First"}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(said="budget\u00a01 a\u3000b", text="1")
@given(
    said=st.text(LETTERS | st.characters(exclude_categories=["Cs", "Cc", "Cn"]), max_size=20), text=LETTERS
)
def test_next_steps_are_found_by_the_slow_definition(
    inside: Any, make_deal: Any, said: str, text: str
) -> None:
    with transaction.atomic():
        deal = make_deal("zz", owner=None, next_step=said)
        asked = [*said.split()[:2], text]
        for words in asked:
            expected = {"zz"} if bears(deal.next_step, words) or bears("zz", words) else set()
            assert names_found(words) == expected, words
        transaction.set_rollback(True)


def test_a_deleted_account_leaves_no_words(inside: Any) -> None:
    account = account_create(name="Northwind")
    Account.objects.filter(id=account.id).delete()
    assert token_count() == 0


def test_a_deal_that_comes_with_its_history_is_found(inside: Any) -> None:
    state = dict.fromkeys(STATE_COLUMNS) | {"name": "Old Mill", "currency": "EUR", "attributes": {}}
    state |= {"category_set_by_person": False, "source": "", "kind": "", "next_step": ""}
    now = datetime.now(UTC)
    row = HistoryRow(
        opportunity_id=uuid4(), at=now, provenance="imported", name_folded="old mill", created_at=now, **state
    )
    enter_history([row])
    assert names_found("mil") == {"Old Mill"}


def test_words_stay_within_their_organization(house: Any, elsewhere: Any, make_deal: Any) -> None:
    with use(house.organization.id):
        make_deal("Kestrel", owner=house.ana)
    with use(elsewhere.organization.id):
        assert names_found("kes") == set() and token_count() == 0


def test_the_application_can_not_write_words(inside: Any) -> None:
    with pytest.raises(ProgrammingError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM pipeline_searchtoken")


def test_the_database_parts_words_at_the_same_marks(db: None) -> None:
    assert words_of(MARKS) == [] and len(set(MARKS)) == len(MARKS)
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM pipeline_search_tokens(%s)", [f"a{MARKS}b"])
        assert sorted(cursor.fetchall()) == [("a",), ("b",)]


def test_every_trigger_of_deals_but_the_versions_own_fires_for_entered_deals_too(db: None) -> None:
    """Deals that come with their history are written as a replica writes: only triggers fire that always do."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgname FROM pg_trigger WHERE tgrelid = 'pipeline_opportunity'::regclass AND NOT tgisinternal "
            "AND (tgtype & 4) <> 0 AND tgenabled <> 'A'"
        )
        assert {name for (name,) in cursor.fetchall()} == {"opportunity_version_new"}


@pytest.mark.parametrize("few", [0, 9])
@pytest.mark.parametrize("common", [0, 9])
def test_words_are_looked_up_the_same_whether_few_or_many(
    inside: Any, make_deal: Any, monkeypatch: Any, few: int, common: int
) -> None:
    for name in ("Kestrel one", "Kestrel two", "Heron"):
        make_deal(name, owner=inside.ana, next_step="Ask Kestrel" if name != "Heron" else "")
    monkeypatch.setattr("pipeline.search.queries.FEW", few)
    monkeypatch.setattr("pipeline.search.queries.COMMON", common)
    assert sorted(looked_up("kes")) == ["Kestrel one", "Kestrel two"]
    assert looked_up("her") == ["Heron"] and looked_up("her kes") == []
    assert (deals_looked_up("her").ids is not None) == (few > 0 and common > 0)


def test_accents_are_found_both_ways(inside: Any, make_deal: Any) -> None:
    account = account_create(name="Müller & Söhne")
    contact_create(account.id, name="Søren Łukasz")
    deal = make_deal("Straße", owner=inside.ana, account_id=account.id, next_step="Café aufsuchen")
    plainly = make_deal("Muller Strasse", owner=inside.jon)
    now = datetime.now(UTC)
    activity_log(plainly.id, kind="note", at=now, now=now, subject="Vo Viet with \u0065\u0301clairs")
    for text in ("Muller", "Müller", "mu\u0308ller", "STRASSE", "straße"):
        assert names_found(text) == {deal.name, plainly.name}, text
    for text in ("Soren", "Søren", "Lukasz", "sohne", "cafe", "café"):
        assert names_found(text) == {deal.name}, text
    for text in ("éclair", "eclair", "Việt"):
        assert names_found(text) == {plainly.name}, text


def test_the_database_takes_the_same_accents_away(db: None) -> None:
    """Of every letter that this Python knows; the words of names come folded."""
    known = [
        letter
        for letter in map(chr, range(1, 0x30000))
        if unicodedata.category(letter) not in ("Cn", "Cs", "Co")
    ]
    said = [fold(f"a{letter}b") for letter in known]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pipeline_search_plain(s) FROM unnest(%s::text[]) WITH ORDINALITY u(s, n) ORDER BY n",
            [said],
        )
        bare = [row[0] for row in cursor.fetchall()]
    differ = [hex(ord(one)) for one, text, here in zip(known, said, bare, strict=True) if plain(text) != here]
    assert differ == []
    assert plain(fold("ÄÖÜßéèçñøŁđÆœþÞ")) == "aousseecnoldaeoethth"


def test_words_from_before_lose_their_accents(db: None) -> None:
    """What the migration does, as the owner, to words that were kept with accents."""
    refill = importlib.import_module("pipeline.migrations.0032_search_folded").REFILL
    organization, deal, other = uuid4(), str(uuid4()), str(uuid4())
    before = [
        ("deal", "müller", deal),
        ("deal", "muller", deal),
        ("step", "café", deal),
        ("deal", "heron", other),
    ]
    with (
        contextlib.closing(superuser_connection(worker_database())) as connected,
        connected.cursor() as cursor,
    ):
        connected.autocommit = False
        cursor.execute(
            "INSERT INTO otc_organization (id, slug, name, currency, timezone, fiscal_year_start_month, visibility, "
            "second_factor, created_at) SELECT %s, %s, 'Old', 'EUR', 'UTC', 1, 'team', 'optional', now()",
            [str(organization), f"old-{organization}"],
        )
        for kind, token, row_id in before:
            cursor.execute(
                "INSERT INTO pipeline_searchtoken VALUES (%s, %s, %s, %s)",
                [str(organization), kind, token, row_id],
            )
        cursor.execute("SET LOCAL ROLE otc_owner")
        cursor.execute(refill)
        cursor.execute("RESET ROLE")
        cursor.execute(
            "SELECT kind, token, id::text FROM pipeline_searchtoken WHERE organization_id = %s",
            [str(organization)],
        )
        after = set(cursor.fetchall())
        connected.rollback()
    assert after == {("deal", "muller", deal), ("step", "cafe", deal), ("deal", "heron", other)}


def token_count() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pipeline_searchtoken")
        count: int = cursor.fetchone()[0]
    return count
