"""Is a chain whole? Recomputed here from what the entries say, without trusting the database that wrote them."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

GENESIS = "0" * 64
MOST_FINDINGS = 100


@dataclass(frozen=True)
class Finding:
    """What is wrong, and where: `kind` is one of changed, removed, inserted, reordered, cut, rewritten."""

    kind: str
    sequence: int | None
    sentence: str


def canonical(content: Mapping[str, Any]) -> bytes:
    """The one spelling of a content that is hashed and signed."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode("utf-8", "surrogatepass")


def hash_of(entry: Mapping[str, Any]) -> str:
    """SHA-256 over everything that an entry says, except the hash itself."""
    content = {name: value for name, value in entry.items() if name != "hash"}
    return hashlib.sha256(canonical(content)).hexdigest()


@dataclass
class Walk:
    """Takes entries in the order of their numbers and remembers what is wrong with them.

    `known` are hashes by number that were kept elsewhere. After the walk, `sequence` and `hash` are its end.

    >>> walk = Walk()
    >>> for entry in entries: walk.take(entry)
    >>> walk.findings
    []
    """

    known: Mapping[int, str] = field(default_factory=dict)
    sequence: int = 0
    hash: str = GENESIS
    findings: list[Finding] = field(default_factory=list)

    def take(self, entry: Mapping[str, Any]) -> None:
        number, expected = entry["sequence"], self.sequence + 1
        if number is None:
            self._find("inserted", None, f"Entry {entry['id']} stands outside the chain")
            return
        if number < expected:
            self._find("inserted", number, f"#{number} is there more than once")
            return
        if number > expected:
            gone = f"#{expected} is" if number == expected + 1 else f"#{expected} to #{number - 1} are"
            self._find("removed", expected, f"{gone} missing")
        recomputed = hash_of(entry)
        if recomputed != entry["hash"]:
            self._find("changed", number, f"#{number} does not say what it said when it was written")
        elif number == expected and entry["previous_hash"] != self.hash:
            self._find("reordered", number, f"#{number} does not follow what stands before it")
        kept = self.known.get(number)
        if kept is not None and kept != recomputed:
            self._find("rewritten", number, f"#{number} is another than the checkpoint says")
        self.sequence, self.hash = number, entry["hash"]

    def end(self, *, sequence: int, hash_: str, largest: int) -> None:
        """Compare with where the chain says that it ends, `hash_` being kept there, and with the largest number."""
        if largest < sequence:
            self._find("cut", largest + 1, f"The chain ends at #{sequence}, its last entry is #{largest}")
        elif largest > sequence:
            self._find("inserted", largest, f"The chain ends at #{sequence}, but there is #{largest}")
        if self.sequence == sequence and hash_ != self.hash:
            self._find("rewritten", sequence, f"#{sequence} is not the entry that the chain ended with")
        if beyond := [number for number in self.known if number > largest]:
            self._find("cut", largest + 1, f"A checkpoint knows #{max(beyond)}, the last entry is #{largest}")

    def _find(self, kind: str, sequence: int | None, sentence: str) -> None:
        if len(self.findings) < MOST_FINDINGS:
            self.findings.append(Finding(kind, sequence, sentence))
