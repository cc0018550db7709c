from importlib import import_module

from django.apps import AppConfig

# What registers itself when it is imported: kinds of jobs, which services ask for by name, ways to undo, and what the
# ground asks about currencies.
REGISTERED = (
    "pipeline.accounts.deletion",
    "pipeline.accounts.undo",
    "pipeline.closeplan.services",
    "pipeline.deal_views.services",
    "pipeline.duplicates.tasks",
    "pipeline.digest.tasks",
    "pipeline.exports.tasks",
    "pipeline.fields.tasks",
    "pipeline.health.tasks",
    "pipeline.imports.tasks",
    "pipeline.leads.services",
    "pipeline.opportunities.conversion",
    "pipeline.telling.tasks",
    "pipeline.plans.services",
    "pipeline.today.services",
)


class PipelineConfig(AppConfig):
    name = "pipeline"

    def ready(self) -> None:
        for module in REGISTERED:
            import_module(module)
