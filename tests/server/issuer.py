"""An OIDC issuer on loopback."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from fastmcp.server.auth.providers.jwt import RSAKeyPair
from joserfc.jwk import RSAKey


class Issuer:
    """A discovery document, one key, and the tokens it signs."""

    def __init__(self) -> None:
        self.keys = RSAKeyPair.generate()
        jwk = RSAKey.import_key(self.keys.public_key).as_dict(private=False) | {"kid": "one", "alg": "RS256"}
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = json.dumps(issuer.documents.get(self.path)).encode()
                self.send_response(200 if self.path in issuer.documents else 404)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.documents: dict[str, Any] = {
            "/.well-known/openid-configuration": {"issuer": self.url, "jwks_uri": f"{self.url}/keys"},
            "/keys": {"keys": [jwk]},
        }
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def token(self, **changed: Any) -> str:
        claims: dict[str, Any] = {"subject": "ada", "issuer": self.url, "audience": "gateway", "kid": "one"}
        return self.keys.create_token(**(claims | changed))
