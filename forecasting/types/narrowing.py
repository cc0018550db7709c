"""Lists of deals by `forecast_type`: those that the forecast of a type sums, by the filter that it sums by."""

import re
from typing import Any

from django.db.models.expressions import RawSQL

from forecasting.rollup.report import rules_instant
from forecasting.types.queries import TypeCondition, type_asked, type_condition
from otc.question import Question
from otc.tenancy.models import FOREVER
from pipeline.history.models import OpportunityVersion
from pipeline.opportunities.narrowing import Narrowing

PARAMETER = "forecast_type"
NAMED = re.compile(r"%\((\w+)\)s")


def read_type(slug: str, question: Question) -> Narrowing | None:
    """The narrowing that a slug means; None for all deals. Raises BadQuestion."""
    type_ = type_asked(slug)
    if type_ is None:
        return None
    instant = rules_instant(question.period, question.as_of, question.organization)
    condition = type_condition(question.organization, type_id=type_.id, instant=instant)
    return lambda rows: rows.filter(id__in=_ids(condition, model=rows.model))


def _ids(condition: TypeCondition, *, model: Any) -> RawSQL:
    """The versions that hold the condition, or the deals whose present version does."""
    names = NAMED.findall(condition.sql)
    sql = NAMED.sub("%s", condition.sql)
    values = [condition.parameters[name] for name in names]
    table = OpportunityVersion._meta.db_table
    if model is OpportunityVersion:
        # The names are the model's own, and the condition holds parameters only.
        return RawSQL(f"SELECT v.id FROM {table} v WHERE {sql}", values)
    present = f"SELECT v.opportunity_id FROM {table} v WHERE v.valid_to = %s AND v.known_to = %s AND {sql}"
    return RawSQL(present, [FOREVER, FOREVER, *values])
