"""The pipeline's endpoints below /api/v1/."""

from django.urls import path

from pipeline.accounts.api import AccountDetail, Accounts, ContactDetail, Contacts
from pipeline.accounts.api_group import AccountGroup, AccountProducts
from pipeline.activities.api import Activities
from pipeline.approvals.api import ApprovalDetail, Approvals, OpportunityApprovals
from pipeline.buying.api import OpportunityBuyingRole, OpportunityBuyingRoles
from pipeline.closeplan.api import (
    OpportunityClosePlan,
    OpportunityClosePlanLink,
    OpportunityClosePlanLinks,
)
from pipeline.comments.api import OpportunityComment, OpportunityComments
from pipeline.deal_views.api import DealViews
from pipeline.duplicates.api import DuplicateDismiss, Duplicates, Merges, MergeUndo
from pipeline.fields.api import FieldDetail, Fields
from pipeline.fit.api import FitScorecard, FitScorecards, OpportunityFit
from pipeline.health.api import HealthEndpoint
from pipeline.history.api import OpportunityVersions
from pipeline.leads.api import (
    LeadChecklist,
    LeadChecks,
    LeadConvert,
    LeadDetail,
    LeadReopen,
    LeadReturn,
    Leads,
)
from pipeline.lines.api import OpportunityAmountFollows, OpportunityLine, OpportunityLines
from pipeline.links.api import OpportunityLink, OpportunityLinks
from pipeline.opportunities.api import (
    Opportunities,
    OpportunityClose,
    OpportunityDetail,
    OpportunityNextStep,
    OpportunityReopen,
)
from pipeline.opportunities.api_catalogue import Competitors, Products
from pipeline.plans.api import AccountPlanDetail
from pipeline.process.api import (
    Milestones,
    OpportunityMilestoneMark,
    OpportunityMilestones,
    Reasons,
    Stages,
)
from pipeline.process.api_processes import ProcessDetail, Processes, ProcessVersions
from pipeline.team.api import OpportunitySplits, OpportunityTeam, OpportunityTeamMember
from pipeline.today.api import Today, TodayAnswer

DEAL = "opportunities/<uuid:opportunity_id>"

urlpatterns = [
    path("accounts", Accounts.as_view(), name="api-accounts"),
    path("accounts/<uuid:account_id>", AccountDetail.as_view(), name="api-account"),
    path("accounts/<uuid:account_id>/group", AccountGroup.as_view(), name="api-account-group"),
    path("accounts/<uuid:account_id>/plan", AccountPlanDetail.as_view(), name="api-account-plan"),
    path("accounts/<uuid:account_id>/products", AccountProducts.as_view(), name="api-account-products"),
    path("contacts", Contacts.as_view(), name="api-contacts"),
    path("contacts/<uuid:contact_id>", ContactDetail.as_view(), name="api-contact"),
    path("duplicates", Duplicates.as_view(), name="api-duplicates"),
    path("duplicates/<uuid:pair_id>/dismiss", DuplicateDismiss.as_view(), name="api-duplicate-dismiss"),
    path("merges", Merges.as_view(), name="api-merges"),
    path("merges/<uuid:merge_id>/undo", MergeUndo.as_view(), name="api-merge-undo"),
    path("lead-checks", LeadChecklist.as_view(), name="api-lead-checks"),
    path("leads", Leads.as_view(), name="api-leads"),
    path("leads/<uuid:lead_id>", LeadDetail.as_view(), name="api-lead"),
    path("leads/<uuid:lead_id>/checks", LeadChecks.as_view(), name="api-lead-marks"),
    path("leads/<uuid:lead_id>/convert", LeadConvert.as_view(), name="api-lead-convert"),
    path("leads/<uuid:lead_id>/return", LeadReturn.as_view(), name="api-lead-return"),
    path("leads/<uuid:lead_id>/reopen", LeadReopen.as_view(), name="api-lead-reopen"),
    path("deal-views", DealViews.as_view(), name="api-deal-views"),
    path("fields", Fields.as_view(), name="api-fields"),
    path("fields/<uuid:field_id>", FieldDetail.as_view(), name="api-field"),
    path("opportunities", Opportunities.as_view(), name="api-opportunities"),
    path(DEAL, OpportunityDetail.as_view(), name="api-opportunity"),
    path(f"{DEAL}/close", OpportunityClose.as_view(), name="api-opportunity-close"),
    path(f"{DEAL}/reopen", OpportunityReopen.as_view(), name="api-opportunity-reopen"),
    path(f"{DEAL}/next-step", OpportunityNextStep.as_view(), name="api-opportunity-next-step"),
    path(f"{DEAL}/versions", OpportunityVersions.as_view(), name="api-opportunity-versions"),
    path(f"{DEAL}/buying-roles", OpportunityBuyingRoles.as_view(), name="api-opportunity-buying-roles"),
    path(
        f"{DEAL}/buying-roles/<uuid:buying_role_id>",
        OpportunityBuyingRole.as_view(),
        name="api-opportunity-buying-role",
    ),
    path(f"{DEAL}/milestones", OpportunityMilestones.as_view(), name="api-opportunity-milestones"),
    path(
        f"{DEAL}/milestones/<uuid:milestone_id>",
        OpportunityMilestoneMark.as_view(),
        name="api-opportunity-milestone",
    ),
    path(f"{DEAL}/team", OpportunityTeam.as_view(), name="api-opportunity-team"),
    path(
        f"{DEAL}/team/<uuid:member_id>", OpportunityTeamMember.as_view(), name="api-opportunity-team-member"
    ),
    path(f"{DEAL}/splits", OpportunitySplits.as_view(), name="api-opportunity-splits"),
    path(f"{DEAL}/lines", OpportunityLines.as_view(), name="api-opportunity-lines"),
    path(f"{DEAL}/lines/<uuid:line_id>", OpportunityLine.as_view(), name="api-opportunity-line"),
    path(
        f"{DEAL}/amount-follows-lines",
        OpportunityAmountFollows.as_view(),
        name="api-opportunity-amount-follows",
    ),
    path(f"{DEAL}/comments", OpportunityComments.as_view(), name="api-opportunity-comments"),
    path(
        f"{DEAL}/comments/<uuid:comment_id>",
        OpportunityComment.as_view(),
        name="api-opportunity-comment",
    ),
    path(f"{DEAL}/links", OpportunityLinks.as_view(), name="api-opportunity-links"),
    path(f"{DEAL}/links/<uuid:link_id>", OpportunityLink.as_view(), name="api-opportunity-link"),
    path(f"{DEAL}/fit", OpportunityFit.as_view(), name="api-opportunity-fit"),
    path("scorecard", FitScorecard.as_view(), name="api-scorecard"),
    path("scorecards", FitScorecards.as_view(), name="api-scorecards"),
    path(f"{DEAL}/approvals", OpportunityApprovals.as_view(), name="api-opportunity-approvals"),
    path(f"{DEAL}/close-plan", OpportunityClosePlan.as_view(), name="api-opportunity-close-plan"),
    path(
        f"{DEAL}/close-plan/links",
        OpportunityClosePlanLinks.as_view(),
        name="api-opportunity-close-plan-links",
    ),
    path(
        f"{DEAL}/close-plan/links/<uuid:close_plan_link_id>",
        OpportunityClosePlanLink.as_view(),
        name="api-opportunity-close-plan-link",
    ),
    path("approvals", Approvals.as_view(), name="api-approvals"),
    path("approvals/<uuid:approval_id>", ApprovalDetail.as_view(), name="api-approval"),
    path("processes", Processes.as_view(), name="api-processes"),
    path("processes/<uuid:process_id>", ProcessDetail.as_view(), name="api-process"),
    path("processes/<uuid:process_id>/versions", ProcessVersions.as_view(), name="api-process-versions"),
    path("stages", Stages.as_view(), name="api-stages"),
    path("milestones", Milestones.as_view(), name="api-milestones"),
    path("reasons", Reasons.as_view(), name="api-reasons"),
    path("products", Products.as_view(), name="api-products"),
    path("competitors", Competitors.as_view(), name="api-competitors"),
    path("today", Today.as_view(), name="api-today"),
    path("today/<uuid:opportunity_id>", TodayAnswer.as_view(), name="api-today-answer"),
    path("health", HealthEndpoint.as_view(), name="api-health"),
    path("activities", Activities.as_view(), name="api-activities"),
]
