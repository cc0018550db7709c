"""Which deals or accounts bear words that begin so? Through the table of words that the database keeps.

A deal is found by its name, its account's, a contact's there, its owner's, its next step and its notes.
"""

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
# What is written freely is kept with its words cut to this.
LONGEST_WORD = 100
_PARTED = str.maketrans(dict.fromkeys(MARKS, " "))


def words_of(text: str) -> list[str]:
    """The words that are asked for, folded, each once.

    >>> words_of("Kestrel-Rail, kestrel")
    ['kestrel', 'rail']
    """
    return list(dict.fromkeys(fold(text).translate(_PARTED).split()))


def deals_bearing(text: str) -> Q:
    """Deals where one of what they are found by bears, for each word of `text`, a word that begins with it.

    One set of ids, so that no way in makes PostgreSQL look at every deal.
    """
    words = words_of(text)[:MOST_WORDS]
    if not words:
        return Q(id__in=())
    organization = str(current_organization_id())
    cut = [word[:LONGEST_WORD] for word in words]
    own, own_values = _ids(DEAL, words)
    steps, step_values = _ids(STEP, cut)
    notes, note_values = _ids(NOTE, cut)
    accounts, account_values = _ids(ACCOUNT, words)
    contacts, contact_values = _ids(CONTACT, words)
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
    return Q(id__in=RawSQL(sql, values))


def _people(words: list[str], organization: str) -> tuple[str, list[str]]:
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


def _ids(kind: str, words: list[str]) -> tuple[str, list[str]]:
    """SQL of the ids that bear every word, with its values."""
    organization, clause = str(current_organization_id()), ""
    values: list[str] = []
    for word in reversed(words):
        clause = (
            "SELECT id FROM pipeline_searchtoken WHERE organization_id = %s AND kind = %s AND token >= %s "
            f"AND token < %s{f' AND id IN ({clause})' if clause else ''}"
        )
        values = [organization, kind, word, word + LAST, *values]
    return clause, values


def bears(name: str, text: str) -> bool:
    """The same of one name, slowly: the definition that the table is tested against."""
    own, asked = words_of(name), words_of(text)[:MOST_WORDS]
    return bool(asked) and all(any(word.startswith(beginning) for word in own) for beginning in asked)
