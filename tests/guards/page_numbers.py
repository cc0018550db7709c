"""What a page's HTML says: its table rows, cells, hover titles and addresses, as a reader would find them."""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

from otc.ui.format import MINUS, NBSP, currency_decimals

EXACT = re.compile(f"{MINUS}?[0-9,]+([.][0-9]+)?{NBSP}[A-Z]{{3}}")


@dataclass
class Cell:
    text: str = ""
    titles: list[str] = field(default_factory=list)
    hrefs: list[str] = field(default_factory=list)


@dataclass
class TableRow:
    """A table row; `section` is thead, tbody or tfoot."""

    section: str
    row_id: str
    classes: frozenset[str]
    cells: list[Cell] = field(default_factory=list)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.rows: list[TableRow] = []
        self.titles: list[tuple[str, str]] = []
        self.classes = ""
        self.section = ""
        self.cell: Cell | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = {name: value or "" for name, value in attrs}
        if tag in ("thead", "tbody", "tfoot"):
            self.section = tag
        elif tag == "tr":
            classes = frozenset(known.get("class", "").split())
            self.rows.append(TableRow(self.section, known.get("id", ""), classes))
        elif tag in ("td", "th") and self.rows:
            self.cell = Cell()
            self.rows[-1].cells.append(self.cell)
        if tag == "div":
            self.classes = known.get("class", "")
        if title := known.get("title"):
            self.titles.append((self.classes, title))
            if self.cell is not None:
                self.cell.titles.append(title)
        if tag == "a" and self.cell is not None and known.get("href"):
            self.cell.hrefs.append(known["href"])

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th"):
            self.cell = None

    def handle_data(self, data: str) -> None:
        if self.cell is not None:
            self.cell.text += data


@dataclass(frozen=True)
class PageText:
    """Rows of all tables, and every hover title with the classes of the latest <div> before it."""

    rows: list[TableRow]
    titles: list[tuple[str, str]]

    @property
    def exact(self) -> list[str]:
        """The titles that are amounts, in the order of the page."""
        return [title for _, title in self.titles if is_exact(title)]

    def exact_of(self, div_class: str) -> list[str]:
        return [title for classes, title in self.titles if div_class in classes.split() and is_exact(title)]


def read_page(html: str) -> PageText:
    reader = _Reader()
    reader.feed(html)
    return PageText(reader.rows, reader.titles)


def is_exact(title: str) -> bool:
    """Whether a title is an amount written out, like '1,234.50 EUR'."""
    return EXACT.fullmatch(title) is not None


def minor_of(text: str) -> int:
    """Minor units of an amount written out: '1,234.50 EUR' -> 123450."""
    number, currency = text.replace(NBSP, " ").replace(MINUS, "-").rsplit(" ", 1)
    whole, _, cents = number.replace(",", "").partition(".")
    assert len(cents) == currency_decimals(currency), f"{text} isn't exact"
    return int(whole + cents)


def amounts_in(cells: list[Cell]) -> list[int]:
    """The exact amount in each cell's hover title."""
    return [minor_of(cell.titles[0]) for cell in cells]
