"""The calls of the turn store, as its tests make them."""


def claim(query, conversation_id):
    return query("select outcome, fence, arrivals from claim_conversation(%s)", conversation_id)[0]


def gather(query, conversation_id, fence, arrivals):
    return query(
        "select decision, reason, turn_id::text from gather_turn(%s, %s, %s, 8000, 5)",
        conversation_id,
        fence,
        arrivals,
    )[0]


def commit(query, turn_id, fence, replies=("Soon.",)):
    return query(
        "select commit_turn(%s, %s, %s, '{}', 'm', 1, 100, 20)", turn_id, fence, list(replies)
    )[0][0]


def finish(query, turn_id, fence):
    query("select charge_turn(%s, %s)", turn_id, fence)
    parts = ("sent", "saved", "charged")
    return [query("select complete_turn(%s, %s, %s)", turn_id, fence, part)[0][0] for part in parts]
