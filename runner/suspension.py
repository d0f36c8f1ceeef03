"""suspend: after a step, a flow waits for approvals before it goes on."""

from collections.abc import Mapping

from runner.ended import Ended
from runner.failures import error_result
from runner.jobs import Job, Resume

DEFAULT_TIMEOUT_SECONDS = 1800

NO_APPROVALS = {"resume": None, "resumes": [], "approvers": []}


def with_virtual_last(modules: list) -> list:
    """Waiting is done before the next module, so a last one that waits gets one after it."""
    if not modules or not (modules[-1].get("suspend") or modules[-1].get("sleep")):
        return modules
    return [*modules, {"id": f"{modules[-1]['id']}-v", "value": {"type": "identity"}}]


def wait_for_approvals(job: Job, suspend: Mapping) -> tuple[dict, Ended | None]:
    """The names that the next step sees, or how the flow ended without approval."""
    required = suspend["required_events"]
    resumes = job.wait_resumes(required, suspend.get("timeout") or DEFAULT_TIMEOUT_SECONDS)
    values = [resume.value for resume in resumes]
    refusal = _refusal(resumes, required)
    if refusal is not None and not suspend.get("continue_on_disapprove_timeout"):
        return NO_APPROVALS, Ended(False, refusal)
    if refusal is not None:
        values.append(refusal)
    approvers = [resume.approver for resume in resumes]
    resume = values[-1] if values else None
    return {"resume": resume, "resumes": values, "approvers": approvers}, None


def _refusal(resumes: list[Resume], required: int) -> dict | None:
    for resume in resumes:
        if not resume.approved:
            return error_result(f"Disapproved by {resume.approver}", "SuspendedDisapproved")
    if len(resumes) < required:
        return error_result("Timed out waiting to be resumed", "SuspendedTimedOut")
    return None
