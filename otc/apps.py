from importlib import import_module

from django.apps import AppConfig


class OtcConfig(AppConfig):
    name = "otc"

    def ready(self) -> None:
        import_module("otc.tenancy.uuids").register()
        import_module("otc.identity.signals")
        # Registers the room's kinds of jobs, which services ask for by name.
        import_module("otc.audit.tasks")
        import_module("otc.identity.factors.tasks")
        import_module("otc.notices.tasks")
        import_module("otc.notices.undo")
        import_module("otc.undo.tasks")
