"""The calls of the turn store, as its tests make them."""


def claim(query, conversation_id):
    return query("select outcome, fence, arrivals from claim_conversation(%s)", conversation_id)[0]


def gather(query, conversation_id, fence, arrivals):
    return query(
        "select decision, reason, turn_id::text from gather_turn(%s, %s, %s, 'm', 8000, 5)",
        conversation_id,
        fence,
        arrivals,
    )[0]


def pay(query, turn_id, fence, input_tokens=100, output_tokens=20, draft=0, position=0):
    """The same call however often it is told, by its draft and position."""
    query(
        "select store_model_call(%s, %s, %s, md5(%s || ' ' || %s)::uuid, null, 'm', %s, %s, false,"
        " '{}')",
        turn_id,
        fence,
        draft,
        str(draft),
        str(position),
        input_tokens,
        output_tokens,
    )


def commit(query, turn_id, fence, replies=("Soon.",), may_drop=False):
    pay(query, turn_id, fence)
    return query(
        "select commit_turn(%s, %s, %s, '{}', %s)", turn_id, fence, list(replies), may_drop
    )[0][0]


def finish(query, turn_id, fence):
    query("select charge_turn(%s, %s)", turn_id, fence)
    parts = ("sent", "saved", "charged")
    return [query("select complete_turn(%s, %s, %s)", turn_id, fence, part)[0][0] for part in parts]
