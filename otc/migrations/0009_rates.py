"""Rates that are known until, the currency a person sees, and conversion between any two currencies."""

import datetime

from django.db import migrations, models

# What an earlier row of the same day was known until: the next one. Forced row-level security would hide the rows.
CLOSE_REPLACED = """
ALTER TABLE otc_rate NO FORCE ROW LEVEL SECURITY;
UPDATE otc_rate r SET known_to = n.known_from FROM (
  SELECT organization_id, id, lead(known_from) OVER (
    PARTITION BY organization_id, currency, valid_from ORDER BY known_from) AS known_from FROM otc_rate) n
WHERE n.organization_id = r.organization_id AND n.id = r.id AND n.known_from IS NOT NULL;
ALTER TABLE otc_rate FORCE ROW LEVEL SECURITY;
"""

# By the way of the corporate currency: units of it per unit of the source, and per unit of the target. The quotient is
# never written as a decimal, so that half-even looks at the exact remainder.
CONVERT = """
DROP FUNCTION otc_convert(bigint, text, text, numeric);
CREATE FUNCTION otc_convert(amount bigint, source text, target text, source_rate numeric, target_rate numeric)
RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT (sign(amount::numeric) * CASE
    WHEN 2 * rest > divisor OR (2 * rest = divisor AND mod(whole, 2) <> 0) THEN whole + 1 ELSE whole END)::bigint
  FROM (SELECT whole, divisor, size - whole * divisor AS rest FROM (
    SELECT size, divisor, div(size, divisor) AS whole FROM (
      SELECT abs(amount)::numeric * source_rate * power(10::numeric, otc_decimals(target)) AS size,
        target_rate * power(10::numeric, otc_decimals(source)) AS divisor) AS a) AS b) AS c
$$;
"""


class Migration(migrations.Migration):
    dependencies = [("otc", "0008_calendar")]

    operations = [
        migrations.AddField(
            model_name="person",
            name="shown_currency",
            field=models.CharField(blank=True, default="", max_length=3),
        ),
        migrations.AddField(
            model_name="rate",
            name="known_to",
            field=models.DateTimeField(
                default=datetime.datetime(9999, 1, 1, 0, 0, tzinfo=datetime.timezone.utc)
            ),
        ),
        migrations.RunSQL([(CLOSE_REPLACED, None)], migrations.RunSQL.noop),
        migrations.AddConstraint(
            model_name="rate",
            constraint=models.UniqueConstraint(
                condition=models.Q(
                    ("known_to", datetime.datetime(9999, 1, 1, 0, 0, tzinfo=datetime.timezone.utc))
                ),
                fields=("organization", "currency", "valid_from"),
                name="rate_current_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="rate",
            constraint=models.CheckConstraint(
                condition=models.Q(("known_from__lt", models.F("known_to"))), name="rate_known_interval"
            ),
        ),
        migrations.RunSQL([(CONVERT, None)], migrations.RunSQL.noop),
    ]
