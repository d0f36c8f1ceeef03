"""Files of our own read in this process, as the sandbox's child reads those of others."""

import f.knowledge.reading as reading
from f.knowledge.extraction import READERS, Extracted, extracted, tell


def extract(file_name: str, content: bytes) -> Extracted:
    media_type = tell(file_name, content)
    return extracted(file_name, media_type, reading.read(READERS[media_type], content))
