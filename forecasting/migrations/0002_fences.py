from django.db import migrations

from otc.tenancy.operations import Fence


class Migration(migrations.Migration):
    dependencies = [("forecasting", "0001_initial"), ("otc", "0002_fences")]

    operations = [Fence("Quota"), Fence("LastVisit")]
