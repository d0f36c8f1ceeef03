"""Whether the documents do not answer a turn's question: somebody may write one that does."""

from f.agent.route import WITHOUT_PASSAGE, Route

# What was decided by what is known; guards, vendors in trouble and wishes for a person say nothing
# of the documents.
BY_KNOWLEDGE = ("answered", "low_confidence")
# Tools that bring no answer from elsewhere.
SILENT_TOOLS = {"knowledge", "hand_off"}


def is_unanswered(route: Route, verdict: str, tool_calls: list[dict]) -> bool:
    """`tool_calls`: the records of the toolbox."""
    if verdict != "ok" or route.reason not in BY_KNOWLEDGE:
        return False
    found = [call["result"].get("passages") for call in tool_calls if call["tool"] == "knowledge"]
    found_nothing = bool(found) and not any(found)
    is_all = {call["tool"] for call in tool_calls} <= SILENT_TOOLS
    is_unsure = route.reason == "low_confidence" or route.confidence <= WITHOUT_PASSAGE
    return is_unsure or (found_nothing and is_all)
