"""The pages on which a process is changed: first shown, then written."""

import json
import re

from otc.tenancy.context import use
from pipeline.process.models import ProcessVersion
from pipeline.process.versions import document_of
from tests.pipeline.process_changes import change, names, renamed, stage, the_process


def hidden(page):
    return {
        name: value.replace("&quot;", '"').replace("&#x27;", "'").replace("&amp;", "&")
        for name, value in re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page)
        if name != "csrfmiddlewaretoken"
    }


def test_the_pages_show_first_and_change_then(house, signed_in, make_deal):
    with use(house.organization.id, channel="ui"):
        make_deal(stage_id=stage("Validate").id)
        process, gone, target = the_process(), stage("Validate"), stage("Propose")
    browser = signed_in(house.ops)
    url = house.url(f"settings/process/{process.id}/")
    assert browser.get(url).status_code == 200
    typed = {
        "name": "Sales",
        f"remove-{gone.id}": "on",
        f"to-{gone.id}": str(target.id),
        "name-new1": "Close",
    }
    shown = browser.post(url, typed)
    text = shown.content.decode()
    assert "1 open deal would move to another stage" in text and "New stage Close" in text
    with use(house.organization.id):
        assert document_of(the_process())["name"] == "Sales process"
    done = browser.post(f"{url}change/", hidden(text), follow=True)
    assert "Undo" in done.content.decode()
    with use(house.organization.id):
        assert the_process().name == "Sales" and "Close" in names() and "Validate" not in names()
    versions = browser.get(f"{url}versions/").content.decode()
    assert "Removed the stage Validate" in versions and "Olga Petrova" in versions


def test_a_stage_is_edited_on_a_page_of_its_own(house, signed_in):
    with use(house.organization.id):
        process, discover = the_process(), stage("Discover")
    browser = signed_in(house.ops)
    url = house.url(f"settings/process/{process.id}/stages/{discover.id}/")
    page = browser.get(url)
    typed = {field.html_name: field.value() for field in page.context["form"]}
    typed = {name: value for name, value in typed.items() if value not in (None, False)}
    for rows in (page.context["milestones"], page.context["aids"]):
        typed |= {field.html_name: field.value() for field in rows.management_form}
        for row in rows:
            typed |= {f.html_name: f.value() for f in row if f.value() not in (None, False)}
    count = len(page.context["stage"]["milestones"])
    typed |= {
        "approval_above": "100k",
        "required_fields": ["amount"],
        "cant_be_skipped": "on",
        "guidance": "Ask who signs.\nThen ask again.",
        f"milestone-{count}-name": "Org chart drawn",
        "aid-0-title": "Discovery checklist",
        "aid-0-url": "https://example.org/list",
        "aid-0-role": "champion",
    }
    refused = browser.post(url, typed | {"approval_above": "much"})
    assert refused.status_code == 422 and "much" in refused.content.decode()
    shown = browser.post(url, typed)
    assert shown.status_code == 200, shown.context["problem"]
    text = shown.content.decode()
    assert "Discover: new milestone Org chart drawn" in text
    browser.post(house.url(f"settings/process/{process.id}/change/"), hidden(text))
    with use(house.organization.id):
        found = stage("Discover")
        assert (found.approval_above_minor, found.required_fields) == (100_000_00, ["amount"])
        assert (found.may_be_skipped, found.may_go_back) == (False, True)
        assert found.guidance == "Ask who signs.\nThen ask again."
        assert found.aids[0]["title"] == "Discovery checklist"
        assert found.milestones.count() == count + 1


def test_an_old_version_is_readable_and_changed_back_to(house, signed_in):
    with use(house.organization.id, person_id=house.ops.id, channel="ui"):
        change(renamed("Sign", "Paper"))
        first = ProcessVersion.objects.get(number=1)
    browser = signed_in(house.ops)
    url = house.url(f"settings/process/{first.process_id}/versions/{first.id}/")
    assert "6. Sign" in browser.get(url).content.decode()
    text = browser.post(url).content.decode()
    assert "Renamed the stage Paper to Sign" in text
    browser.post(house.url(f"settings/process/{first.process_id}/change/"), hidden(text))
    with use(house.organization.id):
        assert names()[-1] == "Sign"


def test_who_may_not_manage_the_process_reads_it_only(house, signed_in):
    with use(house.organization.id):
        process = the_process()
    browser = signed_in(house.ria)
    assert browser.get(house.url("settings/process/")).status_code == 200
    assert browser.get(house.url(f"settings/process/{process.id}/")).status_code == 403
    assert browser.post(house.url(f"settings/process/{process.id}/change/"), {}).status_code == 403


def test_a_change_that_is_not_readable_or_stale_changes_nothing(house, signed_in):
    with use(house.organization.id):
        process = the_process()
        document = json.dumps(document_of(process) | {"name": "Other"})
    browser = signed_in(house.ops)
    url = house.url(f"settings/process/{process.id}/change/")
    for posted in (
        {"document": "{", "base": "1"},
        {"document": "[]", "base": "1"},
        {"document": document, "base": "7"},
    ):
        assert browser.post(url, posted).status_code == 302
    with use(house.organization.id):
        assert the_process().name == "Sales process"
