"""What a run was worth: its figures, what broke, and the history of what went wrong."""

from bench.answering import commit
from bench.chaos import evidence
from bench.chaos.conductor import Conductor
from bench.chaos.figures import broken_promises, figures_of, promises
from bench.chaos.options import Options
from bench.chaos.oracle import judge

MOST_HISTORIES = 20


async def judged(run: Conductor) -> dict:
    verdict = judge(run.journal, await evidence.unknown_tokens(run.database))
    stored = await evidence.sums(run.database)
    figures = figures_of(run, verdict, stored)
    wrong = [*verdict.lost, *verdict.doubled, *verdict.out_of_order][:MOST_HISTORIES]
    histories = [
        await evidence.history(run.database, run.journal, token, run.started_at) for token in wrong
    ]
    return {
        **figures,
        "commit": commit(),
        "promises": promises(figures),
        "options": described(run.options),
        "faults_met": {name: count for name, count in run.journal.counts.items() if name},
        "alerts": stored["alerts"],
        "errors": dict(run.journal.errors),
        "boundaries": boundaries_of(run),
        "slowest_recoveries": slowest(run),
        "broken": broken_promises(figures, verdict, is_timed=not run.options.untimed),
        "histories": histories,
    }


def boundaries_of(run: Conductor) -> dict[str, list[int]]:
    """By name: how often passed, killed, frozen."""
    hurts = run.journal.hurts
    return {
        name: [
            passed,
            sum(one.boundary == name for one in hurts if one.kind == "kill"),
            sum(one.boundary == name for one in hurts if one.kind == "freeze"),
        ]
        for name, passed in sorted(run.journal.passed.items())
    }


def slowest(run: Conductor) -> list[dict]:
    measured = [one for one in run.journal.hurts if one.recovered_seconds is not None]
    measured.sort(key=lambda one: one.recovered_seconds, reverse=True)
    return [
        {
            "seconds": round(one.recovered_seconds, 2),
            "at": round(one.at - run.started_at, 2),
            "boundary": one.boundary,
            "then": run.journal.notes_between(
                one.conversation_id, one.at, one.at + one.recovered_seconds
            ),
        }
        for one in measured[:5]
    ]


def described(options: Options) -> dict:
    return {
        "faults": sorted(options.faults),
        "workers": options.workers,
        "isolated": options.isolated,
        "database_stops": options.database_stops,
    }
