"""One call of a model's vendor. Plain HTTP: a vendor's own client costs a step half a second."""

from functools import partial

from f.shared.deadline import within
from f.shared.errors import DeliveryUnknown, Misconfigured, UpstreamDown, UpstreamRefused
from f.shared.http import request


def post(url: str, headers: dict[str, str], body: dict | bytes, seconds: float) -> dict:
    """`body`: JSON, or bytes of the type that `headers` tell.

    Raises UpstreamDown, UpstreamBusy, UpstreamRefused, Misconfigured (401, 403, 404)."""
    content = {"body": body} if isinstance(body, bytes) else {"json": body}
    send = partial(request, "POST", url, headers, **content, timeout_seconds=seconds)
    try:
        answer = within(seconds, send).json()
    except TimeoutError as error:
        raise UpstreamDown(f"no whole answer within {seconds:.0f} seconds") from error
    except DeliveryUnknown as error:
        raise UpstreamDown("the model gave no whole answer") from error
    except UpstreamRefused as error:
        if error.status in (401, 403, 404):
            raise Misconfigured(f"the model answered {error.status}: check its slot") from error
        raise
    if not isinstance(answer, dict):
        raise UpstreamDown("the model's answer is no object")
    return answer
