"""How things fail: a step, the flow's own bookkeeping, or a lookup."""

EXECUTION = "ExecutionErr"


class NotFound(LookupError):
    """No script, flow, variable or resource at that path."""


class EngineStopped(RuntimeError):
    """The engine takes no more jobs."""


class StepFailed(Exception):
    """A step's job failed; `result` is what its job answers, usually {"error": {...}}."""

    def __init__(self, result):
        super().__init__(result)
        self.result = result


class ChainingFailed(Exception):
    """The flow could not get from one module to the next: a predicate, an iterator, a sleep."""


class PredicateFailed(Exception):
    """stop_after_if or retry_if threw: the flow ends there, no failure module runs."""


def error_result(message: str, name: str = EXECUTION, **more) -> dict:
    known = {key: value for key, value in more.items() if value not in (None, "")}
    return {"error": {"message": message, "name": name, **known}}


def step_failed(message: str, step_id: str = "", **more) -> StepFailed:
    return StepFailed(error_result(message, step_id=step_id, **more))


def exit_code_failed(code: int, log: str, step_id: str) -> StepFailed:
    """What Windmill answers when a step's process ends without a result."""
    message = f'exit code for "python run": {code}, last log lines:\n{log}'
    return StepFailed(error_result(message, step_id=step_id, exit_code=code))
