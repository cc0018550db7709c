from importlib import import_module

from django.apps import AppConfig


class OtcConfig(AppConfig):
    name = "otc"

    def ready(self) -> None:
        import_module("otc.identity.signals")
