"""Whom do the words in a person field mean? An id, an e-mail address, an external id or a name."""

from collections.abc import Callable, Iterable
from functools import cache
from uuid import UUID

from django.db.models import Q

from otc.tenancy.models import Person
from otc.tenancy.services import fold

COLUMNS = ("id", "email", "external_id", "name_folded")
Row = tuple[UUID, str, str | None, str]


def person_reader() -> Callable[[str], UUID]:
    """A function from words to the person's id; raises ValueError, saying why. Asks once per distinct words."""

    def read(words: str) -> UUID:
        named = Q(email__iexact=words) | Q(external_id=words) | Q(name_folded=fold(words))
        found = Person.objects.filter(Q(id=own) if (own := _as_id(words)) else named)
        return _meant(words, found.values_list(*COLUMNS)[:50])

    return cache(read)


def people_directory() -> Callable[[str], UUID]:
    """The same, with everybody read beforehand: while a file is copied nothing else can be asked."""
    by_words: dict[str, list[Row]] = {}
    for row in Person.objects.values_list(*COLUMNS):
        for words in {str(row[0]), row[1].casefold(), row[2] or "", row[3]} - {""}:
            by_words.setdefault(words, []).append(row)

    def read(words: str) -> UUID:
        own = _as_id(words)
        spelled = {str(own)} if own else {words.casefold(), words, fold(words)}
        return _meant(words, {row for one in spelled for row in by_words.get(one, ())})

    return cache(read)


def _as_id(words: str) -> UUID | None:
    try:
        return UUID(words)
    except ValueError:
        return None


def _meant(words: str, rows: Iterable[Row]) -> UUID:
    """The one of `rows` whom the words mean: by id, else e-mail, else external id, else name."""
    found = list(rows)
    for column, spelled in ((0, str(_as_id(words))), (1, words.casefold()), (2, words), (3, fold(words))):
        named = [row for row in found if row[column] and _spelled(row, column) == spelled]
        if len(named) > 1:
            raise ValueError(f"Several people are called “{words[:60]}”; give the e-mail address")
        if named:
            return named[0][0]
    raise ValueError(f"Nobody here is “{words[:60]}”; give a name, an e-mail address or an id")


def _spelled(row: Row, column: int) -> str:
    text = str(row[column])
    return text.casefold() if column == 1 else text
