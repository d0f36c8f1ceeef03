"""./chatmill receipt: what one turn was made of: found, called, decided, paid."""

import argparse
import json
import uuid

from local.errors import CannotRun
from local.facts import rows
from local.migrations import connection_to
from local.places import STATE
from local.postgres import open_postgres
from local.terminal import heading, paint, shortened, wrapped

MICROCENTS = 1_000_000

TURN = """
select turns.id::text, turns.state, turns.outcome, turns.attempts, turns.drafts_dropped,
       turns.usage_decision, turns.receipt, turns.created_at::text, turns.answered_at::text,
       chatbots.name as chatbot, channels.kind as channel, chatbots.id::text as chatbot_id,
       turn_prompts.version as prompt_version, turn_prompts.sha256 as prompt_sha256,
       usage_events.input_tokens, usage_events.output_tokens, usage_events.cost_microcents,
       (select sum(cost_microcents) from usage_events as event
          join turns as sibling on sibling.id = event.turn_id
         where sibling.conversation_id = turns.conversation_id)::bigint
         as conversation_cost_microcents,
       (select string_agg(body, e'\\n' order by sent_at, inbound_messages.id)
          from inbound_messages where turn_id = turns.id) as question
  from turns
  join conversations on conversations.id = turns.conversation_id
  join channels on channels.id = conversations.channel_id
  join chatbots on chatbots.id = channels.chatbot_id
  left join turn_prompts on turn_prompts.turn_id = turns.id
  left join usage_events on usage_events.turn_id = turns.id
 where turns.id = %(turn_id)s
"""
LATEST_TURNS = """
select turns.id::text, to_char(turns.created_at, 'YYYY-MM-DD HH24:MI') as created_at,
       turns.state, channels.kind as channel,
       (select string_agg(body, ' ' order by sent_at, inbound_messages.id)
          from inbound_messages where turn_id = turns.id) as question
  from turns
  join conversations on conversations.id = turns.conversation_id
  join channels on channels.id = conversations.channel_id
 order by turns.created_at desc, turns.id
 limit 10
"""
PARTS = {
    "model_calls": """
      select draft, position, call.model, call.input_tokens, call.output_tokens, call.is_estimated,
             is_lost, cost_of(
               call.model, call.input_tokens, call.output_tokens,
               coalesce(held.held_on, charged.held_on, created_at::date),
               coalesce(held.microcents_per_token, charged.microcents_per_token)
             ) as cost_microcents
        from model_calls as call
        left join usage_holds as held using (turn_id)
        left join usage_events as charged using (turn_id)
       where turn_id = %(turn_id)s order by draft, position""",
    "tool_calls": """
      select position, tool, arguments, result, duration_ms
        from tool_calls where turn_id = %(turn_id)s order by position""",
    "effects": """
      select position, tool, class, state from tool_effects
       where turn_id = %(turn_id)s order by position""",
    "citations": """
      select number, how, title, heading_path, score, chunk_id::text
        from turn_citations where turn_id = %(turn_id)s order by number""",
    "handoffs": "select reason, state from handoffs where turn_id = %(turn_id)s",
    "replies": """
      select body, state from outbound_messages where turn_id = %(turn_id)s order by position""",
}


def main(arguments: list[str]) -> int:
    options = parse(arguments)
    with open_postgres(STATE) as postgres:
        if not options.turn:
            report_latest(read_latest(postgres.resource), options.json)
            return 0
        receipt = read_receipt(postgres.resource, str(options.turn))
    if options.json:
        print(json.dumps(receipt, indent=2, ensure_ascii=False))
    else:
        report(receipt)
    return 0


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="chatmill receipt",
        description="Print what one turn found, called, decided and paid.",
    )
    parser.add_argument(
        "turn", type=uuid.UUID, nargs="?", help="its id; without one, the ten latest turns"
    )
    parser.add_argument("--json", action="store_true", help="the same as JSON; costs in microcents")
    return parser.parse_args(arguments)


def read_latest(resource: dict) -> list[dict]:
    with connection_to(resource) as connection:
        return rows(connection, LATEST_TURNS, {})


def report_latest(turns: list[dict], as_json: bool) -> None:
    if as_json:
        print(json.dumps(turns, indent=2, ensure_ascii=False))
        return
    for turn in turns:
        asked = shortened(turn["question"] or "", 38)
        print(f"{turn['id']}  {asked}")
        print(paint(f"  {turn['created_at']}  {turn['channel']}, {turn['state']}", "dim"))
    if not turns:
        print("Nobody was answered yet.")


def read_receipt(resource: dict, turn_id: str) -> dict:
    values = {"turn_id": turn_id}
    with connection_to(resource) as connection:
        found = rows(connection, TURN, values)
        if not found:
            raise CannotRun(f"there is no turn {turn_id}.")
        parts = {name: rows(connection, query, values) for name, query in PARTS.items()}
    return {**found[0], **parts}


def report(receipt: dict) -> None:
    heading(f"Turn {receipt['id']}")
    route = (receipt["receipt"] or {}).get("route") or {}
    print(f"  {receipt['chatbot']} on {receipt['channel']}, {receipt['created_at']}")
    drafts = f"{receipt['drafts_dropped']} drafts dropped"
    print(f"  {receipt['state']}, {receipt['attempts']} attempts, {drafts}")
    print(wrapped(receipt["question"] or "", indent="  > "))
    heading("Decided")
    print(f"  route {route.get('kind')} ({route.get('reason')}), sure {route.get('confidence')}")
    print(f"  guard {(receipt['receipt'] or {}).get('guard')}")
    for one in receipt["handoffs"]:
        print(f"  handoff: {one['reason']}, {one['state']}")
    print(f"  prompt version {receipt['prompt_version']}, sha256 {receipt['prompt_sha256']}")
    heading("Found and called")
    for call in receipt["tool_calls"]:
        print_call(call)
    for effect in receipt["effects"]:
        print(
            f"  effect {effect['position']}: {effect['tool']} ({effect['class']}) {effect['state']}"
        )
    heading("Cited")
    for one in receipt["citations"]:
        place = shortened(f"{one['title']} > {one['heading_path']}", 60)
        print(f"  [{one['number']}] {place}  {one['score']}, by {one['how']}")
    print_costs(receipt)
    heading("Replied")
    for reply in receipt["replies"]:
        print(wrapped(reply["body"], indent="  "), paint(f"({reply['state']})", "dim"))


def print_call(call: dict) -> None:
    arguments = shortened(json.dumps(call["arguments"], ensure_ascii=False), 60)
    print(f"  {call['position']}: {call['tool']} {arguments}  {call['duration_ms']} ms")
    for passage in call["result"].get("passages", []):
        print(f"     {passage['score']:.4f}  {shortened(passage['heading_path'], 50)}"
              f"  {passage['chunk_id']}")  # fmt: skip


def print_costs(receipt: dict) -> None:
    heading("Paid")
    for call in receipt["model_calls"]:
        guess = " (estimated)" if call["is_estimated"] else ""
        lost = ", by a worker that had lost the turn" if call["is_lost"] else ""
        print(f"  draft {call['draft']} call {call['position']}: {call['model']}, "
              f"{call['input_tokens']} + {call['output_tokens']} tokens{guess}, "
              f"{cents(call['cost_microcents'])}{lost}")  # fmt: skip
    if receipt["input_tokens"] is None:
        print("  not charged yet")
        return
    print(f"  the turn {receipt['input_tokens']} + {receipt['output_tokens']} tokens, "
          f"{cents(receipt['cost_microcents'])}, "
          f"its conversation {cents(receipt['conversation_cost_microcents'])}")  # fmt: skip


def cents(microcents: int | None) -> str:
    return "no price known" if microcents is None else f"{microcents / MICROCENTS:.4f} cents"
