"""The organization's logo: drawn anew from what came, set by an administrator, shown inside; nothing else gets in."""

from io import BytesIO
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from otc.audit.models import AuditEntry
from otc.logo.models import Logo
from otc.logo.rules import HEIGHT, LARGEST_BYTES, WIDTH, LogoRefused, draw_logo
from otc.logo.services import KEPT
from otc.tenancy.context import use
from otc.undo.models import UndoStep

SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
SCRIPT = b"<script>alert(document.cookie)</script>"


def picture(
    kind: str = "PNG", *, size: tuple[int, int] = (320, 120), mode: str = "RGB", **options: Any
) -> bytes:
    file = BytesIO()
    Image.new(mode, size, "navy").save(file, kind, **options)
    return file.getvalue()


def sent(data: bytes, name: str = "logo.png", kind: str = "image/png") -> dict[str, Any]:
    return {"logo": SimpleUploadedFile(name, data, kind)}


def shown(house: Any) -> Logo | None:
    with use(house.organization.id):
        return Logo.objects.filter(retired_at__isnull=True).first()


# Rules


@pytest.mark.parametrize(
    ("kind", "mode", "content_type"),
    [
        ("PNG", "RGB", "image/png"),
        ("PNG", "RGBA", "image/png"),
        ("PNG", "P", "image/png"),
        ("WEBP", "RGBA", "image/png"),
        ("JPEG", "RGB", "image/jpeg"),
        ("JPEG", "CMYK", "image/jpeg"),
    ],
)
def test_a_picture_is_drawn_anew(kind: str, mode: str, content_type: str) -> None:
    drawn = draw_logo(picture(kind, mode=mode))
    assert (drawn.content_type, drawn.width, drawn.height) == (content_type, 320, 120)
    with Image.open(BytesIO(drawn.image)) as opened:
        opened.load()
        assert opened.get_format_mimetype() == content_type


def test_a_large_one_is_made_smaller_and_keeps_its_shape() -> None:
    drawn = draw_logo(picture(size=(4000, 1000)))
    assert (drawn.width, drawn.height) == (WIDTH, 160)
    tall = draw_logo(picture(size=(500, 2000)))
    assert (tall.width, tall.height) == (60, HEIGHT)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_what_hides_in_a_picture_is_left_behind(kind: str) -> None:
    exif = Image.Exif()
    exif[0x010E] = SCRIPT.decode()
    exif[0x0112] = 6
    hiding = picture(kind, exif=exif) + SCRIPT
    assert SCRIPT in hiding
    drawn = draw_logo(hiding)
    assert b"script" not in drawn.image and (drawn.width, drawn.height) == (90, HEIGHT)
    with Image.open(BytesIO(drawn.image)) as opened:
        assert not opened.getexif()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (SVG, "SVG"),
        (b"\xef\xbb\xbf \n" + SVG, "SVG"),
        (SCRIPT, "SVG"),
        (b"%PDF-1.7", "no PNG"),
        (b"PK\x03\x04", "no PNG"),
        (picture("GIF"), "no PNG"),
        (picture("TIFF"), "no PNG"),
        (picture()[:80], "damaged"),
        (picture(size=(8, 8)), "8 × 8"),
        (picture(size=(8001, 16)), "8,001"),
        (picture(size=(6000, 6000)), "25 million"),
        (picture() + b"\0" * LARGEST_BYTES, "2 MB"),
    ],
)
def test_what_is_no_logo_is_refused_with_what_to_do(data: bytes, reason: str) -> None:
    with pytest.raises(LogoRefused) as refused:
        draw_logo(data)
    assert reason in refused.value.reason


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(("PNG", "JPEG", "WEBP")), st.data())
def test_a_broken_file_is_refused_or_drawn_and_nothing_else(kind: str, data: st.DataObject) -> None:
    whole = bytearray(picture(kind, size=(32, 20)))
    for _ in range(data.draw(st.integers(1, 6))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    try:
        drawn = draw_logo(bytes(whole[: data.draw(st.integers(1, len(whole)))]))
    except LogoRefused:
        return
    assert drawn.width <= WIDTH and drawn.height <= HEIGHT


# Pages


def test_an_administrator_sets_replaces_and_removes_it_with_undo(house: Any, signed_in: Any) -> None:
    client, url = signed_in(house.ops), house.url("settings/logo/")
    assert client.post(url, sent(picture())).status_code == 302
    first = shown(house)
    assert first is not None
    page = client.get(house.url("settings/")).content.decode()
    assert house.url(f"logo/{first.id}/") in page and "Replace" in page
    client.post(url, sent(picture(size=(64, 64))))
    second = shown(house)
    assert second is not None and second.id != first.id
    undo(house, client)
    assert shown(house) == first
    client.post(house.url("settings/logo/remove/"))
    assert shown(house) is None
    undo(house, client)
    assert shown(house) == first
    with use(house.organization.id):
        acts = list(AuditEntry.objects.filter(action__startswith="logo.").values_list("action", flat=True))
    assert sorted(acts) == ["logo.removed", "logo.set", "logo.set", "logo.set", "logo.set"]


def undo(house: Any, client: Any) -> None:
    with use(house.organization.id):
        step = UndoStep.objects.filter(undone_at__isnull=True).latest("created_at")
    client.post(house.url(f"undo/{step.id}/"))


def test_a_picture_is_served_as_a_picture_and_nothing_more(house: Any, signed_in: Any) -> None:
    signed_in(house.ops).post(house.url("settings/logo/"), sent(picture()))
    logo = shown(house)
    assert logo is not None
    answer = signed_in(house.ana).get(house.url(f"logo/{logo.id}/"))
    assert answer.status_code == 200 and answer.content == bytes(logo.image)
    assert answer["Content-Type"] == "image/png" and answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert "private" in answer["Cache-Control"]


def test_others_neither_set_nor_see_it(house: Any, elsewhere: Any, signed_in: Any) -> None:
    signed_in(house.ops).post(house.url("settings/logo/"), sent(picture()))
    logo = shown(house)
    assert logo is not None
    assert signed_in(house.max).post(house.url("settings/logo/"), sent(picture())).status_code == 403
    assert signed_in(house.ana).post(house.url("settings/logo/remove/")).status_code == 403
    assert signed_in(elsewhere.zoe).get(house.url(f"logo/{logo.id}/")).status_code == 404
    assert signed_in(elsewhere.zoe).get(elsewhere.url(f"logo/{logo.id}/")).status_code == 404
    assert shown(house) == logo


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ({}, "Choose a file"),
        (sent(SVG, "logo.svg", "image/svg+xml"), "SVG"),
        (sent(SVG, "logo.png"), "SVG"),
        (sent(picture()[:80]), "damaged"),
        (sent(b"\0" * (LARGEST_BYTES + 1)), "larger than 2 MB"),
        (sent(b"\0" * (LARGEST_BYTES * 6)), "larger than 2 MB"),
    ],
)
def test_a_bad_file_is_said_and_the_logo_stays(house: Any, signed_in: Any, file: Any, said: str) -> None:
    client, url = signed_in(house.ops), house.url("settings/logo/")
    client.post(url, sent(picture()))
    before = shown(house)
    for one in file.values():
        one.seek(0)
    answer = client.post(url, file)
    assert answer.status_code == 422 and said in answer.content.decode()
    assert "The logo above stays" in answer.content.decode()
    assert shown(house) == before


def test_only_a_few_old_ones_are_kept(house: Any, signed_in: Any) -> None:
    for side in range(20, 20 + KEPT + 4):
        signed_in(house.ops).post(house.url("settings/logo/"), sent(picture(size=(side, side))))
    with use(house.organization.id):
        assert Logo.objects.count() == KEPT + 1
