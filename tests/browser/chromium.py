"""Find a Chromium for the browser tests, or get one: installed, else Playwright's, else Debian's package.

Without the frame of a browser around its pages (“headless shell”) it takes half the time: that one is preferred.

`make test` runs this as a program first, so that a missing browser fails loudly there and is no skip later.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

SHELL = "chromium-headless-shell"
NAMES = (SHELL, "chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
MAC = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")
# As root Chromium's own sandbox can't be set up; the pages under test are ours.
ARGUMENTS = ["--no-sandbox"] if os.geteuid() == 0 else []


def installed_chromium() -> str | None:
    """The path of a Chromium on this machine; $CHROMIUM, if set, goes first."""
    if named := os.environ.get("CHROMIUM"):
        return shutil.which(named)
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None and MAC.exists():
        return str(MAC)
    return found or _playwrights_chromium()


def _playwrights_chromium() -> str | None:
    """Playwright's own download, when it is there."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).exists() else None


def chromium_path() -> str:
    """What tests give to `launch(executable_path=...)`; raises RuntimeError where there is none."""
    path = installed_chromium()
    if path is None:
        raise RuntimeError("no Chromium: run `make browser`, or set CHROMIUM to the path of one")
    return path


def _try(*command: str) -> bool:
    """Run an installer; its output is shown only when it fails."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        sys.stderr.write(f"{' '.join(command)}:\n{done.stdout[-1500:]}\n")
    return done.returncode == 0


def install_chromium() -> None:
    """Playwright's download, else Debian's package where we may install it."""
    sys.stdout.write("Getting a Chromium for the browser tests\n")
    sys.stdout.flush()
    if not _try(sys.executable, "-m", "playwright", "install", "--only-shell", "chromium"):
        _install_package("chromium")


def _may_install_packages() -> bool:
    return shutil.which("apt-get") is not None and os.geteuid() == 0


def _install_package(name: str) -> bool:
    """Debian's package, where we may install it."""
    install = ("env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "-y", "-qq", name)
    return _may_install_packages() and (
        _try(*install) or (_try("apt-get", "update", "-qq") and _try(*install))
    )


def main() -> int:
    """Exit code 0 when a Chromium is there, after getting one if need be."""
    if installed_chromium() is None:
        install_chromium()
    elif "CHROMIUM" not in os.environ and not shutil.which(SHELL) and _may_install_packages():
        _install_package(SHELL)
    if installed_chromium() is None:
        sys.stderr.write(
            "The browser tests need Chromium; install it (apt-get install chromium) and try again.\n"
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
