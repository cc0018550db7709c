"""The workspace's settings with what only a test run changes."""

import os

from otc.settings import *  # noqa: F403  Django's way to derive settings: every name, then the differences

# Playwright's synchronous API runs an event loop in the test's thread; no query runs inside that loop.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "1")

ALLOWED_HOSTS = ["testserver", "localhost", "127.0.0.1"]
# Signing in costs 50 ms by design; tests sign in thousands of times.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = True
# Uploads of a test run lie apart from the clone's own.
IMPORT_FOLDER = BASE_DIR / ".var" / "test-imports"  # noqa: F405  of the star import
EXPORT_FOLDER = BASE_DIR / ".var" / "test-exports"  # noqa: F405  of the star import
