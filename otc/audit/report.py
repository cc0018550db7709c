"""Is this organization's log whole? The chain walked from its beginning, in one moment or chunk by chunk."""

from collections.abc import Mapping
from dataclasses import dataclass

from otc.audit.queries import CHUNK, chain_end, links_after, sound_hashes, unchained
from otc.audit.rules import MOST_FINDINGS, Finding, Walk
from otc.tenancy.context import NOBODY

# Below every number, so that one put in before the first is met too.
BEFORE_ALL = (-(2**63), str(NOBODY))


@dataclass(frozen=True)
class ChainReport:
    """Everything up to `sequence`, whose hash is `hash`, was recomputed; no finding means that it is whole."""

    sequence: int
    hash: str
    findings: tuple[Finding, ...]

    @property
    def is_whole(self) -> bool:
        return not self.findings


class Verification:
    """A walk that can pause between chunks: `take_chunk` until it says False, then `report`."""

    def __init__(self, known: Mapping[int, str]) -> None:
        self.walk = Walk(known={**sound_hashes(), **known})
        self.place = BEFORE_ALL

    def take_chunk(self) -> bool:
        """Check the next entries; whether there may be more."""
        rows = links_after(*self.place)
        for row in rows:
            self.walk.take(row)
        if rows:
            self.place = (rows[-1]["sequence"], rows[-1]["id"])
        return len(rows) == CHUNK

    def report(self) -> ChainReport:
        for row in unchained(limit=MOST_FINDINGS):
            self.walk.take(row)
        end = chain_end()
        self.walk.end(sequence=end.sequence, hash_=end.hash, largest=end.largest)
        return ChainReport(self.walk.sequence, self.walk.hash, tuple(self.walk.findings))


def chain_report(*, known: Mapping[int, str] | None = None) -> ChainReport:
    """Walk the whole chain of the organization in context; `known` are hashes that were kept elsewhere.

    Call it in a repeatable read, so that what is written meanwhile is not taken for a gap.
    """
    verification = Verification(known or {})
    while verification.take_chunk():
        pass
    return verification.report()
