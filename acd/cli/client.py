"""A small client of the running engine's own HTTP interface, for the commands that ask it something."""

from __future__ import annotations

import os
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any

import orjson

__all__ = ["ApiClient", "ApiError", "NotKnown"]

_TIMEOUT_S = 5.0


class ApiError(Exception):
    """The engine did not answer, or not with what was asked for; the message says what to do."""


class NotKnown(ApiError):
    """The engine answered that it knows nothing of this name."""


@dataclass(frozen=True, slots=True)
class ApiClient:
    """Speaks to ``http://host:port`` with the token of the state folder (or ``ACD_API_TOKEN``)."""

    host: str
    port: int
    token: str = field(repr=False)

    @classmethod
    def at(cls, host: str, port: int, state_dir: Path, env: Mapping[str, str] = os.environ) -> ApiClient:
        """Find the token. Raises ApiError when there is none that may be read."""
        token = env.get("ACD_API_TOKEN", "")
        if not token:
            path = state_dir / "api-token"
            try:
                token = path.read_text(encoding="ascii").strip()
            except OSError as error:
                raise ApiError(
                    f"the token of the engine's interface cannot be read: {path}: {error.strerror}; "
                    "run this as the user who runs the engine, or set ACD_API_TOKEN"
                ) from error
        return cls(host, port, token)

    def get(self, *path: str) -> Any:
        """Return the JSON at ``/api/…``. Raises ApiError; a 404's message is the engine's own."""
        return self._ask("GET", path, None)

    def post(
        self,
        *path: str,
        body: Mapping[str, object] | None = None,
        query: Mapping[str, str] | None = None,
        timeout_s: float = _TIMEOUT_S,
    ) -> Any:
        """Send JSON to ``/api/…`` and return the JSON that comes back. Raises ApiError."""
        return self._ask("POST", path, orjson.dumps(dict(body)) if body is not None else b"", query, timeout_s)

    def put(self, *path: str, body: Mapping[str, object]) -> Any:
        """Put JSON at ``/api/…`` and return the JSON that comes back. Raises ApiError."""
        return self._ask("PUT", path, orjson.dumps(dict(body)))

    def delete(self, *path: str, query: Mapping[str, str] | None = None) -> Any:
        """Delete what is at ``/api/…`` and return the JSON that comes back. Raises ApiError."""
        return self._ask("DELETE", path, None, query)

    def _ask(
        self,
        method: str,
        path: tuple[str, ...],
        body: bytes | None,
        query: Mapping[str, str] | None = None,
        timeout_s: float = _TIMEOUT_S,
    ) -> Any:
        quoted = "/".join(urllib.parse.quote(part, safe="") for part in path)
        if query:
            quoted += f"?{urllib.parse.urlencode(query)}"
        where = f"http://{self.host}:{self.port}"
        request = urllib.request.Request(  # noqa: S310 - the scheme is fixed above
            f"{where}/api/{quoted}", data=body, method=method, headers={"Authorization": f"Bearer {self.token}"}
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=timeout_s) as answer:
                return orjson.loads(answer.read())
        except urllib.error.HTTPError as error:
            kind = NotKnown if error.code == HTTPStatus.NOT_FOUND else ApiError
            raise kind(_problem(error)) from error
        except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
            reason = getattr(error, "reason", error)
            raise ApiError(
                f"no engine answers at {where} ({reason}); is `acd run` up, and is this its web port?"
            ) from error
        except orjson.JSONDecodeError as error:
            raise ApiError(f"what answers at {where} is not this engine: {error}") from error


def _problem(error: urllib.error.HTTPError) -> str:
    """Put an RFC 9457 answer into one line."""
    if error.code == HTTPStatus.UNAUTHORIZED:
        return "the engine refuses the token: use the api-token of the state folder that the engine runs with"
    try:
        problem = orjson.loads(error.read())
        return str(problem.get("detail") or problem.get("title") or error.reason)
    except (orjson.JSONDecodeError, AttributeError):
        return f"HTTP {error.code} {error.reason}"
