"""Meta's Graph API for tests: accepts texts, or fails as it is told."""

import json

from werkzeug import Request, Response

from f.channels.accounts import sealing_place
from f.shared.crypto import seal

SECRETS = {"app_secret": "app-secret", "verify_token": "verify", "access_token": "access-token"}


class FakeGraph:
    def __init__(self, httpserver, query, sealing_key: str, channel_id: str):
        self.accepted: list[dict] = []
        self.signs: list[dict] = []  # on a machine that is slow any turn is seen typing
        self._failures: list[tuple[int, dict]] = []
        sealed = seal(sealing_key, json.dumps(SECRETS), sealing_place(channel_id))
        query(
            "update channels set api_url = %s, sealed_credentials = %s where id = %s",
            httpserver.url_for("/graph"),
            sealed,
            channel_id,
        )
        account_id = query("select account_id from channels where id = %s", channel_id)[0][0]
        route = f"/graph/v26.0/{account_id}/messages"
        httpserver.expect_request(route).respond_with_handler(self._answer)

    def will_fail(self, status: int, code: int | None = None) -> None:
        self._failures.append((status, {"error": {"code": code}} if code else {}))

    def _answer(self, request: Request) -> Response:
        if self._failures:
            status, body = self._failures.pop(0)
            return Response(json.dumps(body), status, content_type="application/json")
        assert request.headers["authorization"] == "Bearer access-token"
        if request.json.get("status") == "read":
            self.signs.append(request.json)
            return Response('{"success": true}', content_type="application/json")
        self.accepted.append(request.json)
        body = {"messages": [{"id": f"wamid.out.{len(self.accepted)}"}]}
        return Response(json.dumps(body), content_type="application/json")
