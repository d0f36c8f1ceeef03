"""Postgres for every command: embedded and shared between processes, or one's own, checked."""

import os
import signal
import subprocess
import sys
from types import SimpleNamespace

import psycopg2
import pytest

from local.cluster_home import socket_folder
from local.cpu import check_cpu
from local.errors import CannotRun
from local.places import ROOT
from local.postgres import check_server, open_postgres
from local.postmaster import server_process

JOIN_AND_DIE = """
import os, sys
from pathlib import Path
from local.postgres import open_postgres
postgres = open_postgres(Path(sys.argv[1]))
print(postgres.resource["host"], flush=True)
os.kill(os.getpid(), 9)
"""

embedded = pytest.mark.skipif("DATABASE_URL" in os.environ, reason="DATABASE_URL is set")


def answers(postgres) -> bool:
    connection = postgres.connect()
    with connection.cursor() as cursor:
        cursor.execute("select current_setting('fsync'), current_setting('max_connections')")
        settings = cursor.fetchone()
    connection.close()
    return settings == ("on", "200")


@embedded
def test_a_server_left_by_a_killed_process_is_joined_and_stopped_by_the_last(tmp_path):
    died = subprocess.run(
        [sys.executable, "-c", JOIN_AND_DIE, tmp_path], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )

    with open_postgres(tmp_path) as first:
        with open_postgres(tmp_path) as second:
            assert first.resource == second.resource
            assert first.resource["host"] == died.stdout.strip()
        assert answers(first)

    with pytest.raises(psycopg2.OperationalError):
        first.connect()


@embedded
def test_k18_a_killed_server_is_started_again_with_its_data(tmp_path):
    with open_postgres(tmp_path) as postgres:
        postgres.database("kept")
        data = os.path.join(postgres.resource["host"], "data")
        process = server_process(type(tmp_path)(data))
        os.kill(process.pid, signal.SIGKILL)
        process.wait()

    with open_postgres(tmp_path, "kept") as postgres:
        assert answers(postgres)


def test_a_process_number_that_was_given_away_is_no_server(tmp_path):
    (tmp_path / "postmaster.pid").write_text(f"{os.getpid()}\n")

    assert server_process(tmp_path) is None


def test_a_path_too_long_for_a_socket_gets_a_short_private_folder(tmp_path):
    folder = socket_folder(tmp_path / ("long" * 30))

    assert len(str(folder)) < 60
    assert folder.stat().st_mode & 0o777 == 0o700
    folder.rmdir()


@pytest.mark.parametrize("url", ["postgresql://nobody@127.0.0.1:1/none", "nonsense", "http://x"])
def test_a_database_url_that_leads_nowhere_is_said(monkeypatch, tmp_path, url):
    monkeypatch.setenv("DATABASE_URL", url)

    with pytest.raises(CannotRun, match="DATABASE_URL does not lead to a Postgres"):
        open_postgres(tmp_path)


def test_a_postgres_that_is_too_old_is_refused():
    with pytest.raises(CannotRun, match="Postgres 14; 15 or newer"):
        check_server(SimpleNamespace(server_version=140011))


def test_ones_own_postgres_is_used_and_left_running(monkeypatch, postgres, tmp_path):
    resource = postgres.resource
    url = f"postgresql://{resource['user']}@/{resource['dbname']}?host={resource['host']}"
    monkeypatch.setenv("DATABASE_URL", url)

    with open_postgres(tmp_path) as own:
        assert own.resource["dbname"] == resource["dbname"]

    own.connect().close()


def test_a_cpu_without_avx2_is_told_to_bring_its_own_postgres(monkeypatch, tmp_path):
    monkeypatch.delenv("CHATMILL_IGNORE_CPU", raising=False)
    cpu_info = tmp_path / "cpuinfo"
    cpu_info.write_text("flags : sse4_2 avx\n")

    with pytest.raises(CannotRun, match="Set DATABASE_URL"):
        check_cpu("x86_64", cpu_info)

    check_cpu("aarch64", cpu_info)
    monkeypatch.setenv("CHATMILL_IGNORE_CPU", "1")
    check_cpu("x86_64", cpu_info)
