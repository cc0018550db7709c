"""How far is an import, and shall it go on? Counted where rows are read, asked by whoever watches."""

from collections.abc import Iterable, Iterator
from threading import Event

from otc.imports.reader import SourceRow

READING, CHECKING, APPLYING, FINISHING = "reading", "checking", "applying", "finishing"
ASK_EVERY_ROWS = 500


class Cancelled(RuntimeError):
    """Somebody asked for the end; nothing of the file is applied."""


class Progress:
    """`row_count` rows were read so far; `cancelled` is set by who wants it to stop."""

    def __init__(self) -> None:
        self.phase = READING
        self.row_count = 0
        self.left_out_count = 0
        self.cancelled = Event()

    def enter(self, phase: str) -> None:
        """Begin a phase. Raises Cancelled."""
        if self.cancelled.is_set():
            raise Cancelled
        self.phase = phase

    def counted(self, rows: Iterable[SourceRow]) -> Iterator[SourceRow]:
        """The same rows. Raises Cancelled between two of them."""
        for row in rows:
            self.row_count += 1
            if self.row_count % ASK_EVERY_ROWS == 0 and self.cancelled.is_set():
                raise Cancelled
            yield row
