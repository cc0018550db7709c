"""What docker-compose.yml and the Dockerfile promise; there is no container engine in the tests, so they are read."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from otc.embedded.places import CLONE

COMPOSE = (CLONE / "docker-compose.yml").read_text()
SERVICES: dict[str, Any] = yaml.safe_load(COMPOSE)["services"]
DOCKERFILE = (CLONE / "Dockerfile").read_text()
LASTING = {"web", "worker", "scheduler", "postgres", "valkey"}


def test_every_part_is_there_and_comes_back_after_a_crash() -> None:
    assert LASTING | {"migrate", "backup"} == set(SERVICES)
    assert {name for name, part in SERVICES.items() if part["restart"] == "unless-stopped"} == LASTING


@pytest.mark.parametrize("name", sorted(LASTING))
def test_every_lasting_part_has_a_health_check(name: str) -> None:
    assert SERVICES[name]["healthcheck"]["test"][0] == "CMD"


def test_no_secret_has_a_default() -> None:
    secrets = re.findall(r"\$\{(\w*(?:PASSWORD|SECRET)\w*)(:[^}]*)?\}", COMPOSE)
    assert {name for name, _ in secrets} >= {"DJANGO_SECRET_KEY", "OTC_OWNER_PASSWORD", "OTC_BACKUP_PASSWORD"}
    # Mail may go without a sign-in; an empty password is none.
    assert {name for name, default in secrets if default != ":?"} == {"OTC_SMTP_PASSWORD"}
    assert "${OTC_SMTP_PASSWORD:-}" in COMPOSE


@pytest.mark.parametrize("name", ["web", "worker", "scheduler"])
def test_who_serves_knows_only_the_applications_role(name: str) -> None:
    environment = SERVICES[name]["environment"]
    assert "otc_app" in environment["DATABASE_URL"]
    assert not {"DATABASE_OWNER_URL", "DATABASE_BACKUP_URL"} & environment.keys()
    assert SERVICES[name]["read_only"] and SERVICES[name]["security_opt"] == ["no-new-privileges:true"]


def test_the_image_is_built_in_stages_and_runs_as_nobody_special() -> None:
    assert DOCKERFILE.count("\nFROM ") == 2
    last = DOCKERFILE.rsplit("\nFROM ", 1)[1]
    assert re.search(r"^USER otc$", last, re.M) and last.index("USER otc") < last.index("CMD")
    assert "--uid 10001" in last


def test_only_the_web_is_reached_from_outside_and_only_over_loopback() -> None:
    assert [name for name, part in SERVICES.items() if "ports" in part] == ["web"]
    assert all(port.startswith("127.0.0.1:") for port in SERVICES["web"]["ports"])


def test_every_file_that_the_image_copies_exists() -> None:
    ours = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.M)
    names = [name for line in ours for name in line.split()]
    assert names and [name for name in names if not (CLONE / name).exists()] == []


def production(**environment: str) -> subprocess.CompletedProcess[str]:
    """Django's settings of production, loaded in a process that has `environment` and nothing of ours."""
    return subprocess.run(
        [sys.executable, "-c", "import django; django.setup()"],
        env={"PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": "otc.production", **environment},
        cwd=CLONE,
        capture_output=True,
        text=True,
    )


def test_production_without_its_secrets_says_which_and_does_not_start(tmp_path: Path) -> None:
    done = production(OTC_HOSTS="otc.example", DJANGO_SECRET_KEY="k" * 60, REDIS_URL="redis://valkey")
    assert done.returncode and "DATABASE_URL" in done.stderr.splitlines()[-1]


def test_gunicorn_accepts_its_settings() -> None:
    words = [sys.executable, "-m", "gunicorn", "--check-config", "-c", "python:otc.gunicorn", "otc.wsgi"]
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "otc.production",
        "OTC_HOSTS": "otc.example",
        "DJANGO_SECRET_KEY": "k" * 60,
    }
    done = subprocess.run(words, env=environment, cwd=CLONE, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
