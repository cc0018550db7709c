"""How marks become SVG text, with everything escaped.

Charts are fluid: x in percent of the width, y in pixels, no viewBox, so text keeps its 11 px at any width.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from django.utils.html import conditional_escape
from django.utils.safestring import SafeString, mark_safe

MIN_MARK = 2.0


@dataclass(frozen=True)
class ChartTable:
    """What the chart says, as a table: headings and rows of text; each row may link to its deals."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    hrefs: tuple[str, ...] = ()

    @property
    def linked_rows(self) -> list[tuple[str, tuple[str, ...]]]:
        """(href or '', cells) per row."""
        hrefs = self.hrefs or ("",) * len(self.rows)
        return list(zip(hrefs, self.rows, strict=True))


@dataclass(frozen=True)
class Chart:
    """A drawn chart; narrow_svg, when there is one, replaces svg under 640 px."""

    svg: SafeString
    table: ChartTable
    narrow_svg: SafeString = field(default=mark_safe(""))


def number(value: float) -> str:
    """Coordinates with at most two decimals and no trailing zeros."""
    return f"{value:.2f}".rstrip("0").rstrip(".") or "0"


def pct(share: float) -> str:
    """0..1 as an SVG percentage."""
    return f"{number(share * 100)}%"


def node(tag: str, /, *children: SafeString | str, **attributes: str | float | None) -> SafeString:
    """One element; attribute names: class_ -> class, stroke_width -> stroke-width; None leaves it out."""
    parts = []
    for name, value in attributes.items():
        if value is None:
            continue
        text = number(value) if isinstance(value, int | float) else value
        parts.append(f' {name.rstrip("_").replace("_", "-")}="{conditional_escape(text)}"')
    inner = "".join(conditional_escape(child) for child in children)
    return mark_safe(f"<{tag}{''.join(parts)}>{inner}</{tag}>")  # every part was escaped above


def text(content: str, *, x: str | float, y: float, class_: str, dx: float | None = None) -> SafeString:
    """A label; its class sets the anchor (t-start, t-middle, t-end)."""
    return node("text", content, x=x, y=y, dx=dx, class_=class_)


def line(x1: str | float, y1: float, x2: str | float, y2: float, class_: str) -> SafeString:
    """A straight line."""
    return node("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=class_)


def rect(
    *, x: str | float, y: float, width: str | float, height: float, class_: str, rx: float | None = None
) -> SafeString:
    """A box."""
    return node("rect", x=x, y=y, width=width, height=height, rx=rx, class_=class_)


def link(href: str, label: str, *children: SafeString) -> SafeString:
    """A mark that opens its deals; without an address it is a group. The title names and explains it."""
    if not href:
        return node("g", node("title", label), *children)
    return node("a", node("title", label), *children, href=href, class_="mark")


def picture(
    children: Sequence[SafeString],
    *,
    height: float,
    label: str,
    class_: str = "",
    width: str | float = "100%",
) -> SafeString:
    """The whole drawing. A group, not an image: the links inside must stay reachable."""
    return node(
        "svg",
        *children,
        class_=f"chart {class_}".strip(),
        width=width,
        height=height,
        role="group",
        aria_label=label,
    )


def tiny(children: Sequence[SafeString], *, width: float, height: float, label: str) -> SafeString:
    """A mark inside a line of text; decoration when nothing is to be said."""
    return node(
        "svg",
        *children,
        class_="micro",
        width=width,
        height=height,
        role="img" if label else None,
        aria_label=label or None,
        aria_hidden=None if label else "true",
    )
