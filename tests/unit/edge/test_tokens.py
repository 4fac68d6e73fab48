"""Customer tokens: what is believed, and all that is not (E-6, E-7)."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from muster.edge.errors import EdgeError
from muster.edge.tokens import Tokens, Vouched, audiences_of, decoded, material_of
from muster.online.port import TokenKey

NOW = 1_800_000_000
SECRET = b"0123456789abcdef0123456789abcdef"
PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


def base64url(value: bytes) -> str:
    return urlsafe_b64encode(value).rstrip(b"=").decode()


PUBLIC = PRIVATE.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
HMAC = TokenKey("h1", "HS256", base64url(SECRET))
EDDSA = TokenKey("e1", "EdDSA", base64url(PUBLIC))
KEYS = (HMAC, EDDSA)
CLAIMS = {"sub": "ann", "iat": NOW - 10, "exp": NOW + 600}


def signed(claims: dict[str, Any], key: TokenKey = HMAC, **headers: Any) -> str:
    secret: Any = SECRET if key.algorithm == "HS256" else PRIVATE
    return jwt.encode(claims, secret, algorithm=key.algorithm, headers={"kid": key.id, **headers})


def by_hand(header: dict[str, Any], claims: dict[str, Any], signature: bytes = b"") -> str:
    parts = (json.dumps(one).encode() for one in (header, claims))
    return ".".join([*map(base64url, parts), base64url(signature)])


def asked(token: str, at: float = NOW, keys: tuple[TokenKey, ...] = KEYS, *, for_app: bool = False) -> Vouched:
    return Tokens(lambda: at).vouched(token, keys, "notes", for_app=for_app)


def refused(token: str, at: float = NOW, keys: tuple[TokenKey, ...] = KEYS, *, for_app: bool = False) -> str:
    with pytest.raises(EdgeError) as error:
        asked(token, at, keys, for_app=for_app)
    assert error.value.status == 401
    return error.value.code


def test_brackets_without_end_are_no_token() -> None:
    """Nobody has been asked for a key yet: whatever it is, it costs little."""
    deep = base64url(b"[" * 2_900)
    assert audiences_of(f"e30.{deep}.x") == []
    assert refused(f"{deep}.e30.x") == "customer_token_invalid"


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.algorithm)
def test_token_vouches_for_its_subject(key: TokenKey) -> None:
    token = signed({**CLAIMS, "email": "ann@example.com", "nbf": NOW}, key)
    assert asked(token) == Vouched("ann", "ann@example.com", NOW + 600, (), key)


@pytest.mark.parametrize("damage", ["signature", "claims", "cut"])
@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.algorithm)
def test_changed_token_is_refused(key: TokenKey, damage: str) -> None:
    header, payload, signature = signed(CLAIMS, key).split(".")
    other = base64url(json.dumps({**CLAIMS, "sub": "eve"}).encode())
    token = {
        "signature": f"{header}.{payload}.{'A' * len(signature)}",
        "claims": f"{header}.{other}.{signature}",
        "cut": f"{header}.{payload}.{signature[:-6]}",
    }[damage]
    assert refused(token) == "customer_token_invalid"


def test_algorithm_is_the_keys_not_the_tokens() -> None:
    """`none`, and the public key of one as the secret of the other."""
    assert refused(by_hand({"alg": "none", "kid": "h1"}, CLAIMS)) == "customer_token_invalid"
    assert refused(by_hand({"alg": "None", "kid": "e1"}, CLAIMS)) == "customer_token_invalid"
    swapped = jwt.encode(CLAIMS, PUBLIC, algorithm="HS256", headers={"kid": "e1"})
    assert refused(swapped) == "customer_token_invalid"
    other = jwt.encode(CLAIMS, SECRET * 2, algorithm="HS512", headers={"kid": "h1"})
    assert refused(other) == "customer_token_invalid"


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "HS256"},
        {"alg": "HS256", "kid": "h2"},
        {"alg": "HS256", "kid": 7},
        {"alg": "HS256", "kid": ["h1"]},
    ],
)
def test_token_that_names_no_key_of_the_app_is_refused(header: dict[str, Any]) -> None:
    assert refused(by_hand(header, CLAIMS, b"x" * 32)) == "customer_token_invalid"


@pytest.mark.parametrize("headers", [{"crit": ["exp"], "exp": 1}, {"crit": ["b64"], "b64": False}, {"b64": False}])
def test_token_with_headers_that_nobody_understands_is_refused(headers: dict[str, Any]) -> None:
    """RFC 7515, section 4.1.11; RFC 7797."""
    head = base64url(json.dumps({"alg": "HS256", "kid": "h1", **headers}).encode())
    payload = base64url(json.dumps(CLAIMS).encode())
    signature = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256).sign(
        f"{head}.{payload}".encode(), SECRET
    )
    assert refused(f"{head}.{payload}.{base64url(signature)}") == "customer_token_invalid"


@pytest.mark.parametrize("at", [NOW + 600, NOW + 659])
def test_clocks_may_differ_by_a_minute(at: int) -> None:
    assert asked(signed(CLAIMS), at).subject == "ann"


@pytest.mark.parametrize("at", [NOW + 660, NOW + 10_000])
def test_expired_token_is_said_to_be(at: int) -> None:
    assert refused(signed(CLAIMS), at) == "customer_token_expired"


def test_remembered_token_expires_too() -> None:
    """Verified once, and kept until it ends."""
    clock = [NOW]
    tokens = Tokens(lambda: clock[0])
    token = signed(CLAIMS)
    assert tokens.vouched(token, KEYS, "notes", for_app=False).subject == "ann"
    clock[0] = NOW + 660
    with pytest.raises(EdgeError) as error:
        tokens.vouched(token, KEYS, "notes", for_app=False)
    assert error.value.code == "customer_token_expired"


def test_remembered_token_of_a_revoked_key_is_refused() -> None:
    """Section 2: revoking takes effect at once, also for what was verified before."""
    tokens = Tokens(lambda: NOW)
    token = signed(CLAIMS)
    assert tokens.vouched(token, KEYS, "notes", for_app=False).subject == "ann"
    with pytest.raises(EdgeError):
        tokens.vouched(token, (EDDSA,), "notes", for_app=False)
    with pytest.raises(EdgeError):
        tokens.vouched(token, (TokenKey("h1", "HS256", base64url(b"x" * 32)),), "notes", for_app=False)


@pytest.mark.parametrize(
    "claims",
    [
        {"sub": "", "iat": NOW, "exp": NOW + 60},
        {"sub": "  ", "iat": NOW, "exp": NOW + 60},
        {"sub": "x" * 256, "iat": NOW, "exp": NOW + 60},
        {"iat": NOW, "exp": NOW + 60},
        {"sub": 7, "iat": NOW, "exp": NOW + 60},
        {"sub": "ann", "exp": NOW + 60},
        {"sub": "ann", "iat": NOW},
        {"sub": "ann", "iat": NOW, "exp": "later"},
        {"sub": "ann", "iat": NOW, "exp": NOW + 24 * 3600 + 1},
        {"sub": "ann", "iat": NOW + 10, "exp": NOW + 10},
        {"sub": "ann", "iat": NOW + 61, "exp": NOW + 120},
        {"sub": "ann", "iat": NOW, "exp": NOW + 600, "nbf": NOW + 61},
    ],
)
def test_claims_are_needed_and_bounded(claims: dict[str, Any]) -> None:
    token = by_hand({"alg": "HS256", "kid": "h1"}, claims)
    head = token.rpartition(".")[0]
    signature = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256).sign(head.encode(), SECRET)
    assert refused(f"{head}.{base64url(signature)}") == "customer_token_invalid"


def test_token_may_last_a_day() -> None:
    assert asked(signed({"sub": "ann", "iat": NOW, "exp": NOW + 24 * 3600})).subject == "ann"


def test_audience_is_the_app_and_needed_without_a_key() -> None:
    for audience in ("notes", ["other", "notes"]):
        assert asked(signed({**CLAIMS, "aud": audience}), for_app=True).subject == "ann"
    for audience in ("shop", ["shop"], []):
        for_app = audience == []
        assert refused(signed({**CLAIMS, "aud": audience}), for_app=for_app) == "customer_token_invalid"
    assert asked(signed(CLAIMS)).subject == "ann"
    assert refused(signed(CLAIMS), for_app=True) == "customer_token_invalid"


def test_token_beyond_four_kibibytes_is_refused() -> None:
    assert refused(signed({**CLAIMS, "note": "x" * 4_096})) == "customer_token_invalid"


@pytest.mark.parametrize("token", ["..", "a.b.c", "e30.e30.", "\u00e9.\u00e9.\u00e9", "e30.e30.e30.e30"])
def test_what_is_no_token_is_refused(token: str) -> None:
    assert refused(token) == "customer_token_invalid"


def test_example_of_rfc_7515_is_verified_as_far_as_its_claims() -> None:
    """Appendix A.1: its signature is good; it names no key, and has no subject."""
    key = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"
    token = (
        "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9."
        "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ."
        "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    )
    assert jwt.PyJWS().decode_complete(token, decoded(key), algorithms=["HS256"])["header"]["alg"] == "HS256"
    assert refused(token, 1_300_819_000, (TokenKey("", "HS256", key),)) == "customer_token_invalid"


def test_example_of_rfc_8037_is_verified() -> None:
    """Appendix A.4: a signature over what is no claims."""
    key = TokenKey("x", "EdDSA", "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")
    token = (
        "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc."
        "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
    )
    told = jwt.PyJWS().decode_complete(token, material_of(key), algorithms=["EdDSA"])
    assert told["payload"] == b"Example of Ed25519 signing"
