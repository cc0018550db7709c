"""Where Django finds the pipeline's tables."""

from pipeline.accounts.models import Account, Contact
from pipeline.activities.models import Activity
from pipeline.approvals.models import ApprovalRequest
from pipeline.buying.models import BuyingRole
from pipeline.closeplan.models import ClosePlan, ClosePlanEvent, ClosePlanLink
from pipeline.comments.models import DealComment
from pipeline.deal_views.models import DealView
from pipeline.digest.models import Digest
from pipeline.duplicates.models import DuplicatePair, Merge
from pipeline.exports.models import DealExport
from pipeline.fields.models import OpportunityFieldValue
from pipeline.fit.models import Scorecard
from pipeline.health.models import Health, HealthChange, HealthDay, HealthScale, HealthThreshold
from pipeline.history.models import HistoryRow, OpportunityVersion
from pipeline.leads.models import Lead, LeadCheck, LeadMark
from pipeline.lines.models import DealLine
from pipeline.links.models import DealLink
from pipeline.opportunities.models import Competitor, EndedMark, Opportunity, OpportunityMilestone, Product
from pipeline.plans.models import AccountPlan, PlannedTouch, PlanPerson
from pipeline.process.models import CloseReason, Milestone, Process, ProcessVersion, Stage
from pipeline.risk.models import Risk, RiskTurn, StageRate
from pipeline.team.models import DealTeamMember, Split
from pipeline.telling.models import DealTold
from pipeline.today.models import DealAnswer

__all__ = [
    "Account",
    "AccountPlan",
    "Activity",
    "ApprovalRequest",
    "BuyingRole",
    "ClosePlan",
    "ClosePlanEvent",
    "ClosePlanLink",
    "CloseReason",
    "Competitor",
    "Contact",
    "DealAnswer",
    "DealComment",
    "DealExport",
    "DealLine",
    "DealLink",
    "DealTeamMember",
    "DealTold",
    "DealView",
    "Digest",
    "DuplicatePair",
    "EndedMark",
    "Health",
    "HealthChange",
    "HealthDay",
    "HealthScale",
    "HealthThreshold",
    "HistoryRow",
    "Lead",
    "LeadCheck",
    "LeadMark",
    "Merge",
    "Milestone",
    "Opportunity",
    "OpportunityFieldValue",
    "OpportunityMilestone",
    "OpportunityVersion",
    "PlanPerson",
    "PlannedTouch",
    "Process",
    "ProcessVersion",
    "Product",
    "Risk",
    "RiskTurn",
    "Scorecard",
    "Split",
    "Stage",
    "StageRate",
]
