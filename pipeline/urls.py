from django.urls import URLPattern, URLResolver, path

from pipeline.accounts import listing
from pipeline.accounts import views as accounts
from pipeline.approvals import views as approvals
from pipeline.buying import views as buying
from pipeline.closeplan import views as closeplan
from pipeline.comments import views as comments
from pipeline.deal_views import views as deal_views
from pipeline.duplicates import views as duplicates
from pipeline.exports import views as exports
from pipeline.find import views as find
from pipeline.grid import views as grid
from pipeline.health import settings as health_settings
from pipeline.health import views as health
from pipeline.leads import checklist as lead_checklist
from pipeline.leads import views as leads
from pipeline.lines import views as lines
from pipeline.links import views as links
from pipeline.opportunities.views import (
    board,
    bulk,
    cell,
    closing,
    creating,
    deal,
    deals,
    field_controls,
    gate,
    milestones,
    next_step,
    trash,
)
from pipeline.plans import views as plans
from pipeline.team import splitting
from pipeline.team import views as team
from pipeline.today import views as today

urlpatterns: list[URLPattern | URLResolver] = [
    path("today/", today.today, name="today"),
    path("today/<uuid:deal_id>/answer/", today.today_answer, name="today_answer"),
    path("deals/", deals.deals, name="deals"),
    path("deals/board/", board.board, name="board"),
    path("deals/columns/", field_controls.deals_columns, name="deals_columns"),
    path("deals/bulk/", bulk.deals_bulk, name="deals_bulk"),
    path("deals/block/", grid.deals_block, name="deals_block"),
    path("deals/exports/", exports.deals_exports, name="deals_exports"),
    path("deals/exports/<uuid:export_id>/", exports.deals_export, name="deals_export"),
    path("deals/exports/<uuid:export_id>/cancel/", exports.deals_export_cancel, name="deals_export_cancel"),
    path("deals/exports/<uuid:export_id>/file/", exports.deals_export_file, name="deals_export_file"),
    path("deals/views/", deal_views.deal_views, name="deal_views"),
    path("deals/views/default/", deal_views.deal_view_default, name="deal_view_default"),
    path("deals/views/<uuid:view_id>/delete/", deal_views.deal_view_forget, name="deal_view_forget"),
    path("deals/new/", creating.deal_new, name="deal_new"),
    path("deals/<uuid:deal_id>/", deal.deal, name="deal"),
    path("deals/<uuid:deal_id>/edit/<slug:field>/", cell.deal_cell, name="deal_cell"),
    path("deals/<uuid:deal_id>/next-step/", next_step.deal_next_step, name="deal_next_step"),
    path("deals/<uuid:deal_id>/move/", board.board_move, name="board_move"),
    path("deals/<uuid:deal_id>/gate/", gate.deal_gate, name="deal_gate"),
    path("deals/<uuid:deal_id>/milestones/", milestones.deal_milestones, name="deal_milestones"),
    path(
        "deals/<uuid:deal_id>/milestones/<uuid:milestone_id>/",
        milestones.deal_milestone,
        name="deal_milestone",
    ),
    path("deals/<uuid:deal_id>/activities/", deal.deal_activity, name="deal_activity"),
    path(
        "deals/<uuid:deal_id>/activities/<uuid:activity_id>/forget/",
        deal.deal_activity_forget,
        name="deal_activity_forget",
    ),
    path("deals/<uuid:deal_id>/team/", team.deal_team_add, name="deal_team_add"),
    path(
        "deals/<uuid:deal_id>/team/<uuid:member_id>/remove/", team.deal_team_remove, name="deal_team_remove"
    ),
    path(
        "deals/<uuid:deal_id>/team/<uuid:member_id>/restore/",
        team.deal_team_restore,
        name="deal_team_restore",
    ),
    path("deals/<uuid:deal_id>/buying/", buying.buying_role_new, name="buying_role_new"),
    path("deals/<uuid:deal_id>/buying/undo/", buying.buying_team_undo, name="buying_team_undo"),
    path(
        "deals/<uuid:deal_id>/buying/<uuid:buying_role_id>/",
        buying.buying_role_edit,
        name="buying_role_edit",
    ),
    path("deals/<uuid:deal_id>/lines/new/", lines.deal_line_new, name="deal_line_new"),
    path("deals/<uuid:deal_id>/lines/follow/", lines.deal_lines_follow, name="deal_lines_follow"),
    path("deals/<uuid:deal_id>/lines/<uuid:line_id>/", lines.deal_line, name="deal_line"),
    path("deals/<uuid:deal_id>/comments/", comments.deal_comment_new, name="deal_comment_new"),
    path("deals/<uuid:deal_id>/comments/people/", comments.deal_people, name="deal_people"),
    path("deals/<uuid:deal_id>/comments/<uuid:comment_id>/", comments.deal_comment, name="deal_comment"),
    path("deals/<uuid:deal_id>/links/new/", links.deal_link_new, name="deal_link_new"),
    path("deals/<uuid:deal_id>/links/<uuid:link_id>/", links.deal_link_remove, name="deal_link_remove"),
    path("deals/<uuid:deal_id>/splits/", splitting.deal_splits, name="deal_splits"),
    path("deals/<uuid:deal_id>/close-plan/", closeplan.close_plan, name="close_plan"),
    path("deals/<uuid:deal_id>/close-plan/choose/", closeplan.close_plan_choose, name="close_plan_choose"),
    path("deals/<uuid:deal_id>/close-plan/people/", closeplan.close_plan_people, name="close_plan_people"),
    path("deals/<uuid:deal_id>/close-plan/links/", closeplan.close_plan_link_new, name="close_plan_link_new"),
    path(
        "deals/<uuid:deal_id>/close-plan/links/<uuid:close_plan_link_id>/revoke/",
        closeplan.close_plan_link_revoke,
        name="close_plan_link_revoke",
    ),
    path(
        "deals/<uuid:deal_id>/close-plan/comments/", closeplan.close_plan_comment, name="close_plan_comment"
    ),
    path(
        "deals/<uuid:deal_id>/close-plan/events/<uuid:close_plan_event_id>/undo/",
        closeplan.close_plan_undo,
        name="close_plan_undo",
    ),
    path("deals/<uuid:deal_id>/close/", closing.deal_close, name="deal_close"),
    path("deals/<uuid:deal_id>/reopen/", closing.deal_reopen, name="deal_reopen"),
    path("deals/<uuid:deal_id>/delete/", closing.deal_delete, name="deal_delete"),
    path("deals/<uuid:deal_id>/undo/<uuid:version_id>/", deal.deal_undo, name="deal_undo"),
    path("deals/<uuid:deal_id>/restore/", trash.deal_restore, name="deal_restore"),
    path("approvals/", approvals.approvals, name="approvals"),
    path("approvals/<uuid:approval_id>/", approvals.approval, name="approval"),
    path("approvals/<uuid:approval_id>/withdraw/", approvals.approval_take_back, name="approval_withdraw"),
    path("health/", health.health, name="health"),
    path("settings/health/", health_settings.health_settings, name="health_settings"),
    path("trash/", trash.trash, name="trash"),
    path("find/", find.find, name="find"),
    path("leads/", leads.leads, name="leads"),
    path("leads/new/", leads.lead_new, name="lead_new"),
    path("leads/checklist/", lead_checklist.lead_checklist, name="lead_checklist"),
    path("leads/<uuid:lead_id>/", leads.lead, name="lead"),
    path("leads/<uuid:lead_id>/edit/", leads.lead_change, name="lead_change"),
    path("leads/<uuid:lead_id>/checks/", leads.lead_checks, name="lead_checks"),
    path("leads/<uuid:lead_id>/convert/", leads.lead_to_deal, name="lead_convert"),
    path("leads/<uuid:lead_id>/return/", leads.lead_back, name="lead_return"),
    path("leads/<uuid:lead_id>/reopen/", leads.lead_open_again, name="lead_reopen"),
    path("duplicates/", duplicates.duplicates, name="duplicates"),
    path("duplicates/merge/", duplicates.merge_new, name="merge_new"),
    path("duplicates/merges/", duplicates.merges, name="merges"),
    path("duplicates/merges/<uuid:merge_id>/undo/", duplicates.merge_take_back, name="merge_undo"),
    path("duplicates/<uuid:pair_id>/dismiss/", duplicates.duplicate_dismiss, name="duplicate_dismiss"),
    path("accounts/", listing.accounts, name="accounts"),
    path("accounts/new/", accounts.account_new, name="account_new"),
    path("accounts/<uuid:account_id>/", accounts.account, name="account"),
    path("accounts/<uuid:account_id>/plan/", plans.account_plan, name="account_plan"),
    path("touches/<uuid:touch_id>/done/", plans.touch_tick, name="touch_tick"),
    path("accounts/<uuid:account_id>/delete/", accounts.account_forget, name="account_delete"),
    path("accounts/<uuid:account_id>/edit/", accounts.account_change, name="account_change"),
    path("accounts/<uuid:account_id>/contacts/", accounts.contact_new, name="contact_new"),
    path(
        "accounts/<uuid:account_id>/contacts/<uuid:contact_id>/",
        accounts.contact_change,
        name="contact_change",
    ),
]
