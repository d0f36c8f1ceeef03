"""PostgreSQL-language scripts: statements, arguments, values and errors as Windmill shows them."""

import pytest

from runner import sql_text
from runner.jobs import success
from tests.runner.flows import flow


@pytest.fixture
def run_sql(engine, postgres):
    """run_sql(content, **args) -> Outcome of a step on the server's own database."""
    database = {**postgres.resource, "dbname": "postgres"}

    def run(content: str, **args):
        args = {"database": database, **args}
        transforms = {name: {"type": "static", "value": value} for name, value in args.items()}
        value = {
            "type": "rawscript",
            "language": "postgresql",
            "content": content,
            "input_transforms": transforms,
        }
        return engine.run_flow_value(flow({"id": "a", "value": value}), {})

    return run


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("time '04:05:06.5'", "04:05:06.500"),
        ("timestamptz '2024-02-03 04:05:06.1234+02'", "2024-02-03T02:05:06.123400+00:00"),
        ("interval '-1 year 2 days -3 hours -4.5 seconds'", "-12 months 2 days -10804500000 ms"),
        ("array[1.5, null]::numeric[]", [1.5, None]),
        ("array[date '2024-02-03']", ["2024-02-03"]),
        ("array['{\"a\": 1}'::jsonb]", [{"a": 1}]),
        ("'NaN'::float8", None),
        ("array[true, false]", [True, False]),
        ("'a'::char(2)", "a "),
        ("pg_sleep(0)", None),
    ],
)
def test_values_are_shown_as_windmill_shows_them(run_sql, expression, value):
    assert run_sql(f"select {expression} as v").result == [{"v": value}]


@pytest.mark.parametrize(
    ("declaration", "value", "expression", "result"),
    [
        ("(text)", "it's \\ ; -- $1 %s", "$1", "it's \\ ; -- $1 %s"),
        ("(text)", 4, "$1", "4"),
        ("(text)", {"a": 1}, "$1", '{"a": 1}'),
        ("(jsonb)", [1, "'"], "$1->>1", "'"),
        ("(jsonb)", "x", "$1", "x"),
        ("(int[])", [1, None], "$1[1]", 1),
        ("(text[])", ["a,b", '"'], "$1", ["a,b", '"']),
        ("(int)", None, "$1 is null", True),
        ("(text[])", None, "$1 is null", True),
        ("(bool)", False, "not $1", True),
        ("(double precision)", 1.5, "$1", 1.5),
        ("(bytea)", "YWI=", "$1", "\\x6162"),
        ("(double)", 1.5, "$1", 1.5),
        ("", "7", "$1::int + 1", 8),
        ("", 1.5, "$1::double precision", 1.5),
        ("", [1, 2], "$1::int[]", [1, 2]),
        ("", "2024-02-03T04:05:06+02:00", "extract(hour from $1::timestamptz)", 2.0),
    ],
)
def test_arguments_arrive_with_their_declared_type(run_sql, declaration, value, expression, result):
    content = f"-- $1 v {declaration}\nselect {expression} as r".replace("v \n", "v\n")

    assert run_sql(content, v=value).result == [{"r": result}]


def test_parameters_in_quotes_and_comments_are_text(run_sql):
    content = """-- $1 n (int)
    select '$1' as a, $$ $1; $$ as b, $t$ $1 $t$ as c, $1 as d /* $1; */ -- $1;
    """

    assert run_sql(content, n=5).result == [{"a": "$1", "b": " $1; ", "c": " $1 ", "d": 5}]


def test_a_procedures_body_is_one_statement(run_sql):
    content = """
    -- first; not a statement
    do $body$ begin perform 1; perform 2; end $body$;
    select E'a\\';b' as a;;
    """

    assert run_sql(content).result == [{"a": "a';b"}]


@pytest.mark.parametrize(
    ("collection", "result"),
    [
        ("last_statement_all_rows", [{"b": 2}, {"b": 3}]),
        ("last_statement_first_row", {"b": 2}),
        ("last_statement_first_row_scalar", 2),
        ("last_statement_all_rows_scalar", [2, 3]),
        ("all_statements_all_rows", [[{"a": 1}], [{"b": 2}, {"b": 3}]]),
        ("all_statements_first_row", [{"a": 1}, {"b": 2}]),
        ("all_statements_first_row_scalar", [1, 2]),
        ("all_statements_all_rows_scalar", [[1], [2, 3]]),
    ],
)
def test_a_script_says_what_of_its_results_it_wants(run_sql, collection, result):
    content = f"-- result_collection={collection}\nselect 1 as a; values (2), (3) order by 1"

    assert run_sql(content.replace("values (2), (3)", "select b from (values (2), (3)) t (b)")) == (
        success(result)
    )


def test_a_first_row_that_is_not_there_is_null(run_sql):
    content = "-- result_collection=last_statement_first_row\nselect 1 as a where false"

    assert run_sql(content) == success(None)


def test_an_error_has_postgres_words_and_no_code(run_sql):
    content = (
        "do $$ begin raise 'spent' using errcode = 'QUOTA', detail = 'why', hint = 'pay'; end $$"
    )

    error = run_sql(content).result["error"]

    assert error["message"] == (
        "execution error:\nError: db error: ERROR: spent\nDETAIL: why\nHINT: pay"
    )
    assert (error["name"], error["step_id"]) == ("ExecutionErr", "a")


def test_a_text_with_a_zero_byte_is_the_steps_error(run_sql):
    error = run_sql("-- $1 v (text)\nselect $1", v="a\0b").result["error"]

    assert "invalid byte sequence" in error["message"]


def test_a_server_that_is_not_there_is_the_steps_error(run_sql):
    nowhere = {"host": "127.0.0.1", "port": 1, "dbname": "postgres"}

    error = run_sql("select 1", database=nowhere).result["error"]

    assert "error connecting to server" in error["message"]


def test_a_session_leaves_nothing_to_the_next_one(run_sql):
    first = run_sql("create temp table left_behind (i int); set search_path = nowhere; select 1")

    assert first.success
    assert run_sql("select to_regclass('pg_temp.left_behind') as t").result == [{"t": None}]


def test_a_statement_out_of_time_is_ended(engine, postgres):
    database = {**postgres.resource, "dbname": "postgres"}
    value = {
        "type": "rawscript",
        "language": "postgresql",
        "content": "select pg_sleep(30)",
        "input_transforms": {"database": {"type": "static", "value": database}},
    }
    module = {"id": "a", "value": value, "timeout": {"type": "static", "value": 0.1}}

    outcome = engine.run_flow_value(flow(module), {})

    assert "statement timeout" in outcome.result["error"]["message"]


def test_the_database_may_be_named_in_the_script(make_engine, postgres):
    files = {"f/t/one.pg.sql": "-- database f/t/pg\nselect 1 as a"}
    database = {**postgres.resource, "dbname": "postgres"}
    engine = make_engine(files, resources={"f/t/pg": database})

    assert engine.run("f/t/one", {}) == success([{"a": 1}])


def test_declared_defaults_are_read_by_type():
    script = sql_text.parse(
        "-- $1 n (int) = 3\n-- $2 s (text) = 'it'\n-- $3 b (bool) = true\n-- $4 e (text) = null\n"
        "select $1, $2, $3, $4, $5::uuid"
    )

    defaults = [script.parameters[number].default for number in (1, 2, 3, 4)]
    assert defaults == [3, "it", True, None]
    assert (script.parameters[5].name, script.parameters[5].type) == ("$5", "uuid")
