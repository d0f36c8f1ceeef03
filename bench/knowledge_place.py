"""A database of its own for measuring what reads documents, and the model that embeds for it."""

import secrets
from contextlib import contextmanager
from dataclasses import dataclass

from local.hashing_embedder import HashingEmbedder
from local.logins import role_resources
from local.migrations import connection_to, migrate
from local.offline_model import OfflineModel
from local.scratch_postgres import open_scratch_postgres

ADD_ORGANIZATION = """
insert into organizations (plan_id, name) select id, 'Measured' from plans limit 1
returning id::text
"""
ADD_PLAN = """
insert into plans (id, name, message_limit, token_limit) values ('measured', 'Measured', 0, 0)
on conflict do nothing
"""


@dataclass(frozen=True)
class KnowledgePlace:
    owner: dict
    steps: dict  # as the steps of f/knowledge reach it
    model: dict
    organization_id: str


@contextmanager
def knowledge_place(with_hashing: bool):
    """`with_hashing`: embeddings that cost nothing, where they are not what is measured."""
    embedder = HashingEmbedder() if with_hashing else None
    with (
        open_scratch_postgres("bench") as (_, postgres),
        OfflineModel(secrets.token_hex(16), embedder=embedder) as model,
    ):
        migrate(postgres.resource)
        logins = role_resources(postgres.resource, secrets.token_hex(32))
        yield KnowledgePlace(
            postgres.resource,
            logins["f/knowledge/knowledge_database"],
            model.resource,
            add_organization(postgres.resource),
        )


def add_organization(resource: dict) -> str:
    with connection_to(resource) as connection, connection.cursor() as cursor:
        cursor.execute(ADD_PLAN)
        cursor.execute(ADD_ORGANIZATION)
        (organization_id,) = cursor.fetchone()
        connection.commit()
    return organization_id
