from django.apps import AppConfig


class PostmortemConfig(AppConfig):
    name = "postmortem"
