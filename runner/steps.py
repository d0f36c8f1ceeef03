"""One step: which script, with which arguments, known to the job by which names."""

from dataclasses import dataclass, field

from runner.failures import StepFailed, step_failed
from runner.jobs import Job


@dataclass(frozen=True)
class Code:
    """What to run: a workspace script by path, or a text written into a flow."""

    path: str
    language: str
    content: str
    is_inline: bool


@dataclass(frozen=True)
class Step:
    job: Job
    code: Code
    args: dict
    step_id: str = ""
    function: str = "main"
    timeout_seconds: float | None = None
    environment: dict[str, str] = field(default_factory=dict)


def step_timed_out(step: Step) -> StepFailed:
    sentence = f"execution error:\nTimeout: the step ran longer than {step.timeout_seconds:g} s"
    return step_failed(sentence, step.step_id)
