"""Whoever changes the past marks it in their own name: an operator who mends versions past the fences is no stranger
to the marks either. A mark too many only costs a page its kept sums.
"""

from django.db import migrations

FUNCTIONS = [
    f"{table}_sums_{verb}"
    for table, verbs in (
        ("pipeline_opportunityversion", ("insert", "update", "delete")),
        ("otc_rate", ("insert", "update", "delete")),
        ("pipeline_opportunity", ("update",)),
    )
    for verb in verbs
]


class Migration(migrations.Migration):
    dependencies = [("forecasting", "0006_alerts")]

    operations = [
        migrations.RunSQL(
            [(f"ALTER FUNCTION {name}() SECURITY INVOKER", None) for name in FUNCTIONS],
            migrations.RunSQL.noop,
        ),
        migrations.RunSQL(
            [("GRANT INSERT ON forecasting_sumsstale TO otc_app", None)], migrations.RunSQL.noop
        ),
    ]
