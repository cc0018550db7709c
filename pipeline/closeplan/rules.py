"""How long a link lives, and what a comment may hold. No Django."""

import unicodedata
from datetime import datetime, timedelta

LONGEST_LIFE = timedelta(days=365)
# What is offered, in days; another day may be typed.
USUAL_DAYS = 30
MOST_CHARACTERS = 10_000


class PlanRefused(ValueError):
    """Why a plan or link is not written: which field, and a sentence for whoever typed it."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(reason)
        self.field, self.reason = field, reason


def check_life(expires_at: datetime, *, now: datetime) -> None:
    """A link ends, in the future, within LONGEST_LIFE. Raises PlanRefused."""
    if expires_at <= now:
        raise PlanRefused("expires", "A link ends on a day that lies ahead")
    if expires_at > now + LONGEST_LIFE:
        raise PlanRefused("expires", f"A link lives {LONGEST_LIFE.days} days at most; make another one then")


def clean_comment(text: str) -> str:
    """Plain text with its line breaks, without control characters; raises PlanRefused.

    >>> clean_comment(" Legal is\\r\\nready\\x00 ")
    'Legal is\\nready'
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    kept = "".join(
        letter for letter in lines if letter in "\n\t" or unicodedata.category(letter) not in ("Cc", "Cs")
    )
    said = kept.strip()
    if not said:
        raise PlanRefused("text", "Write something first")
    if len(said) > MOST_CHARACTERS:
        raise PlanRefused(
            "text",
            f"{len(said):,} characters are too many: at most {MOST_CHARACTERS:,}. Send it in two comments",
        )
    return said
