from django.apps import AppConfig


class PipelineConfig(AppConfig):
    name = "pipeline"

    def ready(self) -> None:
        # Registers the room's kinds of jobs, which services ask for by name.
        from pipeline.health import tasks  # noqa: F401  # imported for its registrations
