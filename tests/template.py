"""The migrated database that every worker's is copied from: made by a process of its own, while tests are collected."""

import os
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path

NAME = "otc"
PATIENCE_SECONDS = 300
SETTLED = "migrated"


def begin(folder: Path, environment: dict[str, str]) -> Callable[[], None]:
    """Start migrating; `environment` names the template, `folder` gets the word that it is done. What comes back
    ends it, for a run that didn't need it.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.template", str(folder)],
        env=os.environ | environment | {"DJANGO_SETTINGS_MODULE": "tests.settings"},
    )

    def end() -> None:
        process.terminate()
        process.wait()

    return end


def wait(folder: Path) -> None:
    """Until the template stands. Raises RuntimeError with what stopped it."""
    settled = folder / SETTLED
    for _ in range(PATIENCE_SECONDS * 20):
        if settled.exists():
            break
        time.sleep(0.05)
    else:
        raise RuntimeError(f"the template was not migrated within {PATIENCE_SECONDS} seconds")
    if complaint := settled.read_text():
        raise RuntimeError(f"the template could not be migrated\n{complaint}")


def migrate() -> None:
    """As the owner, every migration."""
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", database="owner", verbosity=0, interactive=False)


def main(folder: Path) -> None:
    complaint = ""
    try:
        migrate()
    except Exception:
        complaint = traceback.format_exc()
    # Whole at once: somebody waits for it.
    (folder / "migrating").write_text(complaint)
    (folder / "migrating").rename(folder / SETTLED)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
