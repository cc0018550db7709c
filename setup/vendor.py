"""Copy the files that pages load from node_modules to static/vendor. Standard library only."""

import re
import shutil
from pathlib import Path

CLONE = Path(__file__).resolve().parents[1]
MODULES = CLONE / "node_modules"
VENDOR = CLONE / "static" / "vendor"
INTER = MODULES / "@fontsource-variable" / "inter"
SCRIPTS = ("htmx.min.js", "htmx.esm.min.js")


def copy_vendor_files() -> None:
    """Fill static/vendor: htmx, Inter with its optical sizes, and the font's rules with flat addresses."""
    shutil.rmtree(VENDOR, ignore_errors=True)
    VENDOR.mkdir(parents=True)
    for name in SCRIPTS:
        script = (MODULES / "htmx.org" / "dist" / name).read_text()
        # The source maps stay behind; a reference to a file that isn't there breaks the static manifest.
        (VENDOR / name).write_text(re.sub(r"\n?//# sourceMappingURL=\S+\s*$", "\n", script))
    for font in (INTER / "files").glob("*-opsz-*.woff2"):
        shutil.copy(font, VENDOR)
    (VENDOR / "inter.css").write_text((INTER / "opsz.css").read_text().replace("./files/", "./"))


if __name__ == "__main__":
    copy_vendor_files()
