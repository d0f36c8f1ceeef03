"""The bench's figures as tables, beside the reference of the same run."""

from local.terminal import heading

COLUMNS = "  {:<28} {:>9} {:>9} {:>9} {:>9} {:>9}"


def print_report(report: dict) -> None:
    machine = report["machine"]
    print(f"\ncommit {report['commit']}, {machine['cores']} cores, Python {machine['python']}")
    for mode, rows in report["modes"].items():
        heading(f"Steps {mode}" if mode == "isolated" else f"Everything {mode}")
        print(COLUMNS.format("", "ack p50", "ack p99", "reply p50", "reply p99", "per s"))
        for name, row in rows.items():
            is_reference = name.startswith("reference")
            reply = {"p50": "", "p99": ""} if is_reference else row["replied_ms"]
            acknowledged = row["acknowledged_ms"]
            print(
                COLUMNS.format(
                    name,
                    acknowledged["p50"],
                    acknowledged["p99"],
                    reply["p50"],
                    reply["p99"],
                    row["per_second"],
                )
            )
        print_ratios(rows)


def print_ratios(rows: dict) -> None:
    """A machine's mood goes into both sides, so the ratios are what can be compared over time."""
    one, fifty = rows["reference, 1 at a time"], rows["reference, 50 at a time"]
    for name in ("answer", "search and answer"):
        acknowledged = rows[f"{name}, 1 at a time"]["acknowledged_ms"]["p50"]
        replied = rows[f"{name}, 1 at a time"]["replied_ms"]["p50"]
        rate = rows[f"{name}, 50 at a time"]["per_second"]
        row = one["acknowledged_ms"]["p50"]
        print(
            f"  {name}: {acknowledged / row:.1f} reference rows to acknowledge,"
            f" {replied / row:.1f} to reply, {fifty['per_second'] / rate:.1f} at 50 at a time"
        )
