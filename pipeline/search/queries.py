"""Which deals or accounts bear words that begin so? Through the table of words that the database keeps.

A deal is found by its name, its account's, a contact's there, its owner's, its next step and its notes.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import BooleanField, Q
from django.db.models.expressions import RawSQL

from otc.tenancy.context import current_organization_id
from otc.tenancy.services import fold

DEAL, ACCOUNT, CONTACT, STEP, NOTE, LEAD = "deal", "account", "contact", "step", "note", "lead"
# What parts words beside spaces; pipeline_search_tokens has the same.
MARKS = " !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~¡¢£¤¥¦§¨©«¬®¯°±´¶·¸»¿×÷‐‑‒–—―‘’‚‛“”„‟†‡•…‹›€™"
# The largest code point: what begins with "kes" sorts from "kes" up to "kes" + LAST.
LAST = "\U0010ffff"
MOST_WORDS = 8
# From so many on, words are said to be common; a person who is found leads to so many deals.
COMMON = 1_000
DEALS_OF_A_PERSON = 100
# So many deals are named one by one.
FEW = 2_000
ROOM = "64MB"
TABLE = "pipeline_opportunity"
# What is written freely is kept with its words cut to this.
LONGEST_WORD = 100
_PARTED = str.maketrans(dict.fromkeys(MARKS, " "))
_ACCENTS = dict.fromkeys(range(0x300, 0x370))
# Letters of their own, that people type without their stroke; pipeline_search_plain has the same.
_LETTERS = str.maketrans(
    dict(zip("øłđðħŧıæœþ", ("o", "l", "d", "d", "h", "t", "i", "ae", "oe", "th"), strict=True))
)


def plain(folded: str) -> str:
    """Folded text without accents: what is looked for and what is found, as pipeline_search_plain has it.

    >>> plain("müller"), plain("søren")
    ('muller', 'soren')
    """
    if folded.isascii():
        return folded
    bare = unicodedata.normalize("NFD", folded).translate(_ACCENTS)
    return unicodedata.normalize("NFC", bare).translate(_LETTERS)


def words_of(text: str) -> list[str]:
    """The words that are asked for, folded and without accents, each once.

    >>> words_of("Kestrel-Räil, kestrel")
    ['kestrel', 'rail']
    """
    return list(dict.fromkeys(plain(fold(text)).translate(_PARTED).split()))


def deals_bearing(text: str, *, among: Sequence[UUID] | None = None) -> Q:
    """Deals where one of what they are found by bears, for each word of `text`, a word that begins with it.

    One set of ids, so that no way in makes PostgreSQL look at every deal. `among`: only of these deals, which a few
    hundred are asked one by one: quicker where the words are common.
    """
    words = words_of(text)[:MOST_WORDS]
    if not words or among == []:
        return Q(id__in=())
    near = _Near.of(among, str(current_organization_id()))
    sql, values = _bearing(words, near=near)
    if among is None:
        return Q(id__in=RawSQL(sql, values))
    return Q(
        id__in=RawSQL(f"SELECT f.id FROM ({sql}) f(id) WHERE f.id = ANY(%s::uuid[])", [*values, near.ids])
    )


def _bearing(words: list[str], *, near: "_Near") -> tuple[str, list[Any]]:
    """SQL of the ids of deals that bear every word, some of them more than once, with its values."""
    organization = str(current_organization_id())
    cut = [word[:LONGEST_WORD] for word in words]
    own, own_values = _ids(DEAL, words, near.deals)
    steps, step_values = _ids(STEP, cut, near.deals)
    notes, note_values = _ids(NOTE, cut, near.notes)
    accounts, account_values = _ids(ACCOUNT, words, near.accounts)
    contacts, contact_values = _ids(CONTACT, words, near.contacts)
    owners, owner_values = _people(words, organization)
    sql = (
        f"{own} UNION ALL {steps} "
        "UNION ALL SELECT a.opportunity_id FROM pipeline_activity a "
        f"WHERE a.organization_id = %s AND a.id IN ({notes}) "
        "UNION ALL SELECT d.id FROM pipeline_opportunity d WHERE d.organization_id = %s AND d.account_id IN ("
        f"{accounts} UNION ALL SELECT c.account_id FROM pipeline_contact c "
        f"WHERE c.organization_id = %s AND c.id IN ({contacts})) "
        f"UNION ALL SELECT d.id FROM pipeline_opportunity d WHERE d.organization_id = %s AND d.owner_id IN ({owners})"
    )
    values = [*own_values, *step_values, organization, *note_values, organization, *account_values]
    return sql, [*values, organization, *contact_values, organization, *owner_values]


@dataclass(frozen=True)
class _Near:
    """SQL of the ids that words are looked up among, by their kind, each with its values; None: among all."""

    ids: list[str]
    deals: tuple[str, list[Any]] | None = None
    notes: tuple[str, list[Any]] | None = None
    accounts: tuple[str, list[Any]] | None = None
    contacts: tuple[str, list[Any]] | None = None

    @classmethod
    def of(cls, among: Sequence[UUID] | None, organization: str) -> "_Near":
        if among is None:
            return cls([])
        ids = [str(deal_id) for deal_id in among]
        of_deals = (
            "SELECT d.account_id FROM pipeline_opportunity d "
            "WHERE d.organization_id = %s AND d.id = ANY(%s::uuid[])"
        )
        return cls(
            ids,
            deals=("SELECT unnest(%s::uuid[])", [ids]),
            notes=(
                "SELECT n.id FROM pipeline_activity n WHERE n.organization_id = %s "
                "AND n.opportunity_id = ANY(%s::uuid[]) AND n.kind = 'note'",
                [organization, ids],
            ),
            accounts=(of_deals, [organization, ids]),
            contacts=(
                "SELECT p.id FROM pipeline_contact p WHERE p.organization_id = %s "
                f"AND p.account_id = ANY(ARRAY({of_deals}))",
                [organization, organization, ids],
            ),
        )


@dataclass(frozen=True)
class LookedUp:
    """What words found: a condition on rows of deals, and their ids where these are few."""

    condition: RawSQL
    ids: tuple[UUID, ...] | None = None


def deals_looked_up(text: str) -> LookedUp:
    """The same, looked up beforehand where few are found. Two queries. Only within a transaction.

    A list that is sorted and cut mustn't ask for the words in passing: PostgreSQL would walk through all deals in
    the order of the sort and look for each one's words. Few deals are named by their ids; of common words the set is
    made once, and each row asks whether it is in there.
    """
    words = words_of(text)[:MOST_WORDS]
    if not words:
        return LookedUp(RawSQL("false", [], output_field=BooleanField()), ())
    sql, values = _bearing(words, near=_Near([]))
    if not are_common(text):
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT DISTINCT id FROM ({sql}) f(id) LIMIT {FEW + 1}", values)
            ids = tuple(row[0] for row in cursor.fetchall())
        if len(ids) <= FEW:
            named = RawSQL(
                f"{TABLE}.id = ANY(%s::uuid[])", [[str(one) for one in ids]], output_field=BooleanField()
            )
            return LookedUp(named, ids)
    # IS TRUE keeps it a set of its own: it isn't joined, whatever the planner thinks of how many it holds.
    return LookedUp(RawSQL(f"({TABLE}.id IN ({sql})) IS TRUE", values, output_field=BooleanField()))


def are_common(text: str) -> bool:
    """Whether each word of `text` is one that many deals may be found by. One query, which counts no further."""
    words = words_of(text)[:MOST_WORDS]
    if not words:
        return False
    organization = str(current_organization_id())
    counts: list[str] = []
    values: list[Any] = []
    for word in words:
        counts.append(
            "(SELECT count(*) FROM (SELECT FROM pipeline_searchtoken WHERE organization_id = %s AND kind = ANY(%s) "
            f"AND token >= %s AND token < %s LIMIT {COMMON}) t)"
        )
        values += [organization, [DEAL, ACCOUNT, CONTACT, STEP, NOTE], word, word + LAST]
        people, of_people = _people([word], organization)
        counts[-1] += f" + {DEALS_OF_A_PERSON} * (SELECT count(*) FROM ({people}) p)"
        values += of_people
    with connection.cursor() as cursor:
        # What is made of common words is held in memory, until the transaction ends.
        cursor.execute(f"SELECT LEAST({', '.join(counts)}), set_config('work_mem', '{ROOM}', true)", values)
        fewest, _ = cursor.fetchone()
    return bool(fewest >= COMMON)


def _people(words: list[str], organization: str) -> tuple[str, list[Any]]:
    """SQL of the people whose names bear every word, with its values; there are few enough to look at them all."""
    name = "pipeline_search_plain(p.name_folded)"
    parted = f"' ' || translate({name}, $m${MARKS.replace('%', '%%')}$m$, repeat(' ', {len(MARKS)}))"
    holds = " AND ".join([f"strpos({parted}, %s) > 0"] * len(words))
    sql = f"SELECT p.id FROM otc_person p WHERE p.organization_id = %s AND {holds}"
    return sql, [organization, *(f" {word}" for word in words)]


def accounts_bearing(text: str, *, column: str = "id") -> Q:
    """Accounts with, for each word of `text`, a word in their name that begins with it."""
    words = words_of(text)[:MOST_WORDS]
    if not words:
        return Q(**{f"{column}__in": ()})
    return Q(**{f"{column}__in": RawSQL(*_ids(ACCOUNT, words))})


def contacts_bearing(text: str, *, most: int) -> Q:
    """Contacts with, for each word of `text`, a word in their name that begins with it; of many, `most` of them."""
    words = words_of(text)[:MOST_WORDS]
    if not words:
        return Q(id__in=())
    sql, values = _ids(CONTACT, words)
    # An array: a walk through all contacts in the order of their names would cost more than these.
    return Q(id__in=RawSQL(f"SELECT unnest(ARRAY({sql} LIMIT %s))", [*values, most]))


def _ids(kind: str, words: list[str], among: tuple[str, list[Any]] | None = None) -> tuple[str, list[Any]]:
    """SQL of the ids that bear every word, with its values."""
    organization, clause = str(current_organization_id()), ""
    values: list[Any] = []
    near, near_values = (f" AND id = ANY(ARRAY({among[0]}))", among[1]) if among else ("", [])
    for word in reversed(words):
        clause = (
            "SELECT id FROM pipeline_searchtoken WHERE organization_id = %s AND kind = %s AND token >= %s "
            f"AND token < %s{near}{f' AND id IN ({clause})' if clause else ''}"
        )
        values = [organization, kind, word, word + LAST, *near_values, *values]
    return clause, values


def bears(name: str, text: str) -> bool:
    """The same of one name, slowly: the definition that the table is tested against."""
    own, asked = words_of(name), words_of(text)[:MOST_WORDS]
    return bool(asked) and all(any(word.startswith(beginning) for word in own) for beginning in asked)


def people_bearing(text: str) -> Q:
    """People with, for each word of `text`, a word in their name that begins with it."""
    words = words_of(text)[:MOST_WORDS]
    return Q(id__in=RawSQL(*_people(words, str(current_organization_id())))) if words else Q(id__in=())


def leads_bearing(text: str) -> Q:
    """Leads with, for each word of `text`, a word in name, company, person or address that begins with it."""
    words = [word[:LONGEST_WORD] for word in words_of(text)[:MOST_WORDS]]
    return Q(id__in=RawSQL(*_ids(LEAD, words))) if words else Q(id__in=())
