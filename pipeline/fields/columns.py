"""Which columns does a list show? Named by the address, else as the person chose, else the usual ones."""

from dataclasses import dataclass

from otc.fields.queries import Book
from otc.fields.rules import PREFIX, Field
from otc.question import BadQuestion

# Name, heading, class of its width, whether it is a number. The deal itself always stands first.
BUILT_IN: dict[str, tuple[str, str, bool]] = {
    "stage": ("Stage", "w-14", False),
    "amount": ("Amount", "w-20", True),
    "close": ("Close", "w-15", False),
    "category": ("Category", "w-14", False),
    "health": ("Health", "w-20", False),
    "slip": ("Slip risk", "w-12", True),
    "fit": ("Fit", "w-14", False),
    "next": ("Next step", "w-16", False),
    "due": ("Due", "w-10", False),
}
# Fit is shown where it is asked for: not every organization measures it.
USUAL = tuple(name for name in BUILT_IN if name != "fit")
# Where a list's column and the cell that it shows are called differently.
CELL_OF = {"due": "next-on"}
KIND_OF = {"stage": "choice", "category": "choice", "amount": "amount", "close": "date", "due": "date"}
KIND_OF_FIELD = {
    "choice": "choice",
    "person": "choice",
    "money": "amount",
    "number": "amount",
    "date": "date",
}
MOST = 20
WIDTHS = {
    "text": "w-18",
    "choice": "w-15",
    "person": "w-18",
    "number": "w-14",
    "money": "w-16",
    "date": "w-14",
}


@dataclass(frozen=True)
class ListColumn:
    """A column: its name in the address, heading, width's class, and its custom field if it is one."""

    name: str
    label: str
    width: str
    is_number: bool
    sort: str
    field: Field | None = None

    @property
    def cell(self) -> str:
        """What its cell's editor is called; of a computed column, the column's own name."""
        return f"field-{self.field.key}" if self.field else CELL_OF.get(self.name, self.name)

    @property
    def kind(self) -> str:
        """How its cell is typed into: amount, date, choice or text."""
        return KIND_OF_FIELD.get(self.field.kind, "text") if self.field else KIND_OF.get(self.name, "text")


def read_columns(text: str, *, book: Book) -> tuple[str, ...]:
    """Names from `columns=amount,close,field.region`. Raises BadQuestion for one that isn't there."""
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    for name in names:
        if not _is_known(name, book):
            known = ", ".join([*BUILT_IN, *(field.name for field in book.active[:20])])
            raise BadQuestion("columns", f"“{name[:60]}” is none of: {known}")
    if len(names) > MOST:
        raise BadQuestion("columns", f"At most {MOST} columns fit beside the deal")
    return names


def _is_known(name: str, book: Book) -> bool:
    if not name.startswith(PREFIX):
        return name in BUILT_IN
    field = book.by_key(name.removeprefix(PREFIX))
    return field is not None and field.is_active


def list_columns(
    named: tuple[str, ...], remembered: tuple[str, ...], *, book: Book
) -> tuple[ListColumn, ...]:
    """The columns to show; a remembered one whose field was retired since is left out."""
    names = named or tuple(name for name in remembered if _is_known(name, book)) or USUAL
    return tuple(_column(name, book) for name in names)


def _column(name: str, book: Book) -> ListColumn:
    if name in BUILT_IN:
        label, width, is_number = BUILT_IN[name]
        sort = {"due": "next", "next": ""}.get(name, name)
        return ListColumn(name, label, width, is_number, sort)
    field = book.by_key(name.removeprefix(PREFIX))
    assert field is not None
    is_number = field.kind in ("number", "money")
    return ListColumn(name, field.label, WIDTHS[field.kind], is_number, name, field)


def all_columns(book: Book) -> tuple[ListColumn, ...]:
    """Everything that can be chosen."""
    return tuple(_column(name, book) for name in (*BUILT_IN, *(field.name for field in book.active)))
