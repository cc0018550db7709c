from importlib import import_module

from django.apps import AppConfig

# What registers itself when it is imported: kinds of jobs, which services ask for by name, and ways to undo.
REGISTERED = (
    "pipeline.accounts.undo",
    "pipeline.fields.tasks",
    "pipeline.health.tasks",
    "pipeline.imports.tasks",
)


class PipelineConfig(AppConfig):
    name = "pipeline"

    def ready(self) -> None:
        for module in REGISTERED:
            import_module(module)
