"""Whom does a comment mean? @Names in plain text, found among the people who may be meant. No Django."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from pipeline.opportunities.rules import Refused

LONGEST_COMMENT = 10_000
MOST_MENTIONS = 50
# An @ inside a word belongs to an address: ana@example.org means nobody.
_AT = re.compile(r"(?<![\w@.])@(?=\w)")
_WORD = re.compile(r"[\w'’-]+")
_UNSTORABLE = {0: None, **dict.fromkeys(range(0xD800, 0xE000), "�")}


@dataclass(frozen=True)
class Somebody:
    person_id: UUID
    name: str


@dataclass(frozen=True)
class Mention:
    """`text[start:end]` is the @Name as it was typed."""

    start: int
    end: int
    person_id: UUID


@dataclass(frozen=True)
class Meant:
    """`unknown` are names after an @ that mean nobody, or more than one."""

    mentions: tuple[Mention, ...]
    unknown: tuple[str, ...]

    @property
    def people(self) -> frozenset[UUID]:
        return frozenset(mention.person_id for mention in self.mentions)


def checked_text(text: str) -> str:
    """The comment as it is kept: lines end alike, nothing around it. Raises Refused."""
    kept = text.replace("\r\n", "\n").replace("\r", "\n").translate(_UNSTORABLE).strip()
    if not kept:
        raise Refused("text", "A comment needs words")
    if len(kept) > LONGEST_COMMENT:
        raise Refused(
            "text", f"A comment has at most {LONGEST_COMMENT:,} characters; this one has {len(kept):,}"
        )
    return kept


def mentions_in(text: str, people: Sequence[Somebody]) -> Meant:
    """Everybody whose name follows an @: the longest name that fits, else a first name that only one has.

    >>> mentions_in("@Ana Ruiz, see @max", [Somebody(ANA, "Ana Ruiz"), Somebody(MAX, "Max Brandt")]).people
    frozenset({ANA, MAX})
    """
    whole = _names((one.name, one.person_id) for one in people)
    first = _names((one.name.split()[0], one.person_id) for one in people if one.name.split())
    found: list[Mention] = []
    unknown: list[str] = []
    names = sorted({**first, **whole}, key=len, reverse=True)
    pattern = re.compile("|".join(_spaced(name) for name in names) or r"(?!)", re.IGNORECASE)
    for at in _AT.finditer(text):
        match = pattern.match(text, at.end())
        ids = _ids(match[0], whole, first) if match else frozenset()
        if match and len(ids) == 1:
            found.append(Mention(at.start(), match.end(), next(iter(ids))))
            continue
        word = _WORD.match(text, at.end())
        unknown.append(match[0] if match else word[0] if word else "")
    return Meant(tuple(found[:MOST_MENTIONS]), tuple(dict.fromkeys(name for name in unknown if name)))


def parts_of(text: str, mentions: Iterable[Sequence[int | str]]) -> list[tuple[str, bool]]:
    """The text in pieces, each with whether it is a mention; together they are the text again."""
    pieces: list[tuple[str, bool]] = []
    at = 0
    for start, end, _ in mentions:
        start, end = int(start), int(end)
        if not at <= start < end <= len(text):
            continue
        pieces += [(text[at:start], False), (text[start:end], True)]
        at = end
    return [piece for piece in (*pieces, (text[at:], False)) if piece[0]]


def _names(given: Iterable[tuple[str, UUID]]) -> dict[str, frozenset[UUID]]:
    """Who is called so, by the name in small letters with single spaces."""
    found: dict[str, frozenset[UUID]] = {}
    for name, person_id in given:
        key = _key(name)
        if key:
            found[key] = found.get(key, frozenset()) | {person_id}
    return found


def _key(name: str) -> str:
    return " ".join(name.lower().split())


def _spaced(key: str) -> str:
    return r"[ \t\u00a0]+".join(re.escape(word) for word in key.split()) + r"(?!\w)"


def _ids(typed: str, whole: dict[str, frozenset[UUID]], first: dict[str, frozenset[UUID]]) -> frozenset[UUID]:
    key = _key(typed)
    return whole.get(key) or first.get(key) or frozenset()
