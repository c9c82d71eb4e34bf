"""What is secret or a person's is hidden wherever it stands, and what is not stays as it is."""

import base64
import json
import struct
import zlib
from urllib.parse import parse_qsl, quote

import planted
import pytest
from botocore.eventstream import EventStreamBuffer
from hypothesis import given, settings
from hypothesis import strategies as st

from llmsim.errors import SettingsError
from llmsim.tapes import Frame, Take
from llmsim.tapes.masking import Masker
from llmsim.tapes.masking.disguise import disguise, ours

MASKER = Masker()


def sentence(kind):
    return f"Please look at {planted.told(kind)} , it is “mine”."


def events(*deltas, wrap=lambda delta: {"choices": [{"index": 0, "delta": {"content": delta}}]}):
    return b"".join(b"data: " + json.dumps(wrap(delta)).encode() + b"\n\n" for delta in deltas)


def pieces(text, size):
    return [text[at : at + size] for at in range(0, len(text), size)]


def said(body):
    chunks = [json.loads(line[6:]) for line in body.decode().splitlines() if line.startswith("data: {")]
    return "".join(chunk["choices"][0]["delta"]["content"] for chunk in chunks)


def test_there_are_more_than_fifty_kinds():
    assert len(planted.ALL) > 100
    assert len(set(planted.ALL.values())) == len(planted.ALL)


@pytest.mark.parametrize("kind", planted.ALL)
def test_every_kind_is_hidden_in_a_text(kind):
    text = sentence(kind)
    masked = MASKER.text(text)
    assert planted.hidden(kind) not in masked
    assert len(masked) == len(text)
    assert masked.startswith("Please look at")
    assert masked.endswith(", it is “mine”.")
    assert MASKER.text(masked) == masked, "a mask is masked again"


@pytest.mark.parametrize("kind", planted.ALL)
def test_every_kind_is_hidden_in_json_and_looks_the_same_there(kind):
    masked = MASKER.text(sentence(kind))
    for plain in (True, False):  # with escapes and without
        body = json.dumps({"messages": [{"content": [{"text": sentence(kind)}]}]}, ensure_ascii=plain).encode()
        told = MASKER.body(body)
        assert len(told) == len(body)
        text = json.loads(told)["messages"][0]["content"][0]["text"]
        assert planted.hidden(kind) not in text
        assert text == masked


@pytest.mark.parametrize("kind", planted.ALL)
def test_every_kind_is_hidden_where_it_comes_in_parts(kind):
    for size in (3, 7):
        body = events(*pieces(sentence(kind), size))
        told = MASKER.body(body, stream=True)
        assert len(told) == len(body)
        assert planted.hidden(kind) not in said(told)
        assert said(told).startswith("Please look at")


@pytest.mark.parametrize("kind", planted.PERSONS)
def test_what_is_a_persons_is_hidden_in_a_query(kind):
    told = MASKER.query(f"a=1&who={quote(planted.ALL[kind])}&b=x%20y")
    assert len(told) == len(f"a=1&who={quote(planted.ALL[kind])}&b=x%20y")
    found = dict(parse_qsl(told, strict_parsing=True))
    assert planted.ALL[kind] not in found["who"]
    assert (found["a"], found["b"]) == ("1", "x y")


@pytest.mark.parametrize(
    "text",
    [
        "On 2026-11-28 at 22:10:11 it took 12.5 s, 1700000000 ms and 1,234,567 tokens (v1.2.3).",
        "https://api.openai.com/v1/chat/completions?limit=20&after=msg_123 answers 200.",
        "The password is required; the secret of success: work. Is the token count right?",
        "std::vector<int> a = {1, 2, 3}; x[::2]; 10:30:45; 127.0.0.1:8080; 0.0.0.0",
        "chatcmpl-9xYzWvUtSrQpOnMlKjIhGfEd 8f14e45f-ceea-467f-9d5b-1a2b3c4d5e6f sha256:" + "ab" * 32,
        "3.141592653589793 2.718281828459045 -0.00012345678 1e-10 100 000 000 000",
        "max_tokens: 4096, top_p=0.95, tool_choice: auto, api_key_env: OPENAI_API_KEY",
        "a@b, @decorator, user@host, f(x)=y, key=value, pass the salt, tokenizer: cl100k_base",
    ],
)
def test_what_is_no_secret_stays(text):
    assert MASKER.text(text) == text


def test_a_body_of_a_client_without_secrets_stays():
    body = {
        "model": "gpt-4o-2024-08-06",
        "messages": [{"role": "user", "content": "How many tokens?", "tool_call_id": "call_9xYzWvUtSrQpOnMlKjIhGfEd"}],
        "max_tokens": 100_000_000,
        "prompt_cache_key": "team-a",
        "seed": 1_234_567_890,
        "metadata": {"user_id": "u-1"},
        "created": 1_767_225_600,
    }
    assert json.loads(MASKER.body(json.dumps(body).encode())) == body


def test_a_picture_stays():
    data = base64.b64encode(bytes(range(256)) * 400).decode()
    body = json.dumps({"image_url": {"url": f"data:image/png;base64,{data}"}}).encode()
    assert MASKER.body(body) == body


@pytest.mark.parametrize("name", ["password", "apiKey", "x-api-key", "client_secret", "DB_PASSWORD", "accessToken"])
def test_a_field_whose_name_says_so_is_hidden_whatever_it_holds(name):
    told = json.loads(MASKER.body(json.dumps({name: "swordfish and more", "note": "swordfish"}).encode()))
    assert "swordfish" not in told[name]
    assert told["note"] == "swordfish"


def test_arguments_of_a_tool_are_json_within_json():
    arguments = json.dumps({"user": "jane", "password": "swordfish", "mail": "jane@example.com"})
    for size in (4, 400):
        body = events(
            *pieces(arguments, size),
            wrap=lambda delta: {"choices": [{"index": 0, "delta": {"tool_calls": [{"arguments": delta}]}}]},
        )
        told = MASKER.body(body, stream=True).decode()
        chunks = [json.loads(line[6:]) for line in told.splitlines() if line]
        found = "".join(one["choices"][0]["delta"]["tool_calls"][0]["arguments"] for one in chunks)
        assert json.loads(found).keys() == {"user", "password", "mail"}
        assert "swordfish" not in found
        assert "jane@" not in found


def test_two_streams_beside_each_other_are_two():
    def wrap(delta):
        index, text = delta
        return {"choices": [{"index": index, "delta": {"content": text}}]}

    body = events((0, "key sk-proj-"), (1, "and mail ja"), (0, "abcdefghijklm"), (1, "ne@example.com"), wrap=wrap)
    told = MASKER.body(body, stream=True)
    assert b"abcdefghijklm" not in told
    assert b"ne@example" not in told
    assert b"and mail" in told


def test_base64_is_looked_into():
    inside = base64.b64encode(b'{"text": "I am jane@example.com, a friend"}').decode()
    told = json.loads(MASKER.body(json.dumps({"data": inside, "text": "x"}).encode()))
    assert len(told["data"]) == len(inside)
    text = json.loads(base64.b64decode(told["data"]))["text"]
    assert text.startswith("I am ****@")
    assert text.endswith(", a friend")


@pytest.mark.parametrize("kind", ["OpenAI", "mail", "password", "private key", "Visa", "phone in the US"])
def test_in_a_long_text_it_is_hidden_wherever_it_stands(kind):
    filling = "It was a dark and stormy night. "
    for at in (32_700, 32_768, 65_530):
        text = (filling * 2100)[:at] + " " + sentence(kind) + filling * 1000
        masked = MASKER.text(text)
        assert planted.hidden(kind) not in masked
        assert masked.replace(MASKER.text(sentence(kind)), "") == text.replace(sentence(kind), "")


@pytest.mark.parametrize("cut", range(8, 40, 3))
def test_of_a_secret_that_broke_off_its_beginning_is_hidden_too(cut):
    text = "my key: sk-proj-" + "4f9aB2kLmN0pQrStUvWxYz0123456789"
    body = events(*pieces(text[: 8 + cut], 5))
    told = said(MASKER.body(body, stream=True, unfinished=True))
    assert text[16 : 8 + cut] == "" or text[16 : 8 + cut] not in told
    assert told.startswith("my key: ")


def message(payload):
    headers = b"\x0b:event-type\x07\x00\x05chunk"
    head = struct.pack(">II", 16 + len(headers) + len(payload), len(headers))
    told = head + struct.pack(">I", zlib.crc32(head)) + headers + payload
    return told + struct.pack(">I", zlib.crc32(told))


@pytest.mark.parametrize("wrapped", [True, False])
def test_amazons_event_streams_are_read_and_stay_whole(wrapped):
    """As botocore reads them, which checks every sum."""
    said = pieces("I am jane@example.com and my key is sk-proj-4f9aB2kLmN0pQrStUvWxYz, all right?", 3)
    documents = [json.dumps({"contentBlockIndex": 0, "delta": {"text": one}}).encode() for one in said]
    if wrapped:
        documents = [json.dumps({"bytes": base64.b64encode(one).decode()}).encode() for one in documents]
    body = b"".join(map(message, documents))
    told = MASKER.body(body + message(documents[0])[:20], stream=True)
    assert len(told) == len(body) + 20
    buffer = EventStreamBuffer()
    buffer.add_data(told)
    found = [json.loads(one.payload) for one in buffer]
    if wrapped:
        found = [json.loads(base64.b64decode(one["bytes"])) for one in found]
    text = "".join(one["delta"]["text"] for one in found)
    assert len(found) == len(said)
    assert text.startswith("I am ****@")
    assert text.endswith(", all right?")
    assert "4f9aB2" not in text


# -- the same everywhere


def test_the_same_secret_has_the_same_mask_and_others_have_others():
    masks = {MASKER.text(f"mail {name}.doe@example.com now") for name in ("jane", "joan", "june", "john")}
    assert len(masks) == 4
    first, again = Masker(), Masker()
    assert first.text("jane@example.com") == again.text("jane@example.com")
    assert Masker(key="mine").text("jane@example.com") != first.text("jane@example.com")


def test_a_mask_keeps_the_kind_of_a_key_and_the_form_of_an_address():
    assert MASKER.text("sk-proj-4f9aB2kLmN0pQrStUvWx").startswith("sk-proj-****")
    assert MASKER.text("jane@example.com").startswith("****@******")


@settings(deadline=None)
@given(st.text(min_size=1, max_size=60), st.booleans())
def test_any_mask_is_as_long_as_its_secret_and_stays_itself(secret, person):
    mask = disguise(secret, person=person)
    assert len(mask) == len(secret)
    if not secret.isdigit():
        assert disguise(mask, person=person) == mask
    assert ours(disguise("Tr0ub4dor"))


@settings(max_examples=60, deadline=None)
@given(st.recursive(st.text() | st.integers() | st.none(), lambda one: st.lists(one) | st.dictionaries(st.text(), one)))
def test_any_json_stays_json_as_long_as_it_was(value):
    for plain in (True, False):
        body = json.dumps(value, ensure_ascii=plain).encode("utf-8", "surrogatepass")
        told = MASKER.body(body, stream=True, unfinished=True)
        assert len(told) == len(body)
        json.loads(told.decode("utf-8", "surrogatepass"))


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200), st.sampled_from([b"", b'{"a":"', b"data: {", b'["\\ud800", "\\u00']))
def test_any_bytes_are_taken(data, start):
    assert len(MASKER.body(start + data, stream=True, unfinished=True)) == len(start + data)


# -- one's own


def test_own_patterns_are_masked_and_of_one_with_a_group_the_group():
    masker = Masker(patterns=[r"ACME-\d{4}", r"patient (\w+)"])
    told = masker.text("ACME-1234 of patient Doe")
    assert told.startswith("****")
    assert told.endswith(" of patient *w2") or told[-3] == "*"
    assert " of patient " in told
    assert "Doe" not in told


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"patterns": ["("]}, "mask pattern: /(/ is no regular expression"),
        ({"patterns": ["a*"]}, "mask pattern: /a*/ fits also where there is nothing"),
        ({"regions": ["XX"]}, "phone region: 'XX' is no country's two letters"),
    ],
)
def test_what_cannot_be_is_said(given, why):
    with pytest.raises(SettingsError) as error:
        Masker(**given)
    assert why in str(error.value)


def test_phones_of_another_country_are_known_when_it_is_named():
    text = "Ring 91 123 45 67 now"
    assert MASKER.text(text) == text
    assert "45 67" not in Masker(regions=["ES", "DK", "NO", "US", "BE", "PT"]).text("Ring 912 345 678 now")


# -- a whole take

KEY = "custom-key-0123456789"


def take(**fields):
    given = {
        "id": "1",
        "at": 0.0,
        "method": "POST",
        "path": "/v1/users/jane%40example.com",
        "query": f"key={KEY}&user=jane@example.com",
        "request_headers": (
            ("authorization", f"Bearer {KEY}"),
            ("cookie", "session=abcdefghijkl; theme=dark"),
            ("x-forwarded-for", "203.0.113.7"),
            ("openai-organization", "acme-jane"),
            ("content-type", "application/json"),
        ),
        "request_body": b'{"a":"' + KEY.encode() + b'"}',
        "status": 401,
        "headers": (("set-cookie", "__cf=abcdefghijkl; path=/; HttpOnly"), ("x-request-id", "req_1")),
        "frames": (Frame(0.1, b'{"error":"Incorrect API key: custom-k'), Frame(0.2, b'ey-0123456789"}')),
        "error": f"the upstream refused {KEY}",
        **fields,
    }
    return Take(**given)


def test_a_clients_own_key_is_hidden_wherever_it_is_told():
    line = MASKER.take(take()).line().decode()
    for secret in (KEY, "0123456789", "jane", "abcdefghijkl", "203.0.113.7", "dark"):
        assert secret not in line, secret
    for kept in ("req_1", "application/json", "path=/; HttpOnly", "Incorrect API key: *", "the upstream refused *"):
        assert kept in line


def test_frames_keep_their_moments_and_lengths():
    before, after = take(), MASKER.take(take())
    assert [(frame.at, len(frame.data)) for frame in after.frames] == [
        (frame.at, len(frame.data)) for frame in before.frames
    ]
    assert after.masked >= 9
    assert MASKER.take(after).line().replace(b'"masked":0', b"") == MASKER.take(after).line()
    again = MASKER.take(after)
    assert (again.frames, again.request_body, again.query) == (after.frames, after.request_body, after.query)


def test_an_injected_key_is_hidden_too():
    told = MASKER.take(take(request_headers=(), query="", error=""), own=(KEY,))
    assert KEY.encode() not in told.line()


def test_a_form_is_a_form():
    body = b"user=jane%40example.com&password=sword+fish&a=b"
    told = MASKER.take(
        take(request_headers=(("content-type", "application/x-www-form-urlencoded"),), request_body=body)
    ).request_body
    assert len(told) == len(body)
    assert b"jane" not in told
    assert b"fish" not in told
    assert told.endswith(b"&a=b")


def test_the_password_of_basic_authentication_is_hidden_where_it_is_told():
    login = base64.b64encode(b"jane:sword-fish-9").decode()
    told = MASKER.take(
        take(request_headers=(("authorization", f"Basic {login}"),), request_body=b"it is sword-fish-9 indeed")
    )
    assert b"sword-fish" not in told.line()
    assert login.encode() not in told.line()
