"""Which trigger a request is for."""

from runner.http_triggers import RouteTable, trigger_from


def table(*routes: str, workspaced: bool = False) -> RouteTable:
    triggers = [
        trigger_from(
            f"f/t/{index}",
            {
                "script_path": "f/t/x",
                "route_path": route,
                "http_method": "post",
                "workspaced_route": workspaced,
            },
        )
        for index, route in enumerate(routes)
    ]
    return RouteTable(triggers, "chatmill")


def found(routes: RouteTable, path: str, method: str = "POST"):
    match = routes.find(method, path)
    return match and (match.trigger.route_path, match.params)


def test_words_win_over_names_and_names_over_the_rest():
    routes = table("*rest", "hook/:channel", "hook/web")

    assert found(routes, "/hook/web") == ("hook/web", {})
    assert found(routes, "/hook/telegram") == ("hook/:channel", {"channel": "telegram"})
    assert found(routes, "/hook/a/b") == ("*rest", {"rest": "hook/a/b"})


def test_a_slash_at_the_end_means_nothing_and_case_means_something():
    routes = table("v/answer")

    assert found(routes, "/v/answer/")
    assert found(routes, "/v/ANSWER") is None


def test_a_method_that_has_no_trigger_is_not_found():
    assert found(table("v/answer"), "/v/answer", method="GET") is None


def test_a_dot_in_a_route_is_only_a_dot():
    assert found(table("v/a.b"), "/v/aXb") is None


def test_a_workspaced_route_begins_with_the_workspace():
    routes = table("v/:id", workspaced=True)

    assert found(routes, "/chatmill/v/7") == ("v/:id", {"id": "7"})
    assert found(routes, "/v/7") is None
