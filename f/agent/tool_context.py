"""What a tool may know of the turn that it is run in; a model can't name another."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime

from f.agent.contact_files import ContactFile
from f.shared.resources import c_model


@dataclass(frozen=True)
class ToolContext:
    """`open_transaction` opens one that holds the turn, `open_any` one that holds nothing: for what
    must be kept though the turn is lost; `now` is where the organization is;
    `question` is what the contact wrote in this turn, `files` are theirs in this conversation;
    `source_tags` are the sources that the chatbot answers from."""

    open_transaction: Callable[[], AbstractContextManager]
    open_any: Callable[[], AbstractContextManager]
    model: c_model
    organization_id: str
    chatbot_id: str
    conversation_id: str
    contact_id: str
    contact_key: str
    turn_id: str
    now: datetime
    business_hours: dict
    question: str
    sign_in_request: str
    sealing_key: str = field(repr=False)
    source_tags: list[str] = field(default_factory=list)
    files: tuple[ContactFile, ...] = ()
