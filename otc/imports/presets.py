"""Whose export is this? Presets are data: per system the files it exports, known by their headers, with mappings."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from hashlib import blake2b
from pathlib import Path
from typing import Any

SYSTEM_KEYS = {"system", "about", "files"}
FILE_KEYS = {
    "kind", "title", "needs", "needs_like", "lacks", "columns", "where", "ignore", "process", "create_missing", "unfold"
}  # fmt: skip


@dataclass(frozen=True)
class Preset:
    """One kind of file that a system exports. `document` is its part of the JSON; `needs` tells it by the header."""

    system: str
    title: str
    kind: str
    document: Mapping[str, Any]

    @property
    def label(self) -> str:
        return f"{self.system}: {self.title}"

    def fits(self, header: Sequence[str]) -> bool:
        names = set(header)
        like = self.document.get("needs_like")
        return (
            names >= set(self.document["needs"])
            and not names & set(self.document.get("lacks", ()))
            and (like is None or any(fnmatchcase(name, like) for name in header))
        )

    def mapping(self, header: Sequence[str]) -> dict[str, Any]:
        """The mapping for a file with this header: of each column's sources the first whose columns are there."""
        names = set(header)
        unfold = self.document.get("unfold")
        if unfold:
            names |= {unfold["name"], unfold["value"]}
        columns = {
            target: found
            for target, sources in self.document["columns"].items()
            if (found := next((source for source in sources if source_columns(source) <= names), None))
            is not None
        }
        where = {name: values for name, values in self.document.get("where", {}).items() if name in names}
        patterns = self.document.get("ignore", ())
        ignore = [name for name in header if any(fnmatchcase(name, pattern) for pattern in patterns)]
        taken = set().union(*map(source_columns, columns.values()))
        found = {
            "columns": columns,
            "where": where,
            "ignore": [name for name in ignore if name not in taken],
            "process": self.document.get("process"),
            "create_missing": {
                target: names for target, names in self.document.get("create_missing", {}).items()
                if target in columns
            },
            "unfold": unfold,
        }  # fmt: skip
        return {key: value for key, value in found.items() if value}


def source_columns(source: Any) -> set[str]:
    """The file's columns that a source of a mapping reads, its conditions included."""
    if isinstance(source, str):
        return {source}
    parts = [source["column"]] if "column" in source else source.get("columns", [])
    names = {part["column"] if isinstance(part, dict) else part for part in parts}
    return names | set(source.get("when", ()))


def read_presets(folder: Path) -> tuple[Preset, ...]:
    """Every preset of the JSON files in a folder. Raises ValueError for a key that means nothing."""
    found: list[Preset] = []
    for path in sorted(folder.glob("*.json")):
        document = json.loads(path.read_text(encoding="utf-8"))
        if unknown := set(document) - SYSTEM_KEYS:
            raise ValueError(f"{path.name}: {sorted(unknown)}")
        for entry in document["files"]:
            if unknown := set(entry) - FILE_KEYS:
                raise ValueError(f"{path.name}, {entry.get('title')}: {sorted(unknown)}")
            found.append(Preset(document["system"], entry["title"], entry["kind"], entry))
    return tuple(found)


def presets_for(presets: Sequence[Preset], *, header: Sequence[str]) -> list[Preset]:
    """Those that a file with this header fits, the most telling first; what is unfolded comes after."""
    fitting = [preset for preset in presets if preset.fits(header)]
    return sorted(fitting, key=lambda preset: ("unfold" in preset.document, -len(preset.document["needs"])))


def header_signature(header: Sequence[str]) -> str:
    """The same for files whose headers bear the same names, in whatever order and case."""
    names = "\x1f".join(sorted(name.casefold() for name in header))
    return blake2b(names.encode(), digest_size=16).hexdigest()
