"""Which pictures may be a logo? Bytes in, a picture drawn anew out, without what else the file held. No Django."""

from dataclasses import dataclass
from io import BytesIO
from typing import Any

LARGEST_BYTES = 2 * 1024**2
SMALLEST_SIDE, LARGEST_SIDE, MOST_PIXELS = 16, 8_000, 25_000_000
# Twice of what any page shows.
WIDTH, HEIGHT = 640, 240
FORMATS = ("PNG", "JPEG", "WEBP")
TAKEN = "PNG, JPEG or WebP"


class LogoRefused(ValueError):
    """A file that can't be the logo, and what to do instead."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Drawn:
    image: bytes
    content_type: str
    width: int
    height: int


def too_large(name: str) -> str:
    return (
        f"{name} is larger than {LARGEST_BYTES // 1024**2} MB: save it smaller, {WIDTH} pixels wide is enough"
    )


def draw_logo(data: bytes, *, name: str = "The file") -> Drawn:
    """The picture, at most WIDTH by HEIGHT, upright, without anything but its pixels. Raises LogoRefused.

    What it is, its bytes say; the name and the type that came with it don't count.
    """
    if not data:
        raise LogoRefused(f"{name} is empty; choose another one")
    if len(data) > LARGEST_BYTES:
        raise LogoRefused(too_large(name))
    if data[:512].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        raise LogoRefused(
            f"{name} is no {TAKEN}. An SVG can hold programs; save it as PNG, {WIDTH} pixels wide"
        )
    # Only who sets a logo needs it: not every page waits for it.
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        with Image.open(BytesIO(data), formats=FORMATS) as opened:
            _check_size(opened.size, name)
            upright = ImageOps.exif_transpose(opened)
            has_alpha = upright.has_transparency_data
            drawn = upright.convert("RGBA" if has_alpha else "RGB")
            drawn.thumbnail((WIDTH, HEIGHT))
            return _written(drawn, is_photo=opened.format == "JPEG")
    except UnidentifiedImageError as problem:
        raise LogoRefused(f"{name} is no {TAKEN}; save it as one of these") from problem
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError) as problem:
        if isinstance(problem, LogoRefused):
            raise
        raise LogoRefused(f"{name} is damaged: it can’t be opened; save it anew") from problem


def _check_size(size: tuple[int, int], name: str) -> None:
    """Before a pixel is read: a small file may say that it holds billions."""
    width, height = size
    if min(size) < SMALLEST_SIDE:
        raise LogoRefused(
            f"{name} has {width} × {height} pixels; at least {SMALLEST_SIDE} each way are needed"
        )
    if max(size) > LARGEST_SIDE or width * height > MOST_PIXELS:
        raise LogoRefused(
            f"{name} has {width:,} × {height:,} pixels; {LARGEST_SIDE:,} each way and 25 million in all are the most"
        )


def _written(drawn: Any, *, is_photo: bool) -> Drawn:
    file = BytesIO()
    # A new picture: profiles, comments and places stay with the old one.
    bare = drawn.copy()
    bare.info = {}
    if is_photo:
        bare.save(file, "JPEG", quality=88, optimize=True)
    else:
        bare.save(file, "PNG", optimize=True)
    return Drawn(file.getvalue(), "image/jpeg" if is_photo else "image/png", bare.width, bare.height)
