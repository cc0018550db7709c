"""The door gunicorn enters by."""

import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

from otc.collector import settle

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "otc.settings")

application = get_wsgi_application()
# Every page's module is read before the workers part, so that none reads them for its first visitor.
_ = get_resolver().url_patterns
settle()
