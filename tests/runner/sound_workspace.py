"""A small workspace without a problem; the tests of the checks break it in one place each."""

SCHEMA = "{{type: object, properties: {{{properties}}}, required: []}}"


def metadata(*parameters: str, more: str = "") -> str:
    properties = ", ".join(f"{name}: {{type: string}}" for name in parameters)
    return (
        "summary: Something\ndescription: ''\nlock: ''\nkind: script\n"
        f"schema: {SCHEMA.format(properties=properties)}\n{more}"
    )


FLOW = """\
summary: Answer
description: ''
value:
  modules:
    - id: load
      summary: Load
      value:
        type: script
        path: f/t/load
        input_transforms:
          key: {type: javascript, expr: flow_input.key}
          door: {type: static, value: '$res:f/t/door'}
      retry:
        constant: {attempts: 2, seconds: 1}
        retry_if: {expr: error.extra?.retryable === true}
      stop_after_if: {expr: result.decision !== 'answer', skip_if_stopped: true}
      timeout: {type: static, value: 30}
    - id: each
      value:
        type: forloopflow
        iterator: {type: javascript, expr: results.load.items}
        skip_failures: false
        modules:
          - id: inner
            value:
              type: rawscript
              language: python3
              lock: ''
              content: '!inline inner.py'
              input_transforms:
                item: {type: javascript, expr: flow_input.iter.value}
    - id: pick
      value:
        type: branchone
        branches:
          - summary: Yes
            expr: results.each.length > 0
            modules:
              - {id: yes_step, value: {type: identity}}
        default: []
    - id: both
      value:
        type: branchall
        parallel: true
        branches:
          - summary: Remember
            skip_failure: true
            modules:
              - id: store
                value:
                  type: script
                  path: f/t/store
                  input_transforms: {key: {type: javascript, expr: results.load.key}}
  failure_module:
    id: failure
    value:
      type: script
      path: f/t/load
      input_transforms:
        key: {type: javascript, expr: error.message}
        door: {type: javascript, expr: results.load.door}
schema: {type: object, properties: {key: {type: string}}, required: [key]}
"""
TRIGGER = """\
script_path: f/t/load
is_flow: false
route_path: hook/:channel
http_method: post
request_type: sync
authentication_method: signature
authentication_resource_path: f/t/door
is_static_website: false
workspaced_route: false
wrap_body: false
raw_string: true
"""
SCHEDULE = """\
schedule: '*/30 * * * * *'
timezone: Europe/Rome
script_path: f/t/answer
is_flow: true
args: {key: a}
enabled: true
"""
FILES = {
    "requirements.txt": "psycopg2-binary==2.9.13\n",
    "f/t/folder.meta.yaml": "summary: T\ndisplay_name: t\nowners: [u/admin]\nextra_perms: {}\n",
    "f/t/load.py": (
        "import json\n\nimport psycopg2\n\nfrom f.t.words import HELLO\n\n"
        "def main(key: str, door: dict):\n    return HELLO\n"
    ),
    "f/t/load.script.yaml": metadata("key", "door"),
    "f/t/words.py": "HELLO = 'hello'\n",
    "f/t/words.script.yaml": metadata(),
    "f/t/store.pg.sql": "-- database f/t/door\n-- $1 key (text)\nselect $1::text\n",
    "f/t/store.script.yaml": metadata("key"),
    "f/t/door.resource.yaml": "value: {key: '$var:f/t/secret'}\nresource_type: c_door\n",
    "f/t/secret.variable.yaml": "value: x\nis_secret: false\ndescription: ''\n",
    "c_door.resource-type.yaml": "description: A door\nschema: {type: object}\n",
    "f/t/answer__flow/flow.yaml": FLOW,
    "f/t/answer__flow/inner.py": "def main(item):\n    return item\n",
    "f/t/hook.http_trigger.yaml": TRIGGER,
    "f/t/often.schedule.yaml": SCHEDULE,
}
