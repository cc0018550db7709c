"""Renew the pinned packages: requirements*.txt with hashes, package-lock.json without addresses.

No registry's host may be committed: whoever installs uses the registry that their own tools are set up for.
"""

import json
import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

CLONE = Path(__file__).resolve().parents[1]


def lock_python() -> None:
    """Resolve for every platform and every Python from 3.12 on, with uv in an environment of its own."""
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        python = Path(folder) / "bin" / "python"
        subprocess.run([python, "-m", "pip", "install", "--quiet", "uv"], check=True)
        options = [
            "--universal",
            "--python-version",
            "3.12",
            "--generate-hashes",
            "--no-header",
            "--quiet",
            "--upgrade",
        ]
        for name in ("requirements", "requirements-dev", "requirements-pgrls"):
            command = [python, "-m", "uv", "pip", "compile", *options, f"{name}.in", "-o", f"{name}.txt"]
            subprocess.run(command, cwd=CLONE, check=True)


def lock_front_end() -> None:
    """Let npm resolve, then drop the address that it noted for each package."""
    bin_folder = Path(sys.executable).parent
    environment = os.environ | {"PATH": f"{bin_folder}{os.pathsep}{os.environ.get('PATH', '')}"}
    npm = [
        sys.executable,
        bin_folder / "npm",
        "install",
        "--package-lock-only",
        "--ignore-scripts",
        "--no-audit",
    ]
    subprocess.run(npm, cwd=CLONE, env=environment, check=True)
    path = CLONE / "package-lock.json"
    lock = json.loads(path.read_text())
    for package in lock["packages"].values():
        package.pop("resolved", None)
    path.write_text(json.dumps(lock, indent=2) + "\n")


if __name__ == "__main__":
    lock_python()
    lock_front_end()
