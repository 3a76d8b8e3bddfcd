"""A user signs in to an application written with Authlib: code and PKCE, private_key_jwt, refresh, introspection, revocation."""

import html
import os
import re
import unittest
from urllib.parse import urlencode, urljoin

import requests
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

CORE, OPERATOR = os.environ["CORE"], os.environ["OPERATOR"]
ISSUER = f"{CORE}/t/demo"
CALLBACK = "https://app.example.com/callback"
PASSWORD = "plain oat zebra lantern"
# On this machine there is no TLS.
os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"


def register(**wish):
    headers = {"authorization": f"Bearer {OPERATOR}", "plinto-tenant": "demo"}
    made = requests.post(f"{CORE}/v1/clients", json=wish, headers=headers, timeout=10)
    made.raise_for_status()
    return made.json()


class Browser:
    """Runs no script: follows redirects while they stay with us, and sends the forms it is shown."""

    def __init__(self, email):
        self.session, self.email = requests.Session(), email
        body = {"email": email, "password": PASSWORD}
        self.session.post(f"{ISSUER}/v1/auth/sign-up", json=body, timeout=10).raise_for_status()

    def visit(self, address):
        answer = self.session.get(address, allow_redirects=False, timeout=10)
        for _ in range(15):
            if answer.status_code == 303:
                address = urljoin(address, answer.headers["location"])
                if not address.startswith(CORE):
                    return address
                answer = self.session.get(address, allow_redirects=False, timeout=10)
                continue
            form = answer.text[answer.text.index("<form") :]
            fields = dict(re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)"', form))
            fields = {name: html.unescape(value) for name, value in fields.items()}
            fields |= {"username": self.email, "password": PASSWORD} if "/sign-in" in address else {"decision": "allow"}
            address = urljoin(address, html.unescape(re.search(r'action="([^"]*)"', form)[1]))
            answer = self.session.post(address, data=fields, allow_redirects=False, timeout=10)
        raise AssertionError("pages without end")


class SignIn(unittest.TestCase):
    def setUp(self):
        self.metadata = requests.get(f"{ISSUER}/.well-known/openid-configuration", timeout=10).json()

    def session(self, **settings):
        return OAuth2Session(
            scope="openid email offline_access", redirect_uri=CALLBACK, code_challenge_method="S256", **settings
        )

    def sign_in(self, session, email):
        verifier = "v" * 64
        address, state = session.create_authorization_url(
            self.metadata["authorization_endpoint"], code_verifier=verifier, nonce="n-1"
        )
        back = Browser(email).visit(address)
        return session.fetch_token(
            self.metadata["token_endpoint"], authorization_response=back, state=state, code_verifier=verifier
        )

    def claims(self, token, client_id):
        keys = KeySet.import_key_set(requests.get(self.metadata["jwks_uri"], timeout=10).json())
        claims = jwt.decode(token["id_token"], keys, algorithms=["RS256", "ES256"]).claims
        expected = {"iss": ISSUER, "aud": client_id, "nonce": "n-1"}
        jwt.JWTClaimsRegistry(**{name: {"essential": True, "value": value} for name, value in expected.items()}).validate(claims)
        return claims

    def test_a_secret(self):
        made = register(name="Orders", redirect_uris=[CALLBACK])
        session = self.session(client_id=made["client_id"], client_secret=made["client_secret"])
        token = self.sign_in(session, "authlib-secret@example.com")
        claims = self.claims(token, made["client_id"])
        learned = session.get(self.metadata["userinfo_endpoint"], timeout=10).json()
        self.assertEqual((learned["sub"], learned["email"]), (claims["sub"], "authlib-secret@example.com"))
        asked = session.introspect_token(self.metadata["introspection_endpoint"], token=token["access_token"])
        self.assertTrue(asked.json()["active"])
        first = token["refresh_token"]
        token = session.refresh_token(self.metadata["token_endpoint"], refresh_token=first)
        self.assertNotEqual(token["refresh_token"], first)
        session.revoke_token(self.metadata["revocation_endpoint"], token=token["refresh_token"])
        asked = session.introspect_token(self.metadata["introspection_endpoint"], token=token["access_token"])
        self.assertEqual(asked.json(), {"active": False})
        end = f"{self.metadata['end_session_endpoint']}?{urlencode({'id_token_hint': 'nonsense'})}"
        self.assertEqual(requests.get(end, timeout=10).status_code, 400)

    def test_a_key_of_its_own(self):
        key = ECKey.generate_key("P-256", {"kid": "own", "use": "sig", "alg": "ES256"})
        made = register(
            name="Bank", redirect_uris=[CALLBACK], first_party=True, id_token_signed_response_alg="ES256",
            token_endpoint_auth_method="private_key_jwt", jwks={"keys": [key.as_dict(private=False)]},
        )
        endpoint = self.metadata["token_endpoint"]
        session = self.session(
            client_id=made["client_id"], client_secret=key,
            token_endpoint_auth_method="private_key_jwt",
        )
        session.register_client_auth_method(PrivateKeyJWT(endpoint, alg="ES256"))
        token = self.sign_in(session, "authlib-key@example.com")
        self.assertTrue(self.claims(token, made["client_id"])["sub"].startswith("usr_"))


if __name__ == "__main__":
    unittest.main()
