"""Runs other than the mixed one, by name: each is short, so it is run when its rule is touched."""

from collections.abc import Callable

from bench.chaos.burst import burst
from bench.chaos.finished_rows import finished_rows
from bench.chaos.foreign_rows import isolation
from bench.chaos.frozen_twins import frozen_twins
from bench.chaos.hanging import hanging
from bench.chaos.last_of_plan import quota
from bench.chaos.options import Options
from bench.chaos.takeover import takeover

SCENARIOS: dict[str, Callable[[Options], dict]] = {
    "frozen-twins": frozen_twins,
    "takeover": takeover,
    "hanging": hanging,
    "burst": burst,
    "finished-rows": finished_rows,
    "quota": quota,
    "isolation": isolation,
}
