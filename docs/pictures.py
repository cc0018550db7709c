"""Take the README's pictures from a running server: `python docs/pictures.py URL ORGANIZATION EMAIL PASSWORD`."""

import sys
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.browser.chromium import ARGUMENTS, chromium_path

FOLDER = Path(__file__).with_name("pictures")
PICTURES = (
    ("inspection-light", "inspection/", 1440, "light"),
    ("inspection-dark", "inspection/", 1440, "dark"),
    ("inspection-390", "inspection/", 390, "light"),
    ("forecast-light", "forecast/", 1440, "light"),
    ("deals-light", "deals/", 1440, "light"),
    ("board-light", "deals/board/", 1440, "light"),
    ("winloss-light", "winloss/", 1440, "light"),
)


def sign_in(page: Page, *, address: str, email: str, password: str) -> None:
    page.goto(f"{address}/accounts/login/")
    page.fill("[name=login]", email)
    page.fill("[name=password]", password)
    page.press("[name=password]", "Enter")
    page.wait_for_url("**/o/**")


def take(address: str, organization: str, email: str, password: str) -> None:
    """One picture per row of PICTURES, and one of the first deal of the list."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=ARGUMENTS)
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        page = context.new_page()
        sign_in(page, address=address, email=email, password=password)
        house = f"{address}/o/{organization}/"
        for name, path, width, theme in PICTURES:
            page.set_viewport_size({"width": width, "height": 900 if width > 640 else 844})
            page.emulate_media(color_scheme=theme)
            page.goto(house + path)
            page.wait_for_timeout(300)
            page.screenshot(path=FOLDER / f"{name}.png")
        page.set_viewport_size({"width": 1440, "height": 900})
        page.emulate_media(color_scheme="light")
        page.goto(house + "deals/?sort=-amount")
        page.locator("tbody .cell-title a").first.click()
        page.wait_for_timeout(500)
        page.screenshot(path=FOLDER / "deal-light.png")
        browser.close()


if __name__ == "__main__":
    take(*sys.argv[1:5])
