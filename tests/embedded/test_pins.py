"""What is installed is pinned, proven by hash, and tied to no registry's address."""

import json
import re

import pytest

from otc.embedded.places import CLONE

ADDRESS = re.compile(r"https?://|--(extra-)?index-url|--find-links")


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_every_python_package_is_pinned_by_hash(name):
    text = (CLONE / name).read_text()
    assert not ADDRESS.search(text)
    for block in re.split(r"\n(?=\S)", text.strip()):
        assert re.match(r"[\w.\[\],-]+==\S+", block), block[:80]
        assert "--hash=sha256:" in block, block[:80]


def test_what_both_files_pin_is_pinned_alike():
    pins = [
        dict(re.findall(r"^([\w.-]+)==(\S+)", (CLONE / name).read_text(), re.MULTILINE))
        for name in ("requirements.txt", "requirements-dev.txt")
    ]
    shared = pins[0].keys() & pins[1].keys()
    assert shared
    assert {name: pins[0][name] for name in shared} == {name: pins[1][name] for name in shared}


def test_every_front_end_package_is_pinned_by_integrity_and_not_by_address():
    packages = json.loads((CLONE / "package-lock.json").read_text())["packages"]
    for name, package in packages.items():
        assert "resolved" not in package, name
        assert name == "" or package["integrity"].startswith("sha512-"), name
