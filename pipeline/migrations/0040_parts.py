"""Between whom a deal is split is part of its state: every version holds it, and sums add up parts."""

import importlib

import django.contrib.postgres.fields
from django.db import migrations, models

bulk = importlib.import_module("pipeline.migrations.0006_bulk")
search = importlib.import_module("pipeline.migrations.0012_search")

SPLIT = "split_people, split_shares"


def of(alias: str) -> str:
    return f"{alias}.split_people, {alias}.split_shares"


# A share of an amount by largest remainder: whole minor units that add up to the amount again. Of equal remainders
# the earlier share gets the unit; the larger share stands first, then the lower id (pipeline/parts/rules.py).
PART = """
CREATE FUNCTION pipeline_part(amount bigint, shares integer[], place integer) RETURNS bigint
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = public, pg_temp AS $$
DECLARE
  times bigint := abs(amount) / 10000;
  rest bigint := abs(amount) % 10000;
  own integer := (rest * shares[place]) % 10000;
  spare bigint := 0;
  ahead integer := 0;
  other integer;
BEGIN
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
REVOKE ALL ON FUNCTION pipeline_part(bigint, integer[], integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION pipeline_part(bigint, integer[], integer) TO otc_app;
"""

# The splits are rows, for who set them and when; the deal repeats what stands, so that its versions say it. Checked and
# taken over when a whole set is there: at commit, or when the service asks for it.
TAKE_OVER = """
CREATE OR REPLACE FUNCTION pipeline_check_splits() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
  before text := current_setting('otc.organization', true);
  changed pipeline_split := CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
  whole bigint;
  people uuid[];
  shares integer[];
BEGIN
  PERFORM set_config('otc.organization', changed.organization_id::text, true);
  SELECT sum(s.share_bp), array_agg(s.person_id ORDER BY s.share_bp DESC, s.person_id),
    array_agg(s.share_bp ORDER BY s.share_bp DESC, s.person_id) INTO whole, people, shares
  FROM pipeline_split s
  WHERE s.organization_id = changed.organization_id AND s.opportunity_id = changed.opportunity_id
    AND s.kind = 'revenue' AND s.valid_to = timestamptz '9999-01-01 00:00:00+00';
  IF whole <> 10000 THEN
    RAISE EXCEPTION 'the revenue splits of deal % sum to % instead of 10000', changed.opportunity_id, whole
      USING ERRCODE = 'check_violation';
  END IF;
  UPDATE pipeline_opportunity o SET split_people = people, split_shares = shares
  WHERE o.organization_id = changed.organization_id AND o.id = changed.opportunity_id
    AND (o.split_people, o.split_shares) IS DISTINCT FROM (people, shares);
  PERFORM set_config('otc.organization', coalesce(before, ''), true);
  RETURN NULL;
END $$;
"""

# Whoever saves a deal that was read before its split changed doesn't undo the split.
KEEP = """
CREATE FUNCTION pipeline_keep_split() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  NEW.split_people := OLD.split_people;
  NEW.split_shares := OLD.split_shares;
  RETURN NEW;
END $$;
REVOKE ALL ON FUNCTION pipeline_keep_split() FROM PUBLIC;
CREATE TRIGGER opportunity_split BEFORE UPDATE ON pipeline_opportunity FOR EACH ROW
  WHEN (pg_trigger_depth() = 0
    AND (OLD.split_people, OLD.split_shares) IS DISTINCT FROM (NEW.split_people, NEW.split_shares))
  EXECUTE FUNCTION pipeline_keep_split();
"""

TRIGGERS = bulk.TRIGGERS[bulk.TRIGGERS.index("CREATE FUNCTION pipeline_record_new") :]
RECORD = "\n".join(
    part[: part.index("END $$;") + len("END $$;")]
    .replace(bulk.PLAIN, f"{bulk.PLAIN}, {SPLIT}")
    .replace(bulk.NEW, f"{bulk.NEW}, {of('n')}")
    .replace(bulk.OLD, f"{bulk.OLD}, {of('o')}")
    .replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION")
    for part in (TRIGGERS, TRIGGERS[TRIGGERS.index("CREATE FUNCTION pipeline_record_edit") :])
)
assert (
    RECORD.count(of("n")) == 3 and RECORD.count(of("o")) == 1 and RECORD.count(f"deleted_at, {SPLIT})") == 2
)

# What is corrected later keeps the split that stood: no import says how a deal was split.
MADE = f"SELECT org, h.opportunity_id, h.external_id, h.name_folded, h.created_at, {bulk.STAGED}\n"
ENTERED = f"""'corrected' ELSE h.provenance END, {bulk.STAGED}
  FROM pipeline_historyrow h JOIN entered_deal d ON d.opportunity_id = h.opportunity_id
"""
ENTER = (
    search.ENTER.replace(
        f"created_at, {bulk.PLAIN})\n  {MADE}",
        f"created_at, {bulk.PLAIN}, {SPLIT})\n  {MADE[:-1]}, {of('h')}\n",
    )
    .replace(f"(id, {bulk.WRITTEN})", f"(id, {bulk.WRITTEN}, {SPLIT})")
    .replace(
        ENTERED,
        f"""'corrected' ELSE h.provenance END, {bulk.STAGED},
    coalesce(h.split_people, stood.split_people), coalesce(h.split_shares, stood.split_shares)
  FROM pipeline_historyrow h JOIN entered_deal d ON d.opportunity_id = h.opportunity_id
  LEFT JOIN LATERAL (SELECT {of("x")} FROM pipeline_opportunityversion x WHERE d.is_correction
    AND x.organization_id = org AND x.opportunity_id = h.opportunity_id AND x.known_to = moment
    AND x.valid_from <= h.at AND x.valid_to > h.at) AS stood ON true
""",
    )
)
assert ENTER.count("split_people") == 6

# Splits that stand count from now on. What was summed before stays as it was shown.
FILL = """
DO $$
DECLARE org uuid;
BEGIN
  PERFORM set_config('otc.doorway', 'jobs', true);
  FOR org IN SELECT id FROM otc_organization LOOP
    PERFORM set_config('otc.organization', org::text, true);
    UPDATE pipeline_opportunity o SET split_people = s.people, split_shares = s.shares FROM (
      SELECT opportunity_id, array_agg(person_id ORDER BY share_bp DESC, person_id) AS people,
        array_agg(share_bp ORDER BY share_bp DESC, person_id) AS shares
      FROM pipeline_split WHERE organization_id = org AND kind = 'revenue'
        AND valid_to = timestamptz '9999-01-01 00:00:00+00' GROUP BY opportunity_id) s
    WHERE o.organization_id = org AND o.id = s.opportunity_id;
  END LOOP;
  PERFORM set_config('otc.organization', '00000000-0000-0000-0000-000000000000', true);
  PERFORM set_config('otc.doorway', '', true);
END $$
"""


def array(of_what: models.Field) -> models.Field:
    return django.contrib.postgres.fields.ArrayField(
        base_field=of_what, blank=True, editable=False, null=True, size=None
    )


class Migration(migrations.Migration):
    dependencies = [
        ("otc", "0019_logo"),
        ("pipeline", "0039_version_spans"),
    ]

    operations = [
        *(
            migrations.AddField(model_name=model, name=name, field=array(of_what))
            for model in ("opportunity", "opportunityversion", "historyrow")
            for name, of_what in (
                ("split_people", models.UUIDField()),
                ("split_shares", models.IntegerField()),
            )
        ),
        migrations.AddIndex(
            model_name="opportunityversion",
            index=models.Index(
                condition=models.Q(("split_people__isnull", False)),
                fields=["organization", "close_date", "valid_from", "valid_to"],
                name="version_split_span",
            ),
        ),
        *(
            migrations.RunSQL([(statement, None)], migrations.RunSQL.noop)
            for statement in (PART, RECORD, ENTER, FILL, "SET CONSTRAINTS ALL IMMEDIATE", TAKE_OVER, KEEP)
        ),
    ]
