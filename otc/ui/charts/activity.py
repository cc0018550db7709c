"""Twelve weeks of contact in 55 pixels, the last two weeks darker."""

from collections.abc import Sequence

from django.utils.safestring import SafeString

from otc.ui.charts import svg

WEEKS = 12
STEP, BAR, HEIGHT = 5, 3, 18
RECENT = 2


def bars(counts: Sequence[int], *, label: str = "") -> SafeString:
    """Contacts per week, oldest first; shorter series are filled with zeros on the left. Zero is a stub."""
    padded = [0] * (WEEKS - len(counts)) + list(counts)[-WEEKS:]
    largest = max([*padded, 1])
    marks = []
    for week, count in enumerate(padded):
        height = max(3.0, HEIGHT * count / largest) if count else svg.MIN_MARK / 2
        class_ = "stub" if not count else "recent" if week >= WEEKS - RECENT else "bar-plain"
        marks.append(svg.rect(x=week * STEP, y=HEIGHT - height, width=BAR, height=height, class_=class_))
    spoken = label or f"{sum(padded)} contacts in {WEEKS} weeks, {sum(padded[-RECENT:])} in the last {RECENT}"
    return svg.tiny(marks, width=WEEKS * STEP - STEP + BAR, height=HEIGHT, label=spoken)
