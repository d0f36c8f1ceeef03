"""Documents of an organization, read and embedded: db/demo on the first run, and one's own."""

import hashlib
import os
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path

from f.knowledge import reembed_organization, sources
from f.knowledge.extraction import MAX_BYTES
from f.shared.errors import InputRefused
from local.errors import CannotRun
from local.ingesting import read_source, reading, refusal_of
from local.migrations import connection_to
from local.places import ROOT

DEMO_DOCUMENTS = ROOT / "db" / "demo"

DOCUMENTS_READY = """
select sources.name, sources.sha256
  from sources join documents on documents.source_id = sources.id
 where sources.organization_id = %s
   and documents.is_active
"""

OTHER_MODELS = """
select organization_id::text from chunk_sets where state = 'searched' and embedding_model <> %s
"""


def demo_documents() -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(DEMO_DOCUMENTS.glob("*.md"))}


def missing_documents(
    resource: dict, organization_id: str, documents: dict[str, bytes]
) -> dict[str, bytes]:
    """Those that are new or changed."""
    with connection_to(resource) as connection, connection.cursor() as cursor:
        cursor.execute(DOCUMENTS_READY, [organization_id])
        ready = set(cursor.fetchall())
    return {
        name: content
        for name, content in documents.items()
        if (name, hashlib.sha256(content).hexdigest()) not in ready
    }


def organizations_of_other_models(resource: dict, model: dict) -> list[str]:
    """Those whose documents were embedded by a model that this installation no longer uses."""
    with connection_to(resource) as connection, connection.cursor() as cursor:
        cursor.execute(OTHER_MODELS, [model["embedding_model"]])
        return [organization_id for (organization_id,) in cursor.fetchall()]


def follow_model(resource: dict, model: dict, organization_ids: list[str]) -> None:
    for organization_id in organization_ids:
        reembed_organization.main(resource, model, organization_id)


def add_documents(
    resource: dict,
    model: dict,
    organization_id: str,
    documents: dict[str, bytes],
    progress: Callable[[int], None] = lambda count: None,
) -> None:
    with reading(resource, model) as engine:
        for number, (name, content) in enumerate(documents.items(), start=1):
            add_document(engine, resource, model, organization_id, name, content)
            progress(number)


def add_document(
    engine, resource: dict, model: dict, organization_id: str, name: str, content: bytes
) -> None:
    with connection_to(resource) as connection, told_of_refusal(name):
        source_id = sources.add_file(connection, organization_id, name, content)
        connection.commit()
    try:
        outcome = read_source(engine, source_id, name)
    except CannotRun as error:
        raise CannotRun(f"{error} {model_hint(model)}") from error
    if outcome["state"] == "refused":
        raise CannotRun(
            f"{name} was refused ({outcome['code']}): {refusal_of(resource, source_id)}"
        )


@contextmanager
def told_of_refusal(named: str):
    try:
        yield
    except InputRefused as refusal:
        raise CannotRun(f"{named} was refused ({refusal.code}): {refusal}") from None


def model_hint(model: dict) -> str:
    return (
        f"Embeddings come from {model['base_url']}, model {model['embedding_model']}:"
        " see OPENAI_BASE_URL and OPENAI_EMBEDDING_MODEL."
    )


def read_document(path: str) -> dict[str, bytes]:
    return {Path(path).name: read_bytes(path)}


def read_bytes(path: str) -> bytes:
    """Only regular files have an end."""
    try:
        if Path(path).exists() and not Path(path).is_file():
            raise CannotRun(f"{path} is not a file.")
        with Path(path).open("rb") as file:
            before = os.fstat(file.fileno())
            content = file.read(MAX_BYTES + 1)
            after = os.fstat(file.fileno())
        if len(content) > MAX_BYTES:
            raise CannotRun(f"{path} is larger than 10 MB. Split it into smaller files.")
        if (before.st_mtime_ns, before.st_size) != (after.st_mtime_ns, len(content)):
            raise CannotRun(f"{path} changed while it was read. Try again when it is written.")
        return content
    except OSError as error:
        raise CannotRun(f"cannot read {path}: {error.strerror}.") from error
