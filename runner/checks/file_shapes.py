"""The keys of the YAML files beside flow.yaml: scripts, triggers, schedules, resources."""

from runner.authentication import METHODS
from runner.checks.refusals import IGNORED_BY_CE, NOT_HERE
from runner.checks.shapes import (
    ANYTHING,
    FLAG,
    MAPPING,
    TEXT,
    WHOLE,
    Choice,
    Keys,
    ListOf,
    MapOf,
)

LEGACY = "is the old form of request_type and authentication_method; write those"
SCRIPT = Keys(
    {
        "summary": TEXT,
        "description": TEXT,
        "lock": TEXT,
        "kind": Choice(("script", "trigger", "failure", "preprocessor", "command", "approval")),
        "schema": MAPPING,
        "tag": TEXT,
        "timeout": WHOLE,
        "labels": ListOf(TEXT),
        "has_preprocessor": FLAG,
        "visible_to_runner_only": FLAG,
        "ws_error_handler_muted": FLAG,
        "auto_kind": TEXT,
    },
    required=("summary", "schema"),
    refused={
        "concurrent_limit": IGNORED_BY_CE,
        "concurrency_time_window_s": IGNORED_BY_CE,
        "concurrency_key": IGNORED_BY_CE,
        "debounce_key": IGNORED_BY_CE,
        "debounce_delay_s": IGNORED_BY_CE,
        "priority": IGNORED_BY_CE,
        "dedicated_worker": IGNORED_BY_CE,
        "cache_ttl": NOT_HERE,
        "delete_after_use": NOT_HERE,
        "delete_after_secs": NOT_HERE,
        "envs": NOT_HERE,
        "modules": NOT_HERE,
        "restart_unless_cancelled": NOT_HERE,
        "no_main_func": "Windmill sees by itself that a script has no main; remove it",
    },
)
HTTP_TRIGGER = Keys(
    {
        "summary": TEXT,
        "description": TEXT,
        "script_path": TEXT,
        "is_flow": FLAG,
        "route_path": TEXT,
        # Written by `wmill sync pull`, means nothing to us.
        "route_path_key": TEXT,
        "http_method": Choice(("get", "post", "put", "delete", "patch")),
        "request_type": Choice(("sync", "async"), {"sync_sse": NOT_HERE}),
        "authentication_method": Choice(tuple(METHODS)),
        "authentication_resource_path": TEXT,
        "is_static_website": FLAG,
        "workspaced_route": FLAG,
        "wrap_body": FLAG,
        "raw_string": FLAG,
        "mode": Choice(("enabled", "disabled"), {"suspended": NOT_HERE}),
        "labels": ListOf(TEXT),
        "has_permissioned_as": FLAG,
    },
    required=(
        "script_path",
        "is_flow",
        "route_path",
        "http_method",
        "request_type",
        "authentication_method",
        "is_static_website",
        "workspaced_route",
        "wrap_body",
        "raw_string",
    ),
    refused={
        "is_async": LEGACY,
        "requires_auth": LEGACY,
        "static_asset_config": NOT_HERE,
        "error_handler_path": NOT_HERE,
        "error_handler_args": NOT_HERE,
        "retry": NOT_HERE,
    },
)
SCHEDULE_HANDLERS = {
    f"{handler}{part}": IGNORED_BY_CE
    for handler in ("on_failure", "on_recovery", "on_success")
    for part in ("", "_times", "_exact", "_extra_args")
}
SCHEDULE = Keys(
    {
        "summary": TEXT,
        "description": TEXT,
        "schedule": TEXT,
        "timezone": TEXT,
        "script_path": TEXT,
        "is_flow": FLAG,
        "args": MAPPING,
        "enabled": FLAG,
        "cron_version": Choice(("v2",), {"v1": "the local runner reads crons of version v2"}),
        "no_flow_overlap": FLAG,
        "tag": TEXT,
        "labels": ListOf(TEXT),
        "ws_error_handler_muted": FLAG,
        "has_permissioned_as": FLAG,
    },
    required=("schedule", "timezone", "script_path", "is_flow", "enabled"),
    refused={
        **SCHEDULE_HANDLERS,
        "retry": NOT_HERE,
        "paused_until": NOT_HERE,
        "dynamic_skip": NOT_HERE,
    },
)
RESOURCE = Keys(
    {"description": TEXT, "value": ANYTHING, "resource_type": TEXT, "labels": ListOf(TEXT)},
    required=("value", "resource_type"),
)
VARIABLE = Keys(
    {"description": TEXT, "value": TEXT, "is_secret": FLAG, "labels": ListOf(TEXT)},
    required=("value", "is_secret"),
)
RESOURCE_TYPE = Keys(
    {"description": TEXT, "schema": MAPPING, "format_extension": TEXT, "is_fileset": FLAG},
    required=("schema",),
)
FOLDER = Keys(
    {
        "summary": TEXT,
        "display_name": TEXT,
        "owners": ListOf(TEXT),
        "extra_perms": MapOf(FLAG),
        "default_permissioned_as": ListOf(ANYTHING),
    },
    required=("owners",),
)
