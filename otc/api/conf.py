"""The settings of Django REST framework and of the schema, imported by otc.settings."""

from typing import Any

REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["otc.api.auth.TokenAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["otc.api.permissions.RoleAndScope"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_THROTTLE_CLASSES": ["otc.api.auth.TokenThrottle"],
    # Generous: a nightly synchronization of 100,000 deals by pages of 200 is 500 requests.
    "DEFAULT_THROTTLE_RATES": {"token": "1200/min"},
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_METADATA_CLASS": None,
    "EXCEPTION_HANDLER": "otc.api.errors.answer",
    "UNAUTHENTICATED_USER": None,
    "UNAUTHENTICATED_TOKEN": None,
}

SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "Opportunity to close",
    "DESCRIPTION": (
        "Accounts, opportunities and their versions, stages, milestones, activities, waterfalls, forecasts, wins "
        "and losses of one organization: the token's.\n\n"
        "Amounts are whole minor units beside a currency. Instants are UTC; a day means the organization's day. "
        "Lists come in pages: follow `next` until it is null. What does not exist and what you may not see "
        "answer alike: 404."
    ),
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "ApprovalState": "pipeline.approvals.models.ApprovalState",
        "ApprovalAnswer": ["granted", "declined", "withdrawn"],
        "FitBand": "pipeline.fit.rules.BANDS",
        "LeadReturnReason": "pipeline.leads.models.ReturnReason",
        "LeadState": "pipeline.leads.models.LeadState",
        "MergeChoice": ["kept", "gone"],
        "RecordKind": "pipeline.duplicates.models.RecordKind",
        "MilestoneState": "pipeline.process.api.STATES",
        "TodayAnswer": "pipeline.today.rules.ANSWERS",
        "AlertKind": "forecasting.alerts.rules.KIND_KEYS",
        "AlertSpan": "forecasting.alerts.rules.SPANS",
        "FlowEnd": ["group", "bucket"],
        "BuyingPart": "pipeline.buying.models.Part",
        "Category": "pipeline.process.models.Category",
        "OpenCategory": "pipeline.opportunities.rules.OPEN_CATEGORIES",
        "Outcome": "pipeline.opportunities.models.Outcome",
        "FieldKind": "otc.fields.models.FieldKind",
        "Role": "otc.tenancy.models.Role",
        "SplitKind": "pipeline.team.models.SplitKind",
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "otc.api.schema.document_errors",
    ],
}
