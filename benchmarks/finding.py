"""One line of results.md: what was measured, beside its floor, against its target."""

from dataclasses import dataclass

HEAD = ("| what | measured | floor | ratio | target | met |", "|---|---|---|---|---|---|")


@dataclass(frozen=True)
class Finding:
    """`ratio` is measured / floor, None where the floor is only a budget. `is_met` None: there to compare with."""

    what: str
    measured: str
    floor: str
    ratio: float | None
    target: str
    is_met: bool | None

    def line(self) -> str:
        met = {True: "yes", False: "**missed**", None: ""}[self.is_met]
        ratio = "" if self.ratio is None else f"{self.ratio:.2f}"
        return f"| {self.what} | {self.measured} | {self.floor} | {ratio} | {self.target} | {met} |"


def against(what: str, *, measured_ms: float, floor_ms: float, most: float | None, more: str = "") -> Finding:
    """A time against a multiple of its floor."""
    ratio = measured_ms / floor_ms
    return Finding(
        what,
        f"{measured_ms:.1f} ms{more}",
        f"{floor_ms:.2f} ms",
        ratio,
        "" if most is None else f"at most {most:g}",
        None if most is None else ratio <= most,
    )
