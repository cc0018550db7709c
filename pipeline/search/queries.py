"""Which deals or accounts bear words that begin so? Through the table of words that the database keeps.

A deal is found by its name, its account's, a contact's there, its owner's, its next step and its notes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Q
from django.db.models.expressions import RawSQL

from otc.tenancy.context import current_organization_id
from otc.tenancy.services import fold

DEAL, ACCOUNT, CONTACT, STEP, NOTE = "deal", "account", "contact", "step", "note"
# What parts words beside spaces; pipeline_search_tokens has the same.
MARKS = " !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~¡¢£¤¥¦§¨©«¬®¯°±´¶·¸»¿×÷‐‑‒–—―‘’‚‛“”„‟†‡•…‹›€™"
# The largest code point: what begins with "kes" sorts from "kes" up to "kes" + LAST.
LAST = "\U0010ffff"
MOST_WORDS = 8
# From so many on, words are said to be common; a person who is found leads to so many deals.
COMMON = 1_000
DEALS_OF_A_PERSON = 100
# What is written freely is kept with its words cut to this.
LONGEST_WORD = 100
_PARTED = str.maketrans(dict.fromkeys(MARKS, " "))


def words_of(text: str) -> list[str]:
    """The words that are asked for, folded, each once.

    >>> words_of("Kestrel-Rail, kestrel")
    ['kestrel', 'rail']
    """
    return list(dict.fromkeys(fold(text).translate(_PARTED).split()))


def deals_bearing(text: str, *, among: Sequence[UUID] | None = None) -> Q:
    """Deals where one of what they are found by bears, for each word of `text`, a word that begins with it.

    One set of ids, so that no way in makes PostgreSQL look at every deal. `among`: only of these deals, which a few
    hundred are asked one by one: quicker where the words are common.
    """
    words = words_of(text)[:MOST_WORDS]
    if not words or among == []:
        return Q(id__in=())
    organization = str(current_organization_id())
    cut = [word[:LONGEST_WORD] for word in words]
    near = _Near.of(among, organization)
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
    values += [organization, *contact_values, organization, *owner_values]
    if among is None:
        return Q(id__in=RawSQL(sql, values))
    return Q(
        id__in=RawSQL(f"SELECT f.id FROM ({sql}) f(id) WHERE f.id = ANY(%s::uuid[])", [*values, near.ids])
    )


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
        cursor.execute(f"SELECT LEAST({', '.join(counts)})", values)
        (fewest,) = cursor.fetchone()
    return bool(fewest >= COMMON)


def _people(words: list[str], organization: str) -> tuple[str, list[Any]]:
    """SQL of the people whose names bear every word, with its values; there are few enough to look at them all."""
    parted = f"' ' || translate(p.name_folded, $m${MARKS.replace('%', '%%')}$m$, repeat(' ', {len(MARKS)}))"
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
