"""The demo's facts as a page of text."""

import json

from local.progress import duration
from local.terminal import heading, paint, shortened, wrapped

MOST_PASSAGES = 5

NEXT = """\
  ./chatmill demo --message "What does error E03 mean?"
  ./chatmill demo --document your-file.pdf --message "a question about it"
  ./chatmill ask "How do I descale my machine?"
  ./chatmill serve          then open http://127.0.0.1:8321
  ./chatmill test"""


def print_report(facts: dict) -> None:
    print_webhook(facts)
    print_steps(facts["steps"])
    print_passages(facts)
    print_replies(facts)
    print_usage(facts["usage"])
    print_end(facts)


def print_webhook(facts: dict) -> None:
    webhook = facts["webhook"]
    heading("The webhook")
    if facts["question"]:
        print(wrapped(f"“{facts['question']}”"))
    print(f"  {webhook['route']}")
    status = paint(str(webhook["status"]), "green" if webhook["status"] == 200 else "red")
    print(f"  answered {status} after {webhook['milliseconds']} ms: {webhook['body'][:60]}")
    if facts["delivery"]:
        print(f"  accepted as {json.dumps(facts['delivery'])}")


def print_steps(steps: list[dict]) -> None:
    heading("The steps")
    for step in steps:
        name = step["step"] or step["path"].rsplit("/", 1)[-1]
        mark = " " if step["succeeded"] else paint("✗", "red")
        summary = shortened(step["summary"] or "", 46)
        print(f" {mark}{name:<18} {step['milliseconds']:>7.1f} ms  {paint(summary, 'dim')}")
        if not step["succeeded"]:
            print(wrapped(shortened(reason_of(step["result"]), 300), "      "))


def reason_of(result: object) -> str:
    error = result.get("error") if isinstance(result, dict) else None
    if isinstance(error, dict):
        return f"{error.get('name')}: {error.get('message')}"
    return json.dumps(result, default=str)


def print_passages(facts: dict) -> None:
    heading("The tool calls, and the passages that they found")
    for call in facts["tool_calls"]:
        arguments = shortened(json.dumps(call["arguments"], ensure_ascii=False), 56)
        print(f"  {call['tool']} {arguments} {call['duration_ms']} ms")
    for passage in facts["passages"][:MOST_PASSAGES]:
        place = passage["heading_path"] or passage["title"]
        print(f"    {passage['score']:.4f}  {shortened(place, 64)}")
    if not facts["tool_calls"]:
        print("  none")


def print_replies(facts: dict) -> None:
    heading("The reply")
    for reply in facts["replies"]:
        print(paint(wrapped(reply["body"]), "green"))
    heading("What the stand-in for Meta's Graph API received")
    for call in facts["graph_api_calls"]:
        print(f"  {call['request']}, {call['milliseconds_after_webhook']} ms after the webhook")
        body = call["body"]
        to = body.get("to") or body.get("recipient")
        print(f"  to {to}: {shortened(body['text']['body'], 60)}")
        print(f"  accepted as {shortened(call['message_id'], 60)}")
    if not facts["graph_api_calls"]:
        print("  nothing")


def print_usage(usage: dict | None) -> None:
    heading("The usage row")
    if usage is None:
        return print("  none: nothing was charged")
    cost = usage["cost_microcents"]
    price = "no price known" if cost is None else f"{cost / 1_000_000:.4f} cents"
    print(
        f"  {usage['model']}: {usage['model_calls']} calls, {usage['input_tokens']} tokens in,"
        f" {usage['output_tokens']} out, {price}"
    )
    print(
        f"  month of {usage['starts_on']}: {usage['messages_used']} of {usage['message_limit']}"
        f" messages, {usage['tokens_used']} of {usage['token_limit']} tokens"
    )


def print_end(facts: dict) -> None:
    if not facts["graph_api_calls"]:
        heading(paint("No reply was sent", "red"))
        reasons = [f"{alert['code']}: {alert['summary']}" for alert in facts["alerts"]]
        print(wrapped("\n".join(reasons) or "Nothing in the webhook was a message to answer."))
    print(f"\n{duration(facts['seconds'])} in all, starting and stopping everything included.")
    heading("Next")
    print(NEXT)
