"""The REST API that scripts call, with the token their job got."""

import json
from urllib.request import Request, urlopen

import pytest

from tests.runner.serving import connect, serving

FILES = {
    "f/t/greeting.variable.yaml": "value: hello\nis_secret: false\n",
    "f/t/door.resource.yaml": "resource_type: c_door\nvalue: {key: '$var:f/t/greeting'}\n",
    "f/t/double.py": "def main(n):\n    return n * 2\n",
    "f/t/sleep.py": "import time\ndef main():\n    time.sleep(30)\n",
    "f/t/ask.py": (
        "import json, os\nfrom urllib.request import Request, urlopen\n"
        "def main(path):\n"
        "    base = os.environ['BASE_INTERNAL_URL'] + '/api/w/' + os.environ['WM_WORKSPACE']\n"
        "    headers = {'Authorization': 'Bearer ' + os.environ['WM_TOKEN']}\n"
        "    with urlopen(Request(base + path, headers=headers)) as response:\n"
        "        return json.load(response)\n"
    ),
}


@pytest.fixture(scope="module", params=[False, True], ids=["one_process", "isolated"])
def server(request, tmp_path_factory):
    root = tmp_path_factory.mktemp("workspace")
    with serving(root, FILES, isolated=request.param) as running:
        yield running


def call(server, method: str, path: str, body: object = None, token: str | None = None):
    headers = {"authorization": f"Bearer {token or server.engine.token}"}
    connection = connect(server)
    connection.request(method, f"/api/w/chatmill/{path}", json.dumps(body or {}), headers)
    response = connection.getresponse()
    text = response.read().decode()
    connection.close()
    return response.status, text


def test_variables_and_resources_are_read(server):
    assert call(server, "GET", "variables/get_value/f/t/greeting") == (200, '"hello"')
    status, text = call(server, "GET", "resources/get_value_interpolated/f/t/door")

    assert (status, json.loads(text)) == (200, {"key": "hello"})


@pytest.mark.parametrize("kind", ["variables/get_value", "resources/get_value_interpolated"])
def test_what_is_not_there_is_not_found(server, kind):
    assert call(server, "GET", f"{kind}/f/t/nothing")[0] == 404


@pytest.mark.parametrize("path", ["variables/get_value/f/t/greeting", "jobs_u/queue/cancel/1"])
def test_without_the_token_nothing_is_answered(server, path):
    method = "POST" if "cancel" in path else "GET"

    assert call(server, method, path, token="wrong") == (401, "Unauthorized")


def test_a_script_is_started_by_its_version_and_no_other(server):
    version = server.engine.script("f/t/double").version

    status, job_id = call(server, "POST", f"jobs/run/h/{version}", {"n": 21})

    assert (status, server.engine.wait(job_id, 10).result) == (201, 42)
    assert call(server, "POST", "jobs/run/h/0123456789abcdef", {"n": 21})[0] == 404


def test_a_job_is_started_and_its_result_fetched(server):
    status, job_id = call(server, "POST", "jobs/run/p/f/t/double", {"n": 21})
    server.engine.wait(job_id, 10)

    _, text = call(server, "GET", f"jobs_u/completed/get_result_maybe/{job_id}")
    assert status == 201
    assert json.loads(text) == {
        "started": True,
        "completed": True,
        "success": True,
        "result": 42,
    }


def test_a_job_starts_later_and_can_be_cancelled_before(server):
    _, job_id = call(server, "POST", "jobs/run/p/f/t/double?scheduled_in_secs=3600", {"n": 1})
    path = f"jobs_u/completed/get_result_maybe/{job_id}"
    before = json.loads(call(server, "GET", path)[1])

    assert (before["completed"], before["started"]) == (False, False)
    assert call(server, "POST", f"jobs_u/queue/cancel/{job_id}", {"reason": "late"})[0] == 200
    assert json.loads(call(server, "GET", path)[1])["success"] is False


def test_a_running_job_can_be_cancelled(server):
    _, job_id = call(server, "POST", "jobs/run/p/f/t/sleep")

    assert call(server, "POST", f"jobs_u/queue/cancel/{job_id}", {"reason": "enough"})[0] == 200
    assert server.engine.wait(job_id, 10).status == "canceled"


def test_unknown_jobs_and_runnables_are_not_found(server):
    assert call(server, "POST", "jobs/run/f/f/t/nothing")[0] == 404
    assert call(server, "GET", "jobs_u/completed/get_result_maybe/nothing")[0] == 404
    assert call(server, "POST", "jobs_u/queue/cancel/nothing")[0] == 404


@pytest.mark.parametrize("body", [[1], "text"])
def test_arguments_must_be_an_object(server, body):
    assert call(server, "POST", "jobs/run/p/f/t/double", body)[0] == 400


def test_a_running_step_reaches_the_api_by_its_environment(server):
    outcome = server.engine.run("f/t/ask", {"path": "/variables/get_value/f/t/greeting"})

    assert (outcome.success, outcome.result) == (True, "hello")


def test_the_version_is_that_of_the_measured_server(server):
    with urlopen(Request(f"{server.base_url}/api/version")) as response:
        assert response.read() == b"CE v1.788.0"
