"""What may stand in a name, whoever gives it: a form, the API or a file."""

from collections.abc import Mapping
from typing import Any

# Control characters, those that turn the direction of writing, and those that take no room hide in a name what it says.
_BREAKS = dict.fromkeys(map(ord, "\t\n\v\f\r\x85\u2028\u2029"), " ")
_UNSEEN = dict.fromkeys(
    (
        *range(0x01, 0x20),
        *range(0x7F, 0xA0),
        0xAD,
        0x061C,
        0x180E,
        # The joiners between 200B and 200E belong to scripts and emoji.
        0x200B,
        0x200E,
        0x200F,
        *range(0x202A, 0x202F),
        *range(0x2060, 0x2065),
        *range(0x2066, 0x2070),
        0xFEFF,
        *range(0xFFF9, 0xFFFC),
    )
)
_CLEANED = {**_UNSEEN, **_BREAKS, 0: None}


def clean_name(text: str) -> str:
    """Without what can't be seen in a name, and without space around it.

    >>> clean_name("Ada\\u202e Lovelace\\n")
    'Ada Lovelace'
    """
    return (text if text.isprintable() else text.translate(_CLEANED)).strip()


def clean_lines(changes: Mapping[str, Any]) -> dict[str, Any]:
    """The same changes, every text in one line that shows all it holds; what isn't text stays."""
    return {key: clean_name(value) if isinstance(value, str) else value for key, value in changes.items()}
