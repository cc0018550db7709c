from django.apps import AppConfig


class PipelineConfig(AppConfig):
    name = "pipeline"

    def ready(self) -> None:
        # Registers the room's kinds of jobs, which services ask for by name.
        from pipeline.health import tasks as health  # noqa: F401  # imported for its registrations
        from pipeline.imports import tasks as imports  # noqa: F401  # the same
