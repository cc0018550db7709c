"""Settings behind a TLS-terminating proxy. Every secret comes from the environment; none has a default.

Needed: DJANGO_SECRET_KEY, DATABASE_URL, REDIS_URL, OTC_HOSTS; to migrate, DATABASE_OWNER_URL too.
"""

import os

from otc.logs.lines import logging_settings
from otc.settings import *  # noqa: F403  Django's way to derive settings: every name, then the differences
from otc.settings import SECURE_CSP

_missing = [
    name
    for name in ("DJANGO_SECRET_KEY", "DATABASE_URL", "REDIS_URL", "OTC_HOSTS")
    if not os.environ.get(name)
]
if _missing:
    raise RuntimeError(f"production settings need {', '.join(_missing)} in the environment")

DEBUG = False
SESSION_COOKIE_NAME = "__Host-otc_session"
CSRF_COOKIE_NAME = "__Host-otc_csrf"
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True
SECURE_SSL_REDIRECT = True
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
# Probes come from inside, without the proxy's header.
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_HSTS_SECONDS = 365 * 24 * 3600
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SECURE_CSP = SECURE_CSP | {"upgrade-insecure-requests": True}
CSRF_TRUSTED_ORIGINS = [
    f"https://{host.replace('.', '*.', 1) if host.startswith('.') else host}"
    for host in os.environ["OTC_HOSTS"].split(",")
]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = False
WHITENOISE_AUTOREFRESH = False
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https"
# How many proxies stand in front and add to X-Forwarded-For; limits of attempts and sessions go by that address.
ALLAUTH_TRUSTED_PROXY_COUNT = int(os.environ.get("OTC_PROXIES", "1"))

ADDRESS = os.environ.get(
    "OTC_ADDRESS", f"https://{os.environ['OTC_HOSTS'].split(',')[0].lstrip('.')}"
).rstrip("/")
DEFAULT_FROM_EMAIL = os.environ.get(
    "OTC_MAIL_FROM", f"no-reply@{os.environ['OTC_HOSTS'].split(',')[0].lstrip('.')}"
)
MAILERS = {
    "default": {
        "BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "OPTIONS": {
            "host": os.environ.get("OTC_SMTP_HOST", "localhost"),
            "port": int(os.environ.get("OTC_SMTP_PORT", "587")),
            "username": os.environ.get("OTC_SMTP_USER", ""),
            "password": os.environ.get("OTC_SMTP_PASSWORD", ""),
            "use_tls": os.environ.get("OTC_SMTP_TLS", "1") == "1",
            "timeout": 10,
        },
    }
}

LOGGING = logging_settings(
    style=os.environ.get("OTC_LOG_STYLE", "json"), level=os.environ.get("OTC_LOG_LEVEL", "INFO")
)
