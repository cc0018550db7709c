"""What is a file called, when anybody may have named it? One line without what can't be seen, and no folder."""

import unicodedata

LONGEST = 120
NAMELESS = "file without a name"


def shown_name(name: str) -> str:
    """The last part of a path, printable and short; a long one keeps its ending.

    >>> shown_name("../../etc/\\x00pass\\nwd.csv")
    'passwd.csv'
    """
    last = name.replace("\\", "/").rpartition("/")[2]
    visible = "".join(
        letter for letter in last if unicodedata.category(letter)[0] not in "CZ" or letter == " "
    )
    visible = " ".join(visible.split())
    if visible in ("", ".", ".."):
        return NAMELESS
    return visible if len(visible) <= LONGEST else f"{visible[: LONGEST - 21]}…{visible[-20:]}"
