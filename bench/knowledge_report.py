"""The figures of retrieval as tables."""

from local.terminal import heading

ROW = "  {:<44} {:>12} {:>12}"
TUNING = "  {:>6} {:>7} {:>12} {:>8} {:>12} {:>8}"
SCALE = "  {:<10} {:>8} {:>8} {:>12} {:>8} {:>11} {:>12}"


def print_report(report: dict) -> None:
    print(f"\ncommit {report['commit']}, {report['machine']['cores']} cores")
    print(f"embedder: {report['embedder']}")
    if "tuning" in report:
        print_tuning(report["tuning"])
    if "answer" in report:
        print_quality(report)
    for name, title in (
        ("grouping", "Paraphrases put together, each compared with the first of a group"),
        ("help_centre", "The demo's help centre"),
        ("ingest", "Ingestion"),
    ):
        if name in report:
            heading(title)
            for key, value in report[name].items():
                print(ROW.format(key.replace("_", " "), value, ""))
    if "exact" in report:
        heading("Codes, names and numbers")
        print(f"  {report['exact']['found_first']} of {report['exact']['cases']} found first")
        for question in report["exact"]["missed"]:
            print(f"  missed: {question}")
    if "scale" in report:
        print_scale(report["scale"])


def print_quality(report: dict) -> None:
    heading(f"NDCG@10, paraphrases in {report['data']}")
    print(ROW.format("", "question", ""))
    print(ROW.format("", "and answer", "answer"))
    for key in report["answer"]:
        both, alone = report["question_and_answer"][key], report["answer"][key]
        print(ROW.format(key.replace("_", " "), both, alone))


def print_tuning(found: list[dict]) -> None:
    heading("Weights, chosen by the first half of the questions; the second is held out")
    print(TUNING.format("words", "margin", "chosen by", "", "held out", ""))
    print(TUNING.format("", "", "q + answer", "answer", "q + answer", "answer"))
    for one in found:
        halves = one["first_half"], one["held_out"]
        figures = [half[name] for half in halves for name in ("question_and_answer", "answer")]
        mark = "  in use" if one["is_in_use"] else ""
        print(TUNING.format(one["words"], one["votes_margin"], *figures) + mark)


def print_scale(scale: dict) -> None:
    heading(f"Searches beside {scale['others']:,} chunks of other organizations")
    print(
        SCALE.format(
            "chunks", "p50 ms", "p95 ms", "around p95", "CPU ms", "recall@10", "codes first"
        )
    )
    for size, row in scale["sizes"].items():
        print(
            SCALE.format(
                f"{int(size):,}",
                row["p50_ms"],
                row["p95_ms"],
                row["neighbours_p95_ms"],
                row["cpu_ms"],
                row["recall_at_10"],
                row["codes_found_first"],
            )
        )
    print(f"  load of this machine meanwhile: {scale['load_average']}")
