"""Which deals or accounts bear words that begin so? Through the table of words that the database keeps."""

from django.db.models import Q
from django.db.models.expressions import RawSQL

from otc.tenancy.context import current_organization_id
from otc.tenancy.services import fold

DEAL, ACCOUNT = "deal", "account"
# What parts words beside spaces; pipeline_search_tokens has the same.
MARKS = " !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~¡¢£¤¥¦§¨©«¬®¯°±´¶·¸»¿×÷‐‑‒–—―‘’‚‛“”„‟†‡•…‹›€™"
# The largest code point: what begins with "kes" sorts from "kes" up to "kes" + LAST.
LAST = "\U0010ffff"
MOST_WORDS = 8
_PARTED = str.maketrans(dict.fromkeys(MARKS, " "))


def words_of(text: str) -> list[str]:
    """The words that are asked for, folded, each once.

    >>> words_of("Kestrel-Rail, kestrel")
    ['kestrel', 'rail']
    """
    return list(dict.fromkeys(fold(text).translate(_PARTED).split()))


def deals_bearing(text: str) -> Q:
    """Deals with, for each word of `text`, a word in their name that begins with it, or all of them in their account's.

    One set of ids, so that neither way in makes PostgreSQL look at every deal.
    """
    words = words_of(text)[:MOST_WORDS]
    if not words:
        return Q(id__in=())
    own, own_values = _ids(DEAL, words)
    accounts, account_values = _ids(ACCOUNT, words)
    sql = (
        f"{own} UNION ALL SELECT d.id FROM pipeline_opportunity d "
        f"WHERE d.organization_id = %s AND d.account_id IN ({accounts})"
    )
    return Q(id__in=RawSQL(sql, [*own_values, str(current_organization_id()), *account_values]))


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
