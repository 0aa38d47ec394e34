"""What a request brings."""

from __future__ import annotations

import datetime
import uuid
from typing import Any, assert_type

from store import Role

from cyclone.web import RequestHandler, path_int


class Search(RequestHandler):
    def get(self) -> None:
        assert_type(self.get_argument("q"), str)
        assert_type(self.get_argument("q", "x"), str)
        assert_type(self.get_argument("q", default="x"), str)
        assert_type(self.get_argument("q", None), str | None)
        assert_type(self.get_argument("q", default=None, strip=False), str | None)
        assert_type(self.get_argument("q", None, False), str | None)
        assert_type(self.get_argument("q", self.request.headers.get("X-Q")), str | None)
        assert_type(self.get_argument("q", strip=False), str)
        assert_type(self.get_arguments("q"), list[str])
        assert_type(self.get_query_argument("q", None), str | None)
        assert_type(self.get_query_arguments("q"), list[str])
        assert_type(self.get_body_argument("q", "x"), str)
        assert_type(self.get_body_arguments("q"), list[str])
        assert_type(self.path_args, list[str])
        assert_type(self.path_kwargs, dict[str, str])

    def post(self) -> None:
        assert_type(self.get_argument("page", type=int), int)
        assert_type(self.get_argument("page", 1, type=int), int)
        assert_type(self.get_argument("page", None, type=int), int | None)
        assert_type(self.get_query_argument("ratio", default=None, type=float), float | None)
        assert_type(self.get_body_argument("id", type=uuid.UUID), uuid.UUID)
        assert_type(self.get_argument("role", Role.READER, type=Role), Role)
        assert_type(self.get_argument("day", type=datetime.date), datetime.date)
        assert_type(self.get_argument("all", False, type=bool), bool)
        assert_type(self.get_argument("id", type=path_int), int)
        assert_type(self.get_argument("tags", type=lambda text: text.split(",")), list[str])

    def put(self) -> None:
        body = self.get_json()
        self.write(body["name"])
        fields: dict[str, Any] = self.get_json(type=dict)
        self.write(fields)
        for item in self.get_json(default=[], type=list):
            self.write(item)

    def decode_argument(self, value: bytes, name: str | None = None) -> str:
        return value.decode("latin-1")
