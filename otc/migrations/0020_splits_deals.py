"""Whether an organization ever split a deal: where it never did, reports add up deals without asking for parts."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("otc", "0019_logo")]

    operations = [
        migrations.AddField(
            model_name="organization",
            name="splits_deals",
            field=models.BooleanField(db_default=False, default=False, editable=False),
        ),
    ]
