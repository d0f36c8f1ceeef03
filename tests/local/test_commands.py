"""The commands behind ./chatmill: what stops them is a sentence, and what they serve is safe."""

import json
import re
from argparse import ArgumentTypeError

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from local.__main__ import main
from local.facts import recent_alerts
from local.health import Health
from local.models import real_model
from local.run import json_object
from local.terminal import paint, wrapped
from local.web_widget import page_route, script, widget_route
from local.whatsapp_webhook import phone_number_id_in, text_message
from tests.conftest import ORGANIZATION_ID


def test_an_unknown_command_is_answered_with_those_there_are(capsys):
    assert main(["dance"]) == 2

    told = capsys.readouterr().err
    assert "no command 'dance'" in told and "demo" in told


def test_an_unreadable_document_is_said_before_anything_starts(capsys):
    assert main(["demo", "--document", "/no/such/file.pdf"]) == 1

    assert capsys.readouterr().err == (
        "chatmill: cannot read /no/such/file.pdf: No such file or directory.\n"
    )


def test_an_empty_question_is_said_before_anything_starts(capsys):
    with pytest.raises(SystemExit):
        main(["ask", "  "])

    assert "the question is empty" in capsys.readouterr().err


def test_only_alerts_of_the_organization_and_of_all_explain_a_missing_answer(owner, query):
    other = query(
        "insert into organizations (plan_id, name) values ('demo', 'Other') returning id::text"
    )[0][0]
    for organization_id, summary in ((ORGANIZATION_ID, "own"), (other, "other"), (None, "all")):
        raised = [organization_id, "warning", "step_failed", summary, summary]
        query("select raise_alert(%s, %s, %s, %s, %s)", *raised)
    raised = [ORGANIZATION_ID, "warning", "step_failed", "old", "old"]
    query("select raise_alert(%s, %s, %s, %s, %s)", *raised)
    query("update alerts set last_raised_at = now() - interval '1 minute' where summary = 'old'")

    found = recent_alerts(owner, ORGANIZATION_ID, seconds=30)

    assert {one["summary"] for one in found} == {"own", "all"}


@pytest.mark.parametrize("text", ["{", "[]", "1", ""])
def test_arguments_that_are_no_json_object_are_refused(text):
    with pytest.raises(ArgumentTypeError):
        json_object(text)


def test_colours_are_for_terminals_only(capsys):
    assert paint("text", "red") == "text"


def test_long_text_is_wrapped_to_the_terminal():
    lines = wrapped("word " * 60).splitlines()

    assert max(map(len, lines)) <= 78


def test_a_key_leads_to_the_real_model_with_its_settings():
    model = real_model({"OPENAI_API_KEY": "k", "OPENAI_BASE_URL": "http://x/v1"})

    assert model["api_key"] == "k"
    assert model["base_url"] == "http://x/v1"
    assert model["model"] and model["embedding_model"]


def test_a_webhook_names_its_own_number():
    body = text_message("106540352242922", "é", "15550001")

    assert phone_number_id_in(body) == "106540352242922"
    assert b"\\u00e9" in body
    assert phone_number_id_in(b"{}") is None


def test_the_web_page_runs_the_widget_and_nothing_else():
    client = TestClient(Starlette(routes=[page_route("a-channel"), widget_route()]))

    answer = client.get("/")

    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "unsafe-inline" not in policy
    assert 'data-embed-key="a-channel"' in answer.text
    assert "style=" not in answer.text and "onclick" not in answer.text
    assert answer.text.count("<script") == 1


def test_the_widget_is_one_script_that_any_site_may_load_and_keep():
    client = TestClient(Starlette(routes=[widget_route()]))

    answer = client.get("/widget.js")
    again = client.get("/widget.js", headers={"if-none-match": answer.headers["etag"]})

    assert answer.headers["content-type"].startswith("text/javascript")
    assert answer.headers["access-control-allow-origin"] == "*"
    assert again.status_code == 304
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacentHTML|eval\(|https?://(?!www.w3)\w", answer.text
    )


def test_the_widget_can_be_written_for_a_static_host(capsys):
    assert main(["widget"]) == 0

    assert capsys.readouterr().out == script()


def model_at(url: str) -> dict:
    return {"base_url": url, "api_key": "k", "model": "m", "embedding_model": "e"}


def test_health_is_well_when_database_and_model_answer(owner, httpserver):
    httpserver.expect_request("/v1/models").respond_with_json({"data": []})
    health = Health(owner, model_at(httpserver.url_for("/v1")))

    answer = TestClient(Starlette(routes=[health.route])).get("/health")

    assert answer.status_code == 200
    assert answer.json()["jobs_waiting"] == {"due": 0, "later": 0, "stuck": 0}


def test_health_fails_and_names_the_part_that_does(owner):
    health = Health({**owner, "dbname": "gone"}, model_at("http://127.0.0.1:1/v1"))

    answer = TestClient(Starlette(routes=[health.route])).get("/health")

    assert answer.status_code == 503
    parts = answer.json()
    assert (parts["database"]["status"], parts["model"]["status"]) == ("failing", "failing")
    assert "k" not in json.dumps(parts["model"]["reason"]).split()
