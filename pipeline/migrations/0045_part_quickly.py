"""The share of an amount, of two shares by one expression; without a search path of its own a call costs a third."""

from django.db import migrations

# Of two shares one remainder is what the other lacks: the larger one gets the unit, of equal ones the first.
PART = """
CREATE OR REPLACE FUNCTION pipeline_part(amount bigint, shares integer[], place integer) RETURNS bigint
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
  times bigint;
  rest bigint;
  own integer;
  spare bigint := 0;
  ahead integer := 0;
  other integer;
BEGIN
  IF amount >= 0 AND cardinality(shares) = 2 THEN
    RETURN amount / 10000 * shares[place]
      + (amount % 10000 * shares[place] + CASE place WHEN 1 THEN 5000 ELSE 4999 END) / 10000;
  END IF;
  times := abs(amount) / 10000;
  rest := abs(amount) % 10000;
  own := (rest * shares[place]) % 10000;
  FOR number IN 1 .. cardinality(shares) LOOP
    other := (rest * shares[number]) % 10000;
    spare := spare + other;
    IF other > own OR (other = own AND number < place) THEN
      ahead := ahead + 1;
    END IF;
  END LOOP;
  RETURN CASE WHEN amount < 0 THEN -1 ELSE 1 END * (times * shares[place] + (rest * shares[place]) / 10000
    + CASE WHEN ahead < spare / 10000 THEN 1 ELSE 0 END);
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("pipeline", "0044_overlays_known")]

    operations = [
        migrations.RunSQL(
            [("ALTER FUNCTION pipeline_part(bigint, integer[], integer) RESET search_path", None)],
            migrations.RunSQL.noop,
        ),
        migrations.RunSQL([(PART, None)], migrations.RunSQL.noop),
    ]
