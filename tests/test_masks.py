"""Nothing that leaves the journal gives a secret away, and people still know whose key it was."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmsim import masks

KEYS = {
    "sk-abcdefghijklmnopqrst1234": "sk-…1234",
    "sk-proj-abcdefghijklmnopqrst1234": "sk-proj-…1234",
    "sk-ant-api03-abcdefghijklmnopqrst1234": "sk-ant-api03-…1234",
    "AIzaSyDabcdefghijklmnopqrstuvwx1234": "AIza…1234",
    "0123456789abcdef0123456789abcdef": "…cdef",
}


@pytest.mark.parametrize(("key", "shown"), KEYS.items())
def test_a_key_keeps_its_kind_and_its_tail(key, shown):
    assert masks.key(key) == shown
    assert masks.key(shown) == shown


@pytest.mark.parametrize(("key", "shown"), [("", ""), ("ci", "…"), ("team-a", "…-a"), ("sk-test", "sk-…t")])
def test_of_a_short_key_less_is_kept(key, shown):
    assert masks.key(key) == shown


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=60))
def test_most_of_a_secret_is_always_left_out(key):
    kind, _, tail = masks.key(key).partition("…")
    assert key.startswith(kind)
    assert key.endswith(tail)
    assert len(tail) <= 4
    assert len(tail) * 3 <= len(key) - len(kind)


SECRET = "abcdefghijklmnopqrstuvwxyz1234"


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("authorization", f"Bearer sk-{SECRET}", "Bearer sk-…1234"),
        ("Authorization", f"Bearer {SECRET}", "Bearer …1234"),
        ("authorization", "Basic dXNlcjpwYXNzd29yZA==", "Basic …"),
        ("x-api-key", f"sk-ant-api03-{SECRET}", "sk-ant-api03-…1234"),
        ("api-key", SECRET, "…1234"),
        ("x-goog-api-key", f"AIza{SECRET}", "AIza…1234"),
        ("ocp-apim-subscription-key", SECRET, "…1234"),
        ("x-amz-security-token", SECRET, "…1234"),
        ("cookie", f"session={SECRET}; theme=dark", "session=…; theme=…"),
        ("set-cookie", f"__cf_bm={SECRET}; path=/; HttpOnly", "__cf_bm=…; path=/; HttpOnly"),
        ("sec-websocket-protocol", f"realtime, openai-insecure-api-key.sk-{SECRET}", None),
        ("content-type", "application/json", "application/json"),
        ("x-ratelimit-remaining-tokens", "149984", "149984"),
        ("idempotency-key", "stainless-python-retry-1", "stainless-python-retry-1"),
    ],
)
def test_each_header_with_a_secret_is_masked(name, value, shown):
    told = masks.header(name, value)
    assert SECRET not in told
    assert shown is None or told == shown


def test_the_signature_of_amazon_is_masked_in_its_parts():
    told = masks.header(
        "authorization",
        "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20261128/us-east-1/bedrock/aws4_request, "
        "SignedHeaders=host;x-amz-date, Signature=fe5f80f77d5fa3beca038a248ff027d0445342fe2855ddc963176630326f1024",
    )
    assert told == (
        "AWS4-HMAC-SHA256 Credential=AKIA…MPLE/20261128/us-east-1/bedrock/aws4_request, "
        "SignedHeaders=host;x-amz-date, Signature=…1024"
    )


def test_a_key_in_the_query_is_masked():
    assert masks.query(f"alt=sse&key=AIza{SECRET}&max=5") == "alt=sse&key=AIza%E2%80%A61234&max=5"
    assert masks.target("/v1beta/models") == "/v1beta/models"
    assert SECRET not in masks.target(f"/v1/x?api_key={SECRET}&X-Amz-Signature={SECRET}&access_token={SECRET}")


FIELDS = (
    "api_key apiKey api-key authorization authorization_token access_token client_secret private_key x-api-key secret"
)


@pytest.mark.parametrize("name", FIELDS.split())
def test_fields_of_a_body_are_masked_by_their_names(name):
    told, cut = masks.body(json.dumps({name: f"Bearer {SECRET}", "max_tokens": 5}).encode())
    assert json.loads(told) == {name: "Bearer …1234", "max_tokens": 5}
    assert not cut


def test_a_field_is_masked_in_json_that_stands_in_a_text():
    inner = json.dumps({"api_key": f'a"{SECRET}', "city": "Paris"})
    told, _ = masks.body(json.dumps({"arguments": inner}).encode())
    assert SECRET not in told
    assert json.loads(json.loads(told)["arguments"]) == {"api_key": "…1234", "city": "Paris"}


@pytest.mark.parametrize("key", KEYS)
def test_the_key_that_the_client_came_with_is_masked_wherever_it_stands(key):
    assert masks.text(f"my key is {key}, keep it", key) == f"my key is {masks.key(key)}, keep it"


@pytest.mark.parametrize(
    "secret",
    [
        "sk-proj-abcdefghijklmnopqrstuvwx",
        "AIzaSyDabcdefghijklmnopqrstuvwx1234",
        "ghp_abcdefghijklmnopqrstuvwxyz0123456789",
        "AKIAIOSFODNN7EXAMPLE",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N",
        "hf_abcdefghijklmnopqrstuv",
    ],
)
def test_what_looks_like_a_key_is_masked_in_any_text(secret):
    told = masks.text(f"use {secret} please")
    assert secret not in told
    assert told.endswith(" please")


def test_a_password_leaves_nothing_of_itself():
    assert json.loads(masks.body(b'{"password": "hunter2hunter2"}')[0]) == {"password": "…"}


def test_a_private_key_leaves_its_frame():
    told = masks.text("-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nabc\n-----END RSA PRIVATE KEY-----\nbye")
    assert told == "-----BEGIN RSA PRIVATE KEY-----…-----END RSA PRIVATE KEY-----\nbye"


@pytest.mark.parametrize(
    "text",
    ["", "How many tokens has a secret?", '{"max_tokens":100,"stop":["key"]}', "risk-averse task-oriented", "a=b&c=d"],
)
def test_what_is_no_secret_stays_as_it_is(text):
    assert masks.text(text) == text


@pytest.mark.parametrize("limit", range(30, 60))
def test_a_secret_that_a_limit_cuts_in_two_is_masked_all_the_same(limit):
    told, cut = masks.body(
        f'{{"text": "the words", "api_key": "{SECRET}", "more": "{"x" * 100}"}}'.encode(), limit=limit
    )
    assert cut
    assert len(told) <= limit
    assert SECRET[:6] not in told


@settings(derandomize=True, deadline=None)
@given(st.binary(max_size=300), st.integers(0, 400))
def test_any_bytes_can_be_shown(raw, limit):
    told, _ = masks.body(raw, limit=limit)
    assert len(told) <= limit
