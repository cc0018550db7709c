"""What is wrong with a page that stands before somebody: for those who can't see it well, and for a narrow screen."""

from pathlib import Path

import axe_playwright_python

from tests.browser.conftest import Seat

AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js").read_text()
# Without `preload` axe doesn't fetch the style sheets once more, which only a rule about turned screens reads.
VIOLATIONS = """async rules => {
  const found = await axe.run(document, {preload: false, resultTypes: ["violations"], ...rules});
  return found.violations.map(v => v.id + ": " + v.nodes.slice(0, 3).map(n => n.target.join(" ")).join(", "));
}"""
# In the dark only colours differ; that is so much faster than looking at everything twice.
LOOKS = {"light": {}, "dark": {"runOnly": {"type": "rule", "values": ["color-contrast"]}}}


NARROW = {"width": 390, "height": 844}


def troubles_at_both_widths(seat: Seat, where: str = "", *, has_own_parts: bool = True) -> list[str]:
    """The same of the wide page that stands there, and of the narrow one that it becomes; wide again afterwards."""
    wide = seat.page.viewport_size
    found = troubles_of(seat, where)
    seat.page.set_viewport_size(NARROW)
    found += troubles_of(seat, f"{where}, narrow,", has_own_parts=has_own_parts)
    seat.page.set_viewport_size(wide)
    return found


def troubles_of(seat: Seat, where: str = "", *, has_own_parts: bool = True) -> list[str]:
    """What axe finds on the page as it stands in both themes, and by how much it is wider than the screen.

    `has_own_parts` False: a narrow page holds what the wide one does, which was looked at; only its width counts.
    """
    page, found = seat.page, []
    width = page.viewport_size["width"]
    if width > 640 or has_own_parts:
        page.evaluate(AXE)
        for theme, rules in LOOKS.items():
            page.emulate_media(color_scheme=theme, reduced_motion="reduce")
            found += [f"{where} {theme}: {one}" for one in page.evaluate(VIOLATIONS, rules)]
    needed = page.evaluate("document.documentElement.scrollWidth")
    return [*found, f"{where} is {needed} px wide"] if needed > width else found
