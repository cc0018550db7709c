"""The buyer's side, outside of every organization's addresses."""

from django.urls import path

from pipeline.closeplan import door

urlpatterns = [
    path("<str:token>/", door.plan, name="plan"),
    path("<str:token>/logo/", door.plan_logo, name="plan_logo"),
    path("<str:token>/tick/", door.plan_tick, name="plan_tick"),
    path("<str:token>/comment/", door.plan_comment, name="plan_comment"),
]
