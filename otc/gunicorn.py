"""How gunicorn runs in production: `gunicorn -c python:otc.gunicorn otc.wsgi`."""

import os

from otc.logs.lines import logging_settings

bind = f"0.0.0.0:{os.environ.get('OTC_PORT', '8000')}"
preload_app = True
worker_class = "gthread"
workers = int(os.environ.get("OTC_WEB_PROCESSES", "2"))
threads = int(os.environ.get("OTC_WEB_THREADS", "4"))
timeout = 60
# Its heartbeat file must not wait for a disk.
worker_tmp_dir = "/dev/shm"
# Requests are logged by otc.logs, with their organization and without their path.
accesslog = None
logconfig_dict = logging_settings(
    style=os.environ.get("OTC_LOG_STYLE", "json"), level=os.environ.get("OTC_LOG_LEVEL", "INFO")
)
