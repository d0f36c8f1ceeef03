"""Why a key or a word that Windmill knows is refused here."""

IGNORED_BY_CE = (
    "Windmill's community edition accepts this key and ignores it without a word; remove it"
)
NOT_HERE = "the local runner does not support this; remove it, or it would differ from Windmill"
NO_HUB = "a script is named by its path here; remove it"
ONLY_TWO = "the local runner runs python3 and postgresql; write this step in one of them"
ONLY_TWO_LANGUAGES = {
    language: ONLY_TWO
    for language in (
        "deno bun bunnative nativets go bash powershell mysql bigquery snowflake mssql oracledb "
        "duckdb graphql php rust ansible csharp nu java ruby rlang"
    ).split()
}
