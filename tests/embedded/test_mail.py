"""Where mail goes while no server is configured."""

from pathlib import Path

import pytest
from django.core.mail import EmailMessage

from otc.embedded.mail import EmailBackend


def test_every_mail_is_a_file_and_what_somebody_waits_for_is_in_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = EmailMessage("Set a new password", "Open https://otc.example/reset/1", to=["ana@example.org"])
    notice = EmailMessage("Your day", "3 deals", to=["ana@example.org"], headers={"List-Unsubscribe": "<x>"})
    assert EmailBackend(file_path=str(tmp_path)).send_messages([asked, notice]) == 2
    said = capsys.readouterr().out
    assert "Mail to ana@example.org: Set a new password\nOpen https://otc.example/reset/1\n" in said
    assert "Your day" not in said and "3 deals" not in said
    kept = "".join(file.read_text() for file in tmp_path.iterdir())
    assert "Set a new password" in kept and "3 deals" in kept
