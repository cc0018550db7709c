"""Take the pictures of the README and of docs/ from what `make run` said on its first start.

make run | tee run.log                              # in another terminal
.venv/bin/python -m docs.pictures run.log halden
"""

import re
import sys
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.chromium import ARGUMENTS, chromium_path

FOLDER = Path(__file__).with_name("pictures")
WIDE, NARROW = (1440, 900), (390, 844)
# By whom, file, address below the organization, size, theme.
PICTURES = (
    ("rep", "today-light", "today/", WIDE, "light"),
    ("rep", "today-390", "today/", NARROW, "dark"),
    ("manager", "inspection-light", "inspection/", WIDE, "light"),
    ("manager", "inspection-dark", "inspection/", WIDE, "dark"),
    ("manager", "inspection-390", "inspection/", NARROW, "light"),
    ("executive", "forecast-light", "forecast/", WIDE, "light"),
    ("manager", "deals-light", "deals/", WIDE, "light"),
    ("manager", "board-light", "deals/board/", WIDE, "light"),
    ("manager", "winloss-light", "winloss/", WIDE, "light"),
    ("manager", "leads-light", "leads/", WIDE, "light"),
    ("manager", "duplicates-light", "duplicates/", WIDE, "light"),
    ("administrator", "process-light", "settings/process/", WIDE, "light"),
)


@dataclass(frozen=True)
class Said:
    """What the first start printed: where it runs, (mail, password) by role, the path of a buyer's plan."""

    address: str
    sign_ins: dict[str, tuple[str, str]]
    plan: str


def read_log(text: str, *, organization: str) -> Said:
    mail = rf"(\S+@{organization}\.example)"
    found = re.findall(rf"^  {mail} +(\S+)  (\w+) at", text, re.MULTILINE)
    addresses, plans = re.findall(r"Ready at (\S+)/", text), re.findall(r"(/plan/\S+)", text)
    if not (found and addresses and plans):
        raise SystemExit(
            "That isn't what a first `make run` says; `make reset` makes the next one a first one"
        )
    return Said(addresses[-1], {role: (email, password) for email, password, role in found}, plans[-1])


def signed_in(browser: Browser, said: Said, *, role: str) -> Page:
    email, password = said.sign_ins[role]
    page = browser.new_context().new_page()
    page.goto(f"{said.address}/accounts/login/")
    page.fill("[name=login]", email)
    page.fill("[name=password]", password)
    page.press("[name=password]", "Enter")
    page.wait_for_url("**/o/**")
    return page


def shoot(page: Page, address: str, *, name: str, size: tuple[int, int] = WIDE, theme: str = "light") -> None:
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    page.goto(address)
    page.wait_for_timeout(600)
    page.screenshot(path=FOLDER / f"{name}.png")


def linked(page: Page, address: str, *, to: str) -> str:
    """Where the first link of a page leads whose address has `to` in it."""
    page.goto(address)
    return page.locator(f"main a[href*='{to}']").first.get_attribute("href") or ""


def take(said: Said, *, organization: str) -> None:
    """One picture per row of PICTURES; and a deal that was talked about, an account, a buyer's page."""
    house = f"{said.address}/o/{organization}/"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=ARGUMENTS)
        pages = {
            role: signed_in(browser, said, role=role) for role in dict.fromkeys(row[0] for row in PICTURES)
        }
        for role, name, path, size, theme in PICTURES:
            shoot(pages[role], house + path, name=name, size=size, theme=theme)
        page = pages["manager"]
        deal = linked(page, house + "notices/", to="#comment-").partition("#")[0]
        for theme in ("light", "dark"):
            shoot(page, said.address + deal, name=f"deal-{theme}", theme=theme)
        page = pages["administrator"]
        pair = linked(page, house + "duplicates/", to="/duplicates/merge/")
        account = re.findall(r"keep=([0-9a-f-]+)", pair)[0]
        shoot(page, f"{house}accounts/{account}/", name="account-light")
        shoot(browser.new_page(), said.address + said.plan, name="plan-390", size=NARROW)
        browser.close()


if __name__ == "__main__":
    take(read_log(Path(sys.argv[1]).read_text(), organization=sys.argv[2]), organization=sys.argv[2])
