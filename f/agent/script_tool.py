"""A Windmill script as a tool: the one version that was approved, by its hash."""

import time

import f.shared.windmill as windmill
from f.agent.approved_tool import KEY_ARGUMENT, OutsideTool
from f.agent.tool_results import as_data
from f.shared.errors import ToolFailed, UpstreamDown

SECONDS = 10
POLL_SECONDS = 0.05


class ScriptTool(OutsideTool):
    """Its arguments stand in Windmill's job, where operators can read them."""

    def run(self, arguments: dict, effect_key: str = "") -> tuple[str, dict]:
        filled = self.approved.filled(arguments, self._context)
        if effect_key and KEY_ARGUMENT in self.approved.definition["inputSchema"]["properties"]:
            filled[KEY_ARGUMENT] = effect_key
        if not self.approved.pinned_hash:
            raise ToolFailed("no version of this script was approved")
        job_id = windmill.start_script(self.approved.pinned_hash, filled)
        answer = self._wait(job_id)
        if not answer["success"]:
            raise UpstreamDown("the script failed, perhaps after it had done something")
        return as_data(answer["result"]), {"job_id": job_id}

    def _wait(self, job_id: str) -> dict:
        """Raises UpstreamDown when it takes too long: nobody knows then what it did."""
        ends = time.monotonic() + SECONDS
        while time.monotonic() < ends:
            answer = windmill.find_result(job_id)
            if answer["completed"]:
                return answer
            time.sleep(POLL_SECONDS)
        raise UpstreamDown(f"the script did not end within {SECONDS} seconds")
