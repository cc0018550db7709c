"""Servers, processes, folders and addresses, each alone."""

import json
import os
import pwd
import signal
import stat
import subprocess
import sys
from dataclasses import asdict, astuple, replace
from pathlib import Path

import pytest

from otc.embedded import places, processes
from otc.embedded.servers import PostgresServer
from otc.embedded.urls import broker_url, database_from_url


@pytest.fixture
def server(tmp_path):
    sockets = places.socket_path(tmp_path)
    made = PostgresServer(
        tmp_path / "data",
        sockets,
        places.read_or_create_passwords(tmp_path),
        tmp_path / "log",
        parameters={"fsync": "off"},
    )
    yield made
    made.stop()
    sockets.rmdir()


def test_a_pid_file_that_names_a_stranger_is_cleared(server):
    server.start()
    server.wait()
    server.stop()
    # This process: alive, and no PostgreSQL. The server alone would refuse to start.
    (server.data / "postmaster.pid").write_text(f"{os.getpid()}\n{server.data}\n0\n5432\n\n\n\nready\n")
    server.start()
    server.wait()
    server.connect("otc").close()


def test_a_set_up_cut_short_is_done_again(server):
    server.data.mkdir(mode=0o700)
    (server.data / "half").touch()
    server.start()
    server.wait()
    with server.connect("otc").cursor() as cursor:
        cursor.execute("SELECT datlocprovider, datlocale FROM pg_database WHERE datname = current_database()")
        assert cursor.fetchone() == ("b", "C.UTF-8")


def test_a_cluster_of_an_older_version_gets_the_roles_it_lacks(server):
    server.start()
    server.wait()
    with server.connect("otc") as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE kept (id int)")
        cursor.execute("DROP OWNED BY otc_backup")
        cursor.execute("DROP ROLE otc_backup")
    (server.data / "otc-ready").write_text("")
    server.wait()
    with server.connect("otc").cursor() as cursor:
        cursor.execute("SELECT rolbypassrls, 'kept'::regclass FROM pg_roles WHERE rolname = 'otc_backup'")
        assert cursor.fetchone() == (True, "kept")


def test_nobody_signs_in_without_the_password(server):
    server.start()
    server.wait()
    server.passwords = places.Passwords("wrong", "wrong", "wrong", "wrong", "wrong")
    with pytest.raises(Exception, match="password authentication failed"):
        server.connect("otc")


def test_a_process_that_ignores_the_request_is_killed():
    deaf = processes.start(
        [sys.executable, "-c", "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(60)"]
    )
    processes.end(deaf.pid, patience_seconds=0.5)
    assert deaf.wait(5) in (-signal.SIGKILL, -signal.SIGTERM)


def test_an_id_used_again_is_a_stranger(tmp_path):
    note = tmp_path / "processes.json"
    processes.remember(note, {"us": os.getpid()})
    assert processes.remembered(note) == {"us": os.getpid()}
    note.write_text(note.read_text().replace(":", ":9"))
    assert processes.remembered(note) == {}


def test_a_private_folder_is_closed_and_never_a_link(tmp_path):
    assert stat.S_IMODE(places.private_folder(tmp_path / "a").stat().st_mode) == 0o700
    (tmp_path / "link").symlink_to(tmp_path / "a")
    with pytest.raises(places.UnsafeFolder):
        places.private_folder(tmp_path / "link")


def test_a_folder_of_another_user_is_refused(tmp_path):
    theirs = tmp_path / "theirs"
    if os.geteuid() == 0:
        theirs.mkdir()
        os.chown(theirs, 65534, 65534)
    else:
        theirs = Path("/usr")
    with pytest.raises(places.UnsafeFolder):
        places.private_folder(theirs)


def test_passwords_are_made_once_and_for_us_only(tmp_path):
    first = places.read_or_create_passwords(tmp_path)
    assert places.read_or_create_passwords(tmp_path) == first
    assert len(set(astuple(first))) == 5
    assert stat.S_IMODE((tmp_path / "secrets.json").stat().st_mode) == 0o600
    assert {path.name for path in tmp_path.iterdir()} == {"secrets.json", "secrets.lock"}


def test_a_password_that_an_older_version_did_not_need_is_added(tmp_path):
    first = places.read_or_create_passwords(tmp_path)
    known = asdict(first)
    del known["backup"]
    (tmp_path / "secrets.json").write_text(json.dumps(known))
    second = places.read_or_create_passwords(tmp_path)
    assert second.backup and second.backup != first.backup
    assert replace(second, backup=first.backup) == first


def test_a_sockets_path_is_short_wherever_the_clone_lies():
    path = places.socket_path(Path("/" + "very-long/" * 40)) / ".s.PGSQL.5432"
    assert len(str(path)) < 103


@pytest.mark.parametrize(
    ("url", "host", "name"),
    [
        ("postgres://ana:p%40w@db:5433/otc?sslmode=require", "db", "otc"),
        ("postgresql://ana:p%40w@/otc?host=/run/pg&port=5433", "/run/pg", "otc"),
    ],
)
def test_a_database_url_becomes_djangos_settings(url, host, name):
    settings = database_from_url(url)
    assert (settings["HOST"], settings["NAME"], settings["PORT"]) == (host, name, "5433")
    assert (settings["USER"], settings["PASSWORD"]) == ("ana", "p@w")


def test_another_databases_url_is_refused():
    with pytest.raises(ValueError, match="postgres"):
        database_from_url("mysql://db/otc")


def test_the_broker_spells_a_socket_its_own_way():
    assert broker_url("unix:///s/valkey.sock?db=3") == "redis+socket:///s/valkey.sock?virtual_host=3"
    assert broker_url("redis://valkey:6379/0") == "redis://valkey:6379/0"


def test_a_program_run_as_another_user_may_pass_a_closed_folder(tmp_path):
    """initdb asks access() whether it can run postgres, and access() forgets capabilities unless told not to."""
    if os.geteuid() != 0:
        return  # Nobody else starts PostgreSQL as another user.
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    program = closed / "program"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    question = f"import os, sys; sys.exit(not os.access({str(program)!r}, os.X_OK))"
    nobody = pwd.getpwnam("nobody")
    command = processes.as_unprivileged(
        [sys.executable, "-I", "-c", question],
        user_id=nobody.pw_uid,
        group_id=nobody.pw_gid,
        dies_by=signal.SIGINT,
    )
    assert subprocess.run(command, cwd="/").returncode == 0
