"""Settings of the workspace; `otc.production` tightens them. Every knob is an environment variable.

Without DATABASE_URL and REDIS_URL the embedded servers of this clone are meant (`make run` starts them).
"""

import os
from pathlib import Path
from typing import Any

from otc.api.conf import REST_FRAMEWORK as REST_FRAMEWORK
from otc.api.conf import SPECTACULAR_SETTINGS as SPECTACULAR_SETTINGS
from otc.embedded import places
from otc.embedded.urls import broker_url, database_from_url
from otc.logs.lines import logging_settings

BASE_DIR = places.CLONE
DEBUG = os.environ.get("OTC_DEBUG") == "1"
# Names this house answers to, separated by commas.
ALLOWED_HOSTS = os.environ.get("OTC_HOSTS", "localhost,.localhost,127.0.0.1,[::1]").split(",")

if "DJANGO_SECRET_KEY" in os.environ:
    SECRET_KEY = os.environ["DJANGO_SECRET_KEY"]
else:
    SECRET_KEY = places.read_or_create_passwords().django_secret_key

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "otc",
    "pipeline",
    "forecasting",
    "postmortem",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "rest_framework",
    "drf_spectacular",
    "django_filters",
    "django_htmx",
]

MIDDLEWARE = [
    "otc.logs.middleware.RequestLog",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.csp.ContentSecurityPolicyMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "otc.compression.CompressionMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "otc.identity.sessions.middleware.SessionStamps",
    "otc.imports.uploads.UploadMiddleware",
    "otc.ui.middleware.PageThatSends",
    # Last, so that its transaction holds the view and its rendering and nothing else.
    "otc.tenancy.middleware.TenantMiddleware",
]

ROOT_URLCONF = "otc.urls"
WSGI_APPLICATION = "otc.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "libraries": {
                "otc_ui": "otc.ui.templatetags.otc_ui",
                "shell": "otc.ui.templatetags.shell",
            },
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "otc.ui.context.ui",
            ],
        },
    },
]


def _database(variable: str, user: str, password: str) -> dict[str, Any]:
    """One role's connection: from the environment, else over the clone's socket."""
    if variable in os.environ:
        return database_from_url(os.environ[variable])
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "otc",
        "USER": user,
        "PASSWORD": password,
        "HOST": str(places.socket_path()),
        "PORT": "5432",
        "OPTIONS": {},
    }


def _databases() -> dict[str, dict[str, Any]]:
    """`default` is the application's role; `owner` is the role that migrates, on the same database."""
    if "DATABASE_URL" in os.environ:
        databases = {"default": database_from_url(os.environ["DATABASE_URL"])}
        if "DATABASE_OWNER_URL" in os.environ:
            databases["owner"] = database_from_url(os.environ["DATABASE_OWNER_URL"])
    else:
        passwords = places.read_or_create_passwords()
        databases = {
            "default": _database("DATABASE_URL", "otc_app", passwords.app),
            "owner": _database("DATABASE_OWNER_URL", "otc_owner", passwords.owner),
        }
    databases["default"] |= {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}
    return databases


def _backup_database() -> dict[str, Any] | None:
    """The connection of the role that may read everything; only backup and restore use it."""
    if "DATABASE_BACKUP_URL" in os.environ:
        return database_from_url(os.environ["DATABASE_BACKUP_URL"])
    if "DATABASE_URL" in os.environ:
        return None
    return _database("DATABASE_BACKUP_URL", "otc_backup", places.read_or_create_passwords().backup)


DATABASES = _databases()
BACKUP_DATABASE = _backup_database()
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = os.environ.get("REDIS_URL") or f"unix://{places.socket_path()}/valkey.sock"
CACHES = {
    "default": {
        "BACKEND": "otc.forgiving_cache.ForgivingRedisCache",
        "LOCATION": REDIS_URL,
        "OPTIONS": {"socket_timeout": 1},
    }
}

# The job table remembers; a message is only a doorbell, so a lost one costs a sweep's wait and no work.
CELERY_BROKER_URL = broker_url(REDIS_URL)
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
# A dead broker must not hold up a page: publishing gives up after two seconds and the sweep rings later.
CELERY_BROKER_TRANSPORT_OPTIONS = {"socket_timeout": 2, "socket_connect_timeout": 2}
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0, "interval_step": 0.2}
CELERY_TIMEZONE = "UTC"

AUTH_USER_MODEL = "otc.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"

ACCOUNT_ADAPTER = "otc.identity.adapter.ClosedAccountAdapter"
MFA_ADAPTER = "otc.identity.adapter.SecondFactorAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_FORMS = {"add_email": "otc.identity.account.forms.ChangeAddressForm"}
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_LOGOUT_REDIRECT_URL = LOGIN_URL
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_RATE_LIMITS = {
    "login": "30/m/ip",
    "login_failed": "10/m/ip,5/5m/key",
    "reset_password": "20/m/ip,5/m/key",
    "change_password": "5/m/user",
    # Of this house, beside allauth's own: links that a stranger opens.
    "invitation": "30/m/ip",
    "mail_stop": "30/m/ip",
    "close_plan": "120/m/ip",
    "close_plan_write": "60/m/ip,60/m/key",
}

MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "Opportunity to Close"
# One step of 30 seconds either way, for clocks that go a little wrong.
MFA_TOTP_TOLERANCE = 1
# Nobody signs up by themselves here, so nobody takes an address by adding a factor to it.
MFA_ALLOW_UNVERIFIED_EMAIL = True
# The stamps of otc.identity.sessions do it once a minute; this would write at every request.
USERSESSIONS_TRACK_ACTIVITY = False

# Browsers share cookies between ports, so two clones on one host need two names.
SESSION_COOKIE_NAME = f"otc_session_{places.clone_digest()}"
CSRF_COOKIE_NAME = f"otc_csrf_{places.clone_digest()}"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "otc.ui.views.csrf_failure"
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CSP: dict[str, list[str] | bool] = {
    "default-src": ["'self'"],
    "script-src": ["'self'"],
    "style-src": ["'self'"],
    "img-src": ["'self'", "data:"],
    "font-src": ["'self'"],
    "connect-src": ["'self'"],
    "object-src": ["'none'"],
    "frame-ancestors": ["'none'"],
    "base-uri": ["'self'"],
    "form-action": ["'self'"],
}

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = DEBUG
WHITENOISE_AUTOREFRESH = DEBUG
MEDIA_ROOT = places.VAR / "media"
# Files on their way in: private, deleted by a daily job.
IMPORT_FOLDER = Path(os.environ.get("OTC_IMPORT_FOLDER") or places.VAR / "imports")
# Files on their way out: the worker writes them, whoever asked for one fetches it.
EXPORT_FOLDER = Path(os.environ.get("OTC_EXPORT_FOLDER") or places.VAR / "exports")
FILE_UPLOAD_HANDLERS = ["otc.imports.uploads.ImportUploadHandler"]
IMPORT_MAX_BYTES = int(os.environ.get("OTC_IMPORT_MAX_MB", "200")) * 1024**2

# Where the audit's daily checkpoints go, so that they are also kept where nobody can reach the database: a folder,
# addresses separated by commas. OTC_AUDIT_KEY (64 hex digits) signs them; without it a key made from the secret key.
AUDIT_FOLDER = os.environ.get(
    "OTC_AUDIT_FOLDER", "" if "DATABASE_URL" in os.environ else str(places.VAR / "audit")
)
AUDIT_MAIL = [address for address in os.environ.get("OTC_AUDIT_MAIL", "").split(",") if address]
AUDIT_KEY = os.environ.get("OTC_AUDIT_KEY", "")

# Webhooks go to the public network over https only, unless whoever runs this house says otherwise.
WEBHOOKS_MAY_BE_PRIVATE = os.environ.get("OTC_WEBHOOKS_PRIVATE") == "1"

# Where people reach this house: what mails that no request asked for begin their links with.
ADDRESS = os.environ.get("OTC_ADDRESS", "http://localhost:8000/").rstrip("/")

# Until a mail server is configured each mail is a file; a terminal that shows every notice hides what else it says.
MAILERS: dict[str, dict[str, Any]] = {
    "default": {
        "BACKEND": "otc.embedded.mail.EmailBackend",
        "OPTIONS": {"file_path": str(places.MAIL)},
    }
}

LOGGING = logging_settings(
    style=os.environ.get("OTC_LOG_STYLE", "line"), level=os.environ.get("OTC_LOG_LEVEL", "INFO")
)
