"""What a term says of itself."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Term:
    """`function` is the dotted name of what computes the number, empty for a plain word. `see` are other keys."""

    key: str
    label: str
    text: str
    function: str = ""
    see: tuple[str, ...] = ()


@dataclass(frozen=True)
class Section:
    title: str
    terms: tuple[Term, ...]
