"""Fences of the pipeline's tables. A deal is never deleted by the application, a version never written."""

from django.db import migrations

from otc.tenancy.operations import OWN_ROWS, Fence


def fence(model_name: str, grants: str = "SELECT, INSERT, UPDATE, DELETE") -> Fence:
    return Fence(model_name, OWN_ROWS, OWN_ROWS, grants)


class Migration(migrations.Migration):
    dependencies = [("pipeline", "0001_initial"), ("otc", "0002_fences")]

    operations = [
        fence("Account"),
        fence("Contact"),
        fence("Process"),
        fence("Stage"),
        fence("Milestone"),
        fence("CloseReason"),
        fence("Product"),
        fence("Competitor"),
        fence("Opportunity", "SELECT, INSERT, UPDATE"),
        fence("OpportunityMilestone"),
        fence("Activity"),
        fence("OpportunityVersion", "SELECT"),
        fence("HistoryRow", "SELECT, INSERT, DELETE"),
        fence("Health"),
        fence("StageRate"),
        fence("Risk"),
    ]
