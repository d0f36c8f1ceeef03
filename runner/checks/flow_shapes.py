"""The keys of flow.yaml: what OpenFlow (openflow.openapi.yaml) knows, less what is refused here."""

from runner.checks.refusals import IGNORED_BY_CE, NO_HUB, NOT_HERE, ONLY_TWO_LANGUAGES
from runner.checks.shapes import (
    ANYTHING,
    FLAG,
    MAPPING,
    TEXT,
    WHOLE,
    ByType,
    Choice,
    Either,
    Keys,
    Later,
    ListOf,
    MapOf,
)

LANGUAGES = Choice(("python3", "postgresql"), ONLY_TWO_LANGUAGES)
INPUT_TRANSFORM = ByType(
    {
        "static": Keys({"type": TEXT, "value": ANYTHING}),
        "javascript": Keys({"type": TEXT, "expr": TEXT}, required=("expr",)),
    },
    refused={"ai": "only a tool of an AI agent step may be filled in by the model"},
)
INPUT_TRANSFORMS = MapOf(INPUT_TRANSFORM)
PREDICATE = Keys({"expr": TEXT}, required=("expr",))
STOP = Keys(
    {"expr": TEXT, "skip_if_stopped": FLAG, "error_message": TEXT, "error_include_result": FLAG},
    required=("expr",),
)
RETRY = Keys(
    {
        "constant": Keys({"attempts": WHOLE, "seconds": WHOLE}),
        "exponential": Keys(
            {"attempts": WHOLE, "multiplier": WHOLE, "seconds": WHOLE, "random_factor": WHOLE}
        ),
        "retry_if": PREDICATE,
    }
)
MODULES = ListOf(Later(lambda: MODULE))
CONCURRENCY = {
    "concurrent_limit": IGNORED_BY_CE,
    "concurrency_time_window_s": IGNORED_BY_CE,
    "concurrency_key": IGNORED_BY_CE,
    "custom_concurrency_key": IGNORED_BY_CE,
}
RAW_SCRIPT = Keys(
    {
        "type": TEXT,
        "content": TEXT,
        "language": LANGUAGES,
        "input_transforms": INPUT_TRANSFORMS,
        "lock": TEXT,
        "tag": TEXT,
        "path": TEXT,
        "assets": ANYTHING,
    },
    required=("content", "language", "input_transforms"),
    refused={**CONCURRENCY, "is_trigger": NOT_HERE},
)
PATH_SCRIPT = Keys(
    {"type": TEXT, "path": TEXT, "input_transforms": INPUT_TRANSFORMS},
    required=("path", "input_transforms"),
    refused={"hash": NO_HUB, "tag_override": NOT_HERE, "is_trigger": NOT_HERE},
)
PATH_FLOW = Keys(
    {"type": TEXT, "path": TEXT, "input_transforms": INPUT_TRANSFORMS},
    required=("path", "input_transforms"),
)
FOR_LOOP = Keys(
    {
        "type": TEXT,
        "modules": MODULES,
        "iterator": INPUT_TRANSFORM,
        "skip_failures": FLAG,
        "parallel": FLAG,
        "parallelism": Either(WHOLE, INPUT_TRANSFORM),
    },
    required=("modules", "iterator", "skip_failures"),
    refused={"squash": IGNORED_BY_CE},
)
WHILE_LOOP = Keys(
    {"type": TEXT, "modules": MODULES, "skip_failures": FLAG},
    required=("modules", "skip_failures"),
    refused={"squash": IGNORED_BY_CE, "parallel": NOT_HERE, "parallelism": NOT_HERE},
)
BRANCH_ONE = Keys(
    {
        "type": TEXT,
        "branches": ListOf(
            Keys({"summary": TEXT, "expr": TEXT, "modules": MODULES}, required=("expr", "modules"))
        ),
        "default": MODULES,
    },
    required=("branches", "default"),
)
BRANCH_ALL = Keys(
    {
        "type": TEXT,
        "branches": ListOf(
            Keys(
                # `expr` and `parallel` mean nothing here; Windmill writes them when it exports.
                {
                    "summary": TEXT,
                    "expr": TEXT,
                    "parallel": FLAG,
                    "skip_failure": FLAG,
                    "modules": MODULES,
                },
                required=("modules",),
            )
        ),
        "parallel": FLAG,
    },
    required=("branches",),
)
MODULE = Keys(
    {
        "id": TEXT,
        "summary": TEXT,
        "value": ByType(
            {
                "script": PATH_SCRIPT,
                "rawscript": RAW_SCRIPT,
                "flow": PATH_FLOW,
                "forloopflow": FOR_LOOP,
                "whileloopflow": WHILE_LOOP,
                "branchone": BRANCH_ONE,
                "branchall": BRANCH_ALL,
                "identity": Keys({"type": TEXT, "flow": FLAG}),
            },
            refused={"aiagent": NOT_HERE, "flowscript": NOT_HERE},
        ),
        "stop_after_if": STOP,
        "stop_after_all_iters_if": STOP,
        "skip_if": PREDICATE,
        "sleep": INPUT_TRANSFORM,
        "timeout": Either(WHOLE, INPUT_TRANSFORM),
        "mock": Keys({"enabled": FLAG, "return_value": ANYTHING}),
        "retry": RETRY,
        "continue_on_error": FLAG,
        "pass_flow_input_directly": FLAG,
    },
    required=("id", "value"),
    refused={
        "suspend": NOT_HERE,
        "cache_ttl": NOT_HERE,
        "cache_ignore_s3_path": NOT_HERE,
        "delete_after_use": NOT_HERE,
        "delete_after_secs": NOT_HERE,
        "apply_preprocessor": NOT_HERE,
        "priority": IGNORED_BY_CE,
        "debouncing": IGNORED_BY_CE,
    },
)
FLOW_VALUE = Keys(
    {
        "modules": MODULES,
        "failure_module": MODULE,
        "preprocessor_module": MODULE,
        "skip_expr": TEXT,
        "early_return": TEXT,
        "flow_env": MAPPING,
        "notes": ANYTHING,
    },
    required=("modules",),
    refused={
        **CONCURRENCY,
        "debounce_delay_s": IGNORED_BY_CE,
        "debounce_key": IGNORED_BY_CE,
        "priority": IGNORED_BY_CE,
        "same_worker": NOT_HERE,
        "preserve_step_tags": NOT_HERE,
        "cache_ttl": NOT_HERE,
        "cache_ignore_s3_path": NOT_HERE,
        "chat_input_enabled": NOT_HERE,
        "delete_after_secs": NOT_HERE,
    },
)
FLOW_FILE = Keys(
    {
        "summary": TEXT,
        "description": TEXT,
        "value": FLOW_VALUE,
        "schema": MAPPING,
        "tag": TEXT,
        "labels": ListOf(TEXT),
        "extra_perms": MAPPING,
        "visible_to_runner_only": FLAG,
        "ws_error_handler_muted": FLAG,
    },
    required=("summary", "value", "schema"),
    refused={"timeout": NOT_HERE, "dedicated_worker": IGNORED_BY_CE},
)
