"""The door gunicorn enters by."""

import gc
import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "otc.settings")

application = get_wsgi_application()
# Every page's module is read before the workers part, so that none reads them for its first visitor; and what stands
# by now stays: the collector need not look through it again and again.
_ = get_resolver().url_patterns
gc.collect()
gc.freeze()
