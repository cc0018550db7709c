"""The organization's logo on the plan that a buyer opens by link: there while the link opens, and no longer."""

from io import BytesIO

from django.utils import timezone
from PIL import Image

from otc.logo.services import logo_remove, logo_set
from pipeline.closeplan.services import link_revoke
from tests.pipeline.shared_plan import Share, SignIn


def set_logo(share: Share) -> bytes:
    file = BytesIO()
    Image.new("RGBA", (300, 90), "navy").save(file, "PNG")
    with share.inside():
        made, _ = logo_set(file.getvalue(), now=timezone.now())
    return bytes(made.image)


def test_the_buyer_sees_the_logo_beside_the_name(share: Share) -> None:
    address = f"/plan/{share.token}/logo/"
    assert address not in share.get().content.decode()
    assert share.browser.get(address).status_code == 404
    image = set_logo(share)
    page = share.get().content.decode()
    assert f'src="{address}" width="300" height="90"' in page and "Halden Systems" in page
    answer = share.browser.get(address)
    assert answer.content == image and answer["Content-Type"] == "image/png" and not answer.cookies
    assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert "no-store" in answer["Cache-Control"] and "noindex" in answer["X-Robots-Tag"]
    with share.inside():
        logo_remove(now=timezone.now())
    assert address not in share.get().content.decode() and share.browser.get(address).status_code == 404


def test_a_link_that_is_over_shows_no_logo(share: Share) -> None:
    set_logo(share)
    assert share.browser.get("/plan/forged/logo/").status_code == 404
    with share.inside():
        link_revoke(share.row, now=timezone.now())
    answer = share.browser.get(f"/plan/{share.token}/logo/")
    assert answer.status_code == 410 and b"PNG" not in answer.content


def test_a_look_at_the_logo_is_no_look_at_the_plan(share: Share) -> None:
    set_logo(share)
    share.browser.get(f"/plan/{share.token}/logo/")
    with share.inside():
        assert share.row.last_opened_at is None


def test_the_seller_previews_it(share: Share, signed_in: SignIn) -> None:
    set_logo(share)
    page = signed_in(share.house.ana).get(share.house.url(f"deals/{share.deal.id}/close-plan/"))
    assert "/o/halden/logo/" in page.content.decode()
