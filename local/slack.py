"""Where alerts go: to Slack when SLACK_WEBHOOK_URL is set."""

from f.ops.slack import WEBHOOK_URL
from local.errors import CannotRun


def slack_resources(environment) -> dict[str, dict]:
    """The resource f/ops/slack, or none."""
    webhook_url = environment.get("SLACK_WEBHOOK_URL")
    if not webhook_url:
        return {}
    if not WEBHOOK_URL.fullmatch(webhook_url):
        raise CannotRun(
            "SLACK_WEBHOOK_URL is not the address of a webhook, which begins with"
            " https://hooks.slack.com/services/."
        )
    return {"f/ops/slack": {"webhook_url": webhook_url}}
