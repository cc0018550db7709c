#!/usr/bin/env python
"""Django's command line for the workspace; run it with the project's environment, `.venv/bin/python`."""

import os
import sys

from django.core.management import execute_from_command_line


def main() -> None:
    """Run one management command under the development settings unless the environment names others."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "otc.settings")
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
