"""./chatmill channel check: what a channel's own rows say of it, beside what its vendor says."""

import pytest

from local import channel
from local.errors import CannotRun
from tests.conftest import CHANNEL_ID, SEALING_KEY

HELD = """
with turn as (
  insert into turns (organization_id, conversation_id, arrivals_seen, state, answered_at)
  select organization_id, id, 1, 'answered', now() from conversations where id = %s returning *
) insert into outbound_messages (organization_id, conversation_id, turn_id, position, body, state)
select organization_id, conversation_id, id, 0, 'Hi!', 'held' from turn
"""


class Secrets:
    sealing_key = SEALING_KEY


@pytest.fixture
def checked(owner, query, monkeypatch, capsys, whatsapp):
    """checked(*arguments) -> (exit code, what it printed); of the demo's WhatsApp number alone."""
    monkeypatch.setattr(channel, "load_secrets", lambda _: Secrets)
    monkeypatch.setattr(channel, "problems_of", lambda _: [])
    query("update channels set is_active = (id = %s)", CHANNEL_ID)

    def run(*arguments: str) -> tuple[int, str]:
        code = channel.check(owner, channel.parse(["check", *arguments]))
        return code, capsys.readouterr().out

    return run


def test_a_channel_that_was_never_heard_says_so(checked):
    code, printed = checked()

    assert (code, "no webhook was received yet" in printed) == (0, True)
    assert "everything is fine" in printed


def test_a_channel_says_when_it_was_heard_and_what_is_usual(checked, query, arrive):
    for _ in range(29):
        arrive()
    query("update inbound_messages set received_at = now() - interval '5 minutes'")
    query(
        "update inbound_messages set received_at = now() - make_interval(days => 1, mins => 5)"
        " where id > (select min(id) from inbound_messages)"
    )

    code, printed = checked()

    assert "last webhook 5 minutes ago" in printed
    assert "1 messages in the last hour, usually 4 at this time" in printed
    assert code == 0


def test_a_channel_that_fell_silent_is_at_fault(checked, query, arrive):
    for _ in range(70):
        arrive()
    query(
        "update inbound_messages set received_at ="
        " now() - make_interval(days => 1 + (id % 7)::integer, mins => 30)"
    )

    code, printed = checked()

    assert code == 1
    assert "nothing comes, though messages usually do at this time of day" in printed
    assert "(nothing for " in printed


def test_replies_that_the_window_holds_are_counted_by_conversation(checked, query, arrive):
    for contact in ("15550001", "15550002", "15550003"):
        arrive(contact_key=contact)
    conversations = query("select id::text from conversations order by created_at")
    for (conversation_id,) in conversations:
        query(HELD, conversation_id)
    query(
        "update inbound_messages set received_at = now() + interval '1 minute'"
        " where conversation_id = %s",
        conversations[0][0],
    )

    code, printed = checked()

    assert (code, "(2 conversations)" in printed) == (1, True)
    assert "24 hours" in printed


def test_one_channel_is_looked_at_by_its_key_and_a_key_that_is_none_is_said(checked, query):
    query("update channels set webhook_url = 'https://bot.example.com/api/r/x/demo-whatsapp'")

    assert checked("demo-whatsapp")[0] == 0
    with pytest.raises(CannotRun):
        checked("nobody-here")
