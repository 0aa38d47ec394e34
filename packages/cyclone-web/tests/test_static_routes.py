from cyclone.web import StaticFileHandler
from cyclone.web._static_routes import static_routes


class Mine(StaticFileHandler):
    pass


def test_no_routes_without_a_folder() -> None:
    assert static_routes({}) == []


def test_routes() -> None:
    rules = static_routes({"static_path": "/p"})
    assert [rule.matcher.regex.pattern for rule in rules] == [  # type: ignore[attr-defined]
        "/static/(.*)$",
        r"/(favicon\.ico)$",
        r"/(robots\.txt)$",
    ]
    assert {rule.target for rule in rules} == {StaticFileHandler}
    assert rules[0].target_kwargs == {"path": "/p"}


def test_settings() -> None:
    rules = static_routes(
        {
            "static_path": "/p",
            "static_url_prefix": "/s.t/",
            "static_handler_class": Mine,
            "static_handler_args": {"default_filename": "index.html"},
        }
    )
    assert rules[0].matcher.regex.pattern == r"/s\.t/(.*)$"  # type: ignore[attr-defined]
    assert rules[0].target is Mine
    assert rules[0].target_kwargs == {"default_filename": "index.html", "path": "/p"}
