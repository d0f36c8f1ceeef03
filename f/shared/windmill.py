"""What a step asks of the engine that runs it: resources, variables, starting a flow.

Plain HTTP instead of the `wmill` client, whose import alone costs a step 120 ms. The local runner
serves the same routes.
"""

import math
import os
import time
from urllib.parse import quote

from f.shared.errors import Misconfigured, UpstreamRefused
from f.shared.http import request

# Windmill keeps authentication resources for 60 seconds too. In a process that runs one step this
# saves nothing and costs nothing; in one that runs many it saves a call per webhook.
KEEP_SECONDS = 60
_kept: dict[tuple[str, str], tuple[float, object]] = {}


def get_resource(path: str) -> dict:
    """A resource with its variables filled in. Raises Misconfigured when it is missing."""
    return _read(f"resources/get_value_interpolated/{quote(path)}", path)


def find_resource(path: str) -> dict | None:
    """A resource that an installation may do without; None when it is missing."""
    try:
        return get_resource(path)
    except Misconfigured as error:
        if isinstance(error.__cause__, UpstreamRefused) and error.__cause__.status == 404:
            return None
        raise


def get_variable(path: str) -> str:
    """A variable's value. Raises Misconfigured when it is missing."""
    return _read(f"variables/get_value/{quote(path)}", path)


def start_flow(path: str, args: dict, wait_seconds: float = 0) -> str:
    """Starts a flow after so many seconds, without waiting for it; returns the job's id."""
    # Windmill takes whole seconds; rounding down would start a flow that comes too early.
    query = f"?scheduled_in_secs={math.ceil(wait_seconds)}" if wait_seconds > 0.02 else ""
    answer = request(
        "POST", _url(f"jobs/run/f/{quote(path)}{query}"), headers=_headers(), json=args
    )
    return answer.body.decode()


def start_script(script_hash: str, args: dict) -> str:
    """Starts that version of a script, without waiting for it; returns the job's id."""
    url = _url(f"jobs/run/h/{quote(script_hash, safe='')}")
    return request("POST", url, headers=_headers(), json=args).body.decode()


def find_result(job_id: str) -> dict:
    """`completed`, and when it is: `success` and `result`."""
    url = _url(f"jobs_u/completed/get_result_maybe/{quote(job_id, safe='')}")
    return request("GET", url, headers=_headers()).json()


def _read(route: str, path: str):
    key = (os.environ["BASE_INTERNAL_URL"], route)
    kept = _kept.get(key)
    if kept and kept[0] > time.monotonic():
        return kept[1]
    try:
        value = request("GET", _url(route), headers=_headers()).json()
    except UpstreamRefused as error:
        raise Misconfigured(f"{path} is missing: create it in Windmill's UI") from error
    _kept[key] = (time.monotonic() + KEEP_SECONDS, value)
    return value


def _url(route: str) -> str:
    return f"{os.environ['BASE_INTERNAL_URL']}/api/w/{os.environ['WM_WORKSPACE']}/{route}"


def _headers() -> dict[str, str]:
    return {"authorization": f"Bearer {os.environ['WM_TOKEN']}"}
