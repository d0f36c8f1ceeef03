"""Short ways to write flow values in tests."""

import json


def python(step_id: str, content: str, summary: str = "", **more) -> dict:
    """A step that runs `content`; `inputs` are its expressions, by argument."""
    inputs = more.pop("inputs", {})
    return {
        "id": step_id,
        "summary": summary,
        "value": {
            "type": "rawscript",
            "language": "python3",
            "content": content,
            "input_transforms": {
                name: {"type": "javascript", "expr": expr} for name, expr in inputs.items()
            },
        },
        **more,
    }


def show(step_id: str, expr: str, **more) -> dict:
    """A step whose result is what an expression gives."""
    return python(step_id, "def main(x=None):\n    return x\n", inputs={"x": expr}, **more)


def fail(step_id: str, **more) -> dict:
    return python(step_id, "def main():\n    raise ValueError('step broke')\n", **more)


def container(step_id: str, kind: str, **value) -> dict:
    more = value.pop("module", {})
    return {"id": step_id, "value": {"type": kind, **value}, **more}


def flow(*modules: dict, **more) -> dict:
    return {"modules": list(modules), **more}


def flow_file(path: str, value: dict) -> dict[str, str]:
    """A workspace's file for a flow; JSON is YAML."""
    return {f"{path}__flow/flow.yaml": json.dumps({"summary": "", "value": value})}
