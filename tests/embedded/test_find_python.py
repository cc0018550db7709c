"""Which Python a machine's first `make` finds, and what it says where there is none."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from otc.embedded.places import CLONE

TOOLS = ("sh", "dirname", "cat")


@pytest.fixture
def machine(tmp_path):
    """A machine with nothing but a shell: returns the folder of its programs."""
    programs = tmp_path / "programs"
    programs.mkdir()
    for tool in TOOLS:
        (programs / tool).symlink_to(shutil.which(tool))
    (tmp_path / "clone" / "setup").mkdir(parents=True)
    shutil.copy(CLONE / "setup" / "find-python.sh", tmp_path / "clone" / "setup")
    return programs


def _python(path: Path, version: str, *, is_new: bool = True, has_ensurepip: bool = True) -> Path:
    """A program that answers like a Python of that version."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        "#!/bin/sh\n"
        'case "$2" in\n'
        f'*"%d.%d"*) echo {version} ;;\n'
        f"*version_info*) exit {0 if is_new else 1} ;;\n"
        f"*ensurepip*) exit {0 if has_ensurepip else 1} ;;\n"
        '*executable*) echo "$0" ;;\n'
        "esac\n"
    )
    path.chmod(0o755)
    return path


def _find(machine: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    clone = machine.parent / "clone"
    return subprocess.run(
        ["sh", clone / "setup" / "find-python.sh"],
        capture_output=True,
        text=True,
        env={"PATH": str(machine), "HOME": str(machine.parent), **environment},
    )


def test_python3_is_taken_when_new_enough(machine):
    expected = _python(machine / "python3", "3.12")
    assert _find(machine).stdout.strip() == str(expected)


def test_a_newer_one_beside_an_old_python3_is_found(machine):
    _python(machine / "python3", "3.9", is_new=False)
    expected = _python(machine / "python3.13", "3.13")
    assert _find(machine).stdout.strip() == str(expected)


def test_pyenvs_version_of_the_file_is_found(machine):
    _python(machine / "python3", "3.9", is_new=False)
    (machine.parent / "clone" / ".python-version").write_text("3.13\n")
    _python(machine.parent / ".pyenv" / "versions" / "3.12.1" / "bin" / "python", "3.12")
    expected = _python(machine.parent / ".pyenv" / "versions" / "3.13.0" / "bin" / "python", "3.13")
    assert _find(machine).stdout.strip() == str(expected)


def test_any_new_version_of_pyenv_will_do(machine):
    expected = _python(machine.parent / ".pyenv" / "versions" / "3.12.1" / "bin" / "python", "3.12")
    assert _find(machine).stdout.strip() == str(expected)


def test_a_named_python_goes_first(machine):
    _python(machine / "python3", "3.13")
    expected = _python(machine / "mine", "3.14")
    assert _find(machine, PYTHON=str(expected)).stdout.strip() == str(expected)


@pytest.mark.parametrize(
    ("given", "advice"),
    [
        ({"is_new": False}, "Python 3.12 or newer is needed; found only"),
        ({"has_ensurepip": False}, "apt-get install python3-venv"),
        (None, "No Python found. Install Python 3.12"),
    ],
)
def test_what_to_install_is_said(machine, given, advice):
    if given is not None:
        _python(machine / "python3", "3.x", **given)
    found = _find(machine)
    assert (found.returncode, found.stdout) == (1, "")
    assert advice in found.stderr


def test_this_machines_python_is_found():
    found = subprocess.run(["sh", CLONE / "setup" / "find-python.sh"], capture_output=True, text=True)
    assert os.access(found.stdout.strip(), os.X_OK)
