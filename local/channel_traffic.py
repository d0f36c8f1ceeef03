"""What a channel's own rows say of it: replies that are held, and when it was heard last."""

from dataclasses import dataclass
from datetime import UTC, datetime

from f.channels.accounts import Account
from f.channels.checks import Problem

READ = """
select greatest(
         (select max(received_at) from webhook_deliveries where channel_id = channels.id),
         (select max(received_at) from inbound_messages where channel_id = channels.id)),
       (select count(*) from inbound_messages
         where channel_id = channels.id and received_at > now() - interval '1 hour'),
       (select round(count(*) / 7.0)
          from generate_series(1, 7) as day
          join inbound_messages on channel_id = channels.id
           and received_at > now() - make_interval(days => day, hours => 1)
           and received_at <= now() - make_interval(days => day)),
       (select count(distinct conversations.id)
          from conversations
          join outbound_messages on outbound_messages.conversation_id = conversations.id
         where conversations.channel_id = channels.id and outbound_messages.state = 'held'
           and outbound_messages.created_at > now() - interval '30 days'
           and not exists (select from inbound_messages
                            where inbound_messages.conversation_id = conversations.id
                              and received_at > outbound_messages.created_at)),
       (select max(hours) from silent_channels() where channel_id = channels.id)
  from channels where id = %(channel_id)s
"""


@dataclass(frozen=True)
class Traffic:
    """`usual`: messages of this hour on the seven days before, on average. `held`: conversations
    with a reply of the last 30 days that came after the window, where the contact wrote no more.
    `silent_hours`: since when nothing comes that usually would."""

    last_heard_at: datetime | None
    last_hour: int
    usual: int
    held: int
    silent_hours: int | None

    @property
    def sentence(self) -> str:
        if self.last_heard_at is None:
            return "no webhook was received yet"
        usual = f", usually {self.usual} at this time" if self.usual else ""
        ago = _ago(datetime.now(UTC) - self.last_heard_at)
        return f"last webhook {ago} ago, {self.last_hour} messages in the last hour{usual}"

    @property
    def problems(self) -> list[Problem]:
        found = []
        if self.silent_hours:
            found.append(Problem("silent", f"nothing for {self.silent_hours} hours"))
        if self.held:
            found.append(Problem("replies_held", f"{self.held} conversations"))
        return found


def traffic_of(connection, channel: Account) -> Traffic:
    with connection.cursor() as cursor:
        cursor.execute(READ, {"channel_id": channel.channel_id})
        last_heard_at, last_hour, usual, held, silent_hours = cursor.fetchone()
    return Traffic(last_heard_at, last_hour, int(usual), held, silent_hours)


def _ago(span) -> str:
    minutes = int(span.total_seconds() // 60)
    for size, word in ((1440, "days"), (60, "hours")):
        if minutes >= 2 * size:
            return f"{minutes // size} {word}"
    return f"{minutes} minutes"
