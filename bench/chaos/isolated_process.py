"""One step's process as the runner's wrapper makes it, with the boundaries of a chaos run in it."""

import json
import sys


def main() -> int:
    facts, directory = json.loads(sys.argv[1]), sys.argv[2]
    from bench.chaos import boundaries
    from bench.chaos.dice import Dice
    from bench.chaos.worker_line import Conductor
    from runner import python_wrapper

    conductor = Conductor(facts["socket"])
    rates = (facts["kill_rate"], facts["freeze_rate"])
    job = boundaries.Job(facts["id"], facts["key"], *rates, Dice(facts["seed"]), conductor.tell)
    boundaries.install()
    boundaries.begin(job)
    code = python_wrapper.run_process(directory)
    boundaries.forget_call(job)
    conductor.tell({"event": "step", "job": job.id, **boundaries.found_by(job)})
    return code


if __name__ == "__main__":
    sys.exit(main())
