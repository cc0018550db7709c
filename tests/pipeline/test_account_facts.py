"""What an account holds under no field: typed on its page, on the audit log, with undo; and over the API."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otc.audit.models import AuditEntry
from otc.fields.services import field_create
from otc.tenancy.context import use
from otc.undo.models import UndoStep
from pipeline.accounts.facts import Fact, fact_text, facts_of, typed_facts
from pipeline.accounts.models import Account
from pipeline.accounts.rules import Invalid
from pipeline.accounts.services import account_create
from tests.api_client import Caller

BROUGHT = {"Region": "EMEA", "Seats": 20, "Listed": True, "Sites": ["Graz", "Linz"], "Empty": ""}


@pytest.fixture
def account(house):
    with use(house.organization.id, person_id=house.ana.id, channel="import"):
        return account_create(name="Kestrel Rail", attributes=BROUGHT, external_id="K-1")


def form(*lines, **own):
    keys, names, texts = zip(*lines, strict=True) if lines else ((), (), ())
    kept = {"name": "Kestrel Rail", "industry": "", "country": "", "parent": "", "external_id": "K-1"}
    return {**kept, **own, "fact_key": keys, "fact_name": names, "fact_text": texts}


def as_shown():
    return [(one.key, one.name, one.text) for one in facts_of(BROUGHT)]


def stored(house, account):
    with use(house.organization.id):
        return Account.objects.get(id=account.id)


values = st.one_of(
    st.text(max_size=20), st.integers(-(10**9), 10**9), st.booleans(), st.none(), st.lists(st.integers())
)


@given(
    st.dictionaries(
        st.text(st.characters(categories=("L", "N")), min_size=1, max_size=10), values, max_size=6
    )
)
def test_what_is_sent_back_as_shown_stays_what_it_was(brought):
    shown = facts_of(brought)
    kept = {name: value for name, value in brought.items() if fact_text(value).strip()}
    assert typed_facts(brought, shown) == kept


def test_a_number_stays_a_number_and_a_new_fact_is_a_text():
    typed = [Fact("Seats", "Seats", "1,250.5"), Fact("Listed", "Listed", "no"), Fact("", "Site", "20")]
    found = typed_facts(BROUGHT, typed)
    assert (found["Seats"], found["Listed"], found["Site"]) == (1250.5, False, "20")
    assert found["Region"] == "EMEA" and found["Sites"] == ["Graz", "Linz"]


@pytest.mark.parametrize(
    "line",
    [Fact("", "", "lost"), Fact("", "Region", "twice"), Fact("", "x" * 101, "a"), Fact("", "a", "x" * 2001)],
)
def test_a_line_that_can_not_be_is_refused(line):
    with pytest.raises(Invalid):
        typed_facts(BROUGHT, [line])


def test_facts_are_changed_added_and_taken_away_with_undo(house, account, signed_in):
    client, url = signed_in(house.ana), house.url(f"accounts/{account.id}/edit/")
    page = client.get(url).content.decode()
    assert 'value="EMEA"' in page and "[&quot;Graz&quot;, &quot;Linz&quot;]" in page
    lines = {key: (key, name, text) for key, name, text in as_shown()}
    lines["Region"] = ("Region", "Region", "APAC")
    lines["Seats"] = ("Seats", "Seats", "")
    sent = form(*lines.values(), ("", "Terminals", "12"), industry="Rail")
    assert client.post(url, sent).status_code == 302
    after = stored(house, account)
    assert after.attributes == {
        "Region": "APAC",
        "Listed": True,
        "Sites": ["Graz", "Linz"],
        "Terminals": "12",
    }
    with use(house.organization.id):
        entry = AuditEntry.objects.filter(action="account.changed").latest("at")
        step = UndoStep.objects.latest("created_at")
    assert entry.detail["attributes"]["before"] == BROUGHT and entry.detail["industry"]["after"] == "Rail"
    client.post(house.url(f"undo/{step.id}/"))
    assert stored(house, account).attributes == BROUGHT


def test_what_is_sent_without_facts_leaves_them(house, account, signed_in):
    signed_in(house.ana).post(house.url(f"accounts/{account.id}/edit/"), form(country="Peru"))
    assert (stored(house, account).country, stored(house, account).attributes) == ("Peru", BROUGHT)


def test_a_refused_line_keeps_what_was_typed(house, account, signed_in):
    with use(house.organization.id, person_id=house.ops.id, channel="ui"):
        field_create(object="account", label="Tier", kind="text")
    client, url = signed_in(house.ana), house.url(f"accounts/{account.id}/edit/")
    answer = client.post(url, form(("Region", "Region", "LATAM"), ("", "", "lost")))
    assert answer.status_code == 422 and 'value="LATAM"' in answer.content.decode()
    assert "needs a name" in answer.content.decode()
    assert client.post(url, form(("", "tier", "gold"))).status_code == 422
    assert stored(house, account).attributes == BROUGHT


def test_the_external_id_is_edited_unless_another_has_it(house, account, signed_in):
    with use(house.organization.id, person_id=house.ana.id, channel="ui"):
        account_create(name="Corbel Dairy", external_id="C-1")
    client, url = signed_in(house.ana), house.url(f"accounts/{account.id}/edit/")
    assert client.post(url, form(external_id="C-1")).status_code == 422
    assert client.post(url, form(external_id="K-2")).status_code == 302
    assert stored(house, account).external_id == "K-2"


def test_the_api_edits_them_and_the_log_says_so(house, account):
    caller = Caller(house.ana)
    answer = caller.call(
        "patch", f"accounts/{account.id}", {"attributes": {"Region": "APAC"}, "industry": "Rail"}
    )
    assert answer.status_code == 200 and answer.json()["attributes"] == {"Region": "APAC"}
    assert caller.call("patch", f"accounts/{account.id}", {"industry": "Rail"}).status_code == 200
    with use(house.organization.id):
        entries = list(AuditEntry.objects.filter(action="account.changed"))
    assert len(entries) == 1 and set(entries[0].detail) == {"attributes", "industry"}
