"""What the database says happened: turns, tool calls, replies and usage."""

from psycopg2.extras import RealDictCursor

from local.migrations import connection_to

LAST_TURN = """
select turns.id, turns.state, max(model_calls.model) as model,
       count(model_calls) as model_calls,
       coalesce(sum(model_calls.input_tokens), 0)::bigint as input_tokens,
       coalesce(sum(model_calls.output_tokens), 0)::bigint as output_tokens
  from turns left join model_calls on model_calls.turn_id = turns.id
 where turns.organization_id = %s
 group by turns.id
 order by turns.created_at desc, turns.id
 limit 1
"""
TOOL_CALLS = """
select tool, arguments, result, duration_ms from tool_calls where turn_id = %s order by position
"""
REPLIES = """
select body, state, provider_message_id from outbound_messages where turn_id = %s order by position
"""
USAGE = """
select usage_events.model, usage_events.model_calls, usage_events.input_tokens,
       usage_events.output_tokens, usage_events.cost_microcents,
       usage_periods.starts_on::text, usage_periods.messages_used, usage_periods.message_limit,
       usage_periods.tokens_used, usage_periods.token_limit
  from usage_events
  join usage_periods on usage_periods.organization_id = usage_events.organization_id
   and usage_periods.starts_on = usage_events.period_starts_on
 where usage_events.turn_id = %s
"""
LAST_DELIVERY = """
select outcome from webhook_deliveries
 where organization_id = %s order by received_at desc limit 1
"""
ALERTS = """
select code, summary from alerts
 where (organization_id = %s or organization_id is null)
   and last_raised_at >= now() - make_interval(secs => %s)
 order by last_raised_at desc, id desc
"""
RECENT_SECONDS = 300


def read_facts(resource: dict, organization_id: str) -> dict:
    """Of the newest turn; without one, `turn` is None."""
    with connection_to(resource) as connection:
        delivery = rows(connection, LAST_DELIVERY, [organization_id])
        turn = next(iter(rows(connection, LAST_TURN, [organization_id])), None)
        found = {"delivery": delivery[0]["outcome"] if delivery else None, "turn": turn}
        if turn is None:
            return {**found, "tool_calls": [], "passages": [], "replies": [], "usage": None}
        tool_calls = rows(connection, TOOL_CALLS, [turn["id"]])
        return {
            **found,
            "tool_calls": tool_calls,
            "passages": [
                passage for call in tool_calls for passage in call["result"].get("passages", [])
            ],
            "replies": rows(connection, REPLIES, [turn["id"]]),
            "usage": next(iter(rows(connection, USAGE, [turn["id"]])), None),
        }


def recent_alerts(
    resource: dict, organization_id: str, seconds: float = RECENT_SECONDS
) -> list[dict]:
    """Of the organization and of the installation, the newest first."""
    with connection_to(resource) as connection:
        return rows(connection, ALERTS, [organization_id, seconds])


def rows(connection, query: str, values: list) -> list[dict]:
    with connection.cursor(cursor_factory=RealDictCursor) as cursor:
        cursor.execute(query, values)
        return [dict(row) for row in cursor.fetchall()]
