"""What is wrong with a page that stands before somebody: for those who can't see it well, and for a narrow screen."""

from pathlib import Path

import axe_playwright_python

from tests.browser.conftest import Seat
from tests.nightly import IS_NIGHTLY

AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js").read_text()
# Without `preload` axe doesn't fetch the style sheets once more, which only a rule about turned screens reads.
VIOLATIONS = """async ([rules, known]) => {
  const rest = known.filter(part => document.querySelector(part));
  const looked = rest.length ? {exclude: rest.map(part => [part])} : document;
  const found = await axe.run(looked, {preload: false, resultTypes: ["violations"], ...rules});
  return found.violations.map(v => v.id + ": " + v.nodes.slice(0, 3).map(n => n.target.join(" ")).join(", "));
}"""
THEMES = ("light", "dark")
# In the second theme only colours differ; that is so much faster than looking at everything twice.
COLOURS = {"runOnly": {"type": "rule", "values": ["color-contrast"]}}
# What a narrow page may lose beside colours: room, and the words and names that it hides.
BY_LAYOUT = (
    *(
        "color-contrast",
        "target-size",
        "scrollable-region-focusable",
        "link-in-text-block",
        "aria-hidden-focus",
    ),
    *("label", "select-name", "input-button-name", "button-name", "link-name", "summary-name"),
)
OF_LAYOUT = {"runOnly": {"type": "rule", "values": BY_LAYOUT}}

NARROW = {"width": 390, "height": 844}
# What stands on every page is looked at once per seat, width and theme; a long table's rows are like its first.
SHELL = (".sidebar", ".tabbar", "header.bar")
MORE_ROWS = () if IS_NIGHTLY else ("tbody > tr:nth-child(n+9)",)


def troubles_at_both_widths(
    seat: Seat, where: str = "", *, has_own_parts: bool = True, in_both_themes: bool = IS_NIGHTLY
) -> list[str]:
    """The same of the wide page that stands there, and of the narrow one that it becomes; wide again afterwards."""
    wide = seat.page.viewport_size
    found = troubles_of(seat, where, in_both_themes=in_both_themes)
    seat.page.set_viewport_size(NARROW)
    found += troubles_of(seat, f"{where}, narrow,", has_own_parts=has_own_parts)
    seat.page.set_viewport_size(wide)
    return found


def troubles_of(
    seat: Seat, where: str = "", *, has_own_parts: bool = True, in_both_themes: bool = IS_NIGHTLY
) -> list[str]:
    """What axe finds on the page as it stands, and by how much it is wider than the screen.

    In one theme, each look in the other one than the look before: what has a colour has it from the same few
    tokens everywhere. `has_own_parts` False: a narrow page holds what the wide one does, which was looked at;
    only its width counts.
    """
    page, found = seat.page, []
    width = page.viewport_size["width"]
    if width > 640 or has_own_parts:
        if not page.evaluate("!!window.axe"):
            page.evaluate(AXE)
        seat.looks += 1
        turned = THEMES[seat.looks % 2 :] + THEMES[: seat.looks % 2]
        first = OF_LAYOUT if width <= 640 and not IS_NIGHTLY else {}
        for theme, rules in zip(turned if in_both_themes else turned[:1], (first, COLOURS), strict=False):
            page.emulate_media(color_scheme=theme, reduced_motion="reduce")
            known = SHELL if (width, theme) in seat.shells_seen else ()
            seat.shells_seen.add((width, theme))
            told = page.evaluate(VIOLATIONS, [rules, [*known, *MORE_ROWS]])
            found += [f"{where} {theme}: {one}" for one in told]
    needed = page.evaluate("document.documentElement.scrollWidth")
    return [*found, f"{where} is {needed} px wide"] if needed > width else found
