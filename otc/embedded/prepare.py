"""What must be true before the web starts: schema migrated, static files collected, somebody to sign in as.

One process for all three, because loading Django costs more than any of them on a later start.
"""

import os

import django
from django.conf import settings
from django.core.management import call_command
from django.db import connections
from django.db.migrations.executor import MigrationExecutor


def migrate() -> None:
    """As the owner, and only when something is to be applied."""
    executor = MigrationExecutor(connections["owner"])
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        print("Migrating the database")
        call_command("migrate", database="owner", verbosity=0, interactive=False)


def main() -> None:
    """Prepare; safe to repeat, quick when there is nothing to do."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "otc.settings")
    django.setup()
    if "owner" in settings.DATABASES:
        migrate()
    if not settings.DEBUG:
        call_command("collectstatic", verbosity=0, interactive=False)
    # Does nothing where an organization exists already; OTC_DEMO=0 is for those who bring their own data.
    if os.environ.get("OTC_DEMO") != "0":
        call_command("seed_demo", "--first-run")


if __name__ == "__main__":
    main()
