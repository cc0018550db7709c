"""Make the clone ready: virtual environment, pinned packages, front-end files. Standard library only.

Each step is skipped while the file that it comes from is unchanged, so that a second start costs nothing.
"""

import argparse
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import vendor

CLONE = Path(__file__).resolve().parents[1]
VENV = CLONE / ".venv"
PYTHON = VENV / "bin" / "python"


def say(text: str) -> None:
    """One line for the person who waits."""
    print(text, flush=True)


def digest(*paths: Path) -> str:
    """What the files hold and which Python reads them, in 64 hex digits."""
    total = hashlib.sha256(sysconfig.get_python_version().encode())
    for path in paths:
        total.update(path.read_bytes())
    return total.hexdigest()


def is_done(step: str, wanted: str) -> bool:
    """Whether the step's stamp in the environment names these very files."""
    stamp = VENV / f"{step}.stamp"
    return stamp.exists() and stamp.read_text() == wanted


def mark_done(step: str, wanted: str) -> None:
    """Leave the stamp; only ever written after the step succeeded."""
    (VENV / f"{step}.stamp").write_text(wanted)


def environment_works() -> bool:
    """Whether .venv's Python runs, is ours (a copied clone brings another's paths) and has pip."""
    if not PYTHON.exists():
        return False
    answer = subprocess.run(
        [PYTHON, "-c", "import sys, pip; print(sys.version_info >= (3, 12))"], capture_output=True
    )
    script = VENV / "bin" / "pip"
    return answer.stdout.strip() == b"True" and script.exists() and str(PYTHON) in script.read_text()[:400]


def make_environment() -> None:
    """Create .venv unless it works; a half-made or broken one is replaced."""
    if environment_works():
        return
    say(f"Creating .venv with Python {sysconfig.get_python_version()}")
    shutil.rmtree(VENV, ignore_errors=True)
    venv.create(VENV, with_pip=True, symlinks=True)


def make_importable() -> None:
    """Put the clone on the environment's path, so that every tool in .venv/bin finds the packages."""
    query = "import sysconfig; print(sysconfig.get_path('purelib'))"
    packages = subprocess.run(
        [PYTHON, "-c", query], capture_output=True, text=True, check=True
    ).stdout.strip()
    (Path(packages) / "otc.pth").write_text(f"{CLONE}\n")


def install_packages(requirements: str) -> None:
    """Install one hash-pinned file with pip when it changed; pip refuses what doesn't match a hash."""
    path = CLONE / requirements
    wanted = digest(path)
    if is_done(requirements, wanted):
        return
    say(f"Installing {requirements}")
    pip = [PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
    subprocess.run([*pip, "--require-hashes", "-r", path], check=True)
    make_importable()
    mark_done(requirements, wanted)


def install_front_end() -> None:
    """npm's packages by the lock file, then their files into static/vendor."""
    wanted = digest(CLONE / "package-lock.json", CLONE / "setup" / "vendor.py")
    if is_done("front-end", wanted) and vendor.VENDOR.exists() and vendor.MODULES.exists():
        return
    say("Installing the front-end packages")
    environment = os.environ | {"PATH": f"{VENV / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"}
    npm = [
        PYTHON,
        VENV / "bin" / "npm",
        "ci",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
        "--loglevel=error",
    ]
    subprocess.run(npm, cwd=CLONE, env=environment, check=True)
    vendor.copy_vendor_files()
    mark_done("front-end", wanted)


def main() -> int:
    """Install what running needs; with --dev also what testing needs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dev", action="store_true", help="also the packages that tests and checks need")
    arguments = parser.parse_args()
    private = CLONE / ".var"
    private.mkdir(mode=0o700, exist_ok=True)
    with (private / "setup.lock").open("w") as lock:
        # Of `make run` and `make test` at once, one installs and the other waits.
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            make_environment()
            install_packages("requirements.txt")
            if arguments.dev:
                install_packages("requirements-dev.txt")
            install_front_end()
        except subprocess.CalledProcessError as failed:
            say(f"Setting up failed at: {' '.join(map(str, failed.cmd))}")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
