"""Every request finds the API that it is for, and the key that it needs."""

import pytest

from llmsim.dialects import Request
from llmsim.errors import SettingsError
from llmsim.server.desk import ServerDesk
from llmsim.server.record import hops
from llmsim.server.record.options import Recording, upstream
from llmsim.server.record.upstreams import Chooser, Upstream
from llmsim.settings import Settings
from llmsim.simulator import Simulator

THREE = ("openai", "anthropic", "gemini")


@pytest.fixture(scope="module")
def routes():
    return ServerDesk(Simulator(Settings())).routes


def way(routes, names, method, path, default="", **headers):
    upstreams = {name: Upstream(name, f"http://{name}") for name in names}
    told = {name.replace("_", "-").encode(): value.encode() for name, value in headers.items()}
    return Chooser(routes, upstreams, default).way(Request(method, path, headers=told), path)


@pytest.mark.parametrize(
    ("method", "path", "name", "below", "dialect"),
    [
        ("POST", "/v1/chat/completions", "openai", None, "openai_chat"),
        ("POST", "/v1/responses", "openai", None, "openai_responses"),
        ("POST", "/v1/messages", "anthropic", None, "anthropic_messages"),
        ("POST", "/v1beta/models/gemini-2.5-pro:streamGenerateContent", "gemini", None, "gemini"),
        ("POST", "/v1beta/openai/chat/completions", "gemini", None, "gemini_openai"),
        ("POST", "/anthropic/v1/messages", "anthropic", "/v1/messages", "anthropic_messages"),
        ("POST", "/openai/v1/chat/completions", "openai", "/v1/chat/completions", "openai_chat"),
        ("POST", "/gemini/v1beta/models/x:generateContent", "gemini", "/v1beta/models/x:generateContent", "gemini"),
        ("GET", "/anthropic", "anthropic", "/", ""),
        ("GET", "/anthropic/never/heard/of", "anthropic", "/never/heard/of", ""),
        ("GET", "/never/heard/of", "openai", None, ""),
    ],
)
def test_a_path_says_whose_it_is(routes, method, path, name, below, dialect):
    found = way(routes, THREE, method, path)
    assert found.upstream.name == name
    assert found.path == (below or path)
    assert (found.dialect.kind if found.known else "") == dialect


def test_headers_say_whose_it_is_where_the_path_does_not(routes):
    assert way(routes, THREE, "GET", "/v1/models").upstream.name == "openai"
    assert way(routes, THREE, "GET", "/v1/models", anthropic_version="2023-06-01").upstream.name == "anthropic"
    assert way(routes, THREE, "GET", "/v1/new/thing", anthropic_version="2023-06-01").upstream.name == "anthropic"


def test_one_upstream_has_all_and_a_default_has_the_rest(routes):
    assert way(routes, ("litellm",), "POST", "/v1/messages").upstream.name == "litellm"
    assert way(routes, ("openai", "litellm"), "POST", "/v1/messages", default="litellm").upstream.name == "litellm"
    assert way(routes, ("openai", "litellm"), "GET", "/never", default="litellm").upstream.name == "litellm"
    assert way(routes, ("openai", "gemini"), "POST", "/v1/messages").upstream is None


def test_azures_own_path_is_not_a_mounted_one(routes):
    path = "/openai/deployments/mine/chat/completions"
    assert way(routes, ("openai", "azure"), "POST", path).path == path
    assert way(routes, ("openai", "azure"), "POST", path).upstream.name == "azure"


@pytest.mark.parametrize(
    ("url", "path", "target"),
    [
        ("http://a", "/v1/models", "/v1/models"),
        ("http://a/", "/v1/models", "/v1/models"),
        ("http://a/v1", "/v1/models", "/v1/models"),
        ("http://a/proxy/openai/", "/v1/models", "/proxy/openai/v1/models"),
        ("http://a/v1", "/v1beta/models", "/v1/v1beta/models"),
    ],
)
def test_a_path_stands_below_the_address(url, path, target):
    assert Upstream("a", url).target(path) == target


@pytest.mark.parametrize(
    ("name", "headers", "credited"),
    [
        ("openai", [], (b"authorization", b"Bearer KEY")),
        ("anthropic", [], (b"x-api-key", b"KEY")),
        ("gemini", [], (b"x-goog-api-key", b"KEY")),
        ("gemini", [(b"authorization", b"Bearer old")], (b"authorization", b"Bearer KEY")),
        ("anthropic", [(b"authorization", b"Bearer old")], (b"authorization", b"Bearer KEY")),
    ],
)
def test_a_key_stands_where_the_client_had_its_own_or_where_it_belongs(name, headers, credited):
    told, query = Upstream(name, "http://a", "KEY").credited([(b"a", b"b"), *headers], "key=old&alt=sse")
    assert told == [(b"a", b"b"), credited]
    assert query == "alt=sse"


def test_without_a_key_of_ours_the_clients_goes_on():
    headers = [(b"authorization", b"Bearer mine")]
    assert Upstream("openai", "http://a").credited(headers, "key=mine") == (headers, "key=mine")


def test_headers_of_one_connection_stay_there():
    up = hops.upwards(
        [(b"Host", b"h"), (b"Connection", b"x-a, close"), (b"X-A", b"1"), (b"accept", b"*/*")], (b"gzip",)
    )
    assert up == [(b"accept", b"*/*")]
    down = [(b"Transfer-Encoding", b"chunked"), (b"content-length", b"5"), (b"Date", b"now"), (b"Via", b"1.1 x")]
    assert hops.downwards(down) == [(b"via", b"1.1 x")]


@pytest.mark.parametrize(
    ("asked", "passed"),
    [(b"gzip, deflate, br, zstd", b"gzip, deflate"), (b"br", b"identity"), (b"gzip;q=0.5", b"gzip;q=0.5")],
)
def test_only_codings_that_can_be_read_are_asked_for(asked, passed):
    assert hops.upwards([(b"accept-encoding", asked)], (b"gzip", b"deflate")) == [(b"accept-encoding", passed)]


# -- what is given


def test_an_api_whose_address_is_known_needs_none():
    assert upstream("anthropic") == ("anthropic", "https://api.anthropic.com")
    assert upstream("a=http://b/c=d") == ("a", "http://b/c=d")
    with pytest.raises(SettingsError, match="--upstream: 'vllm' has no address"):
        upstream("vllm")


def test_an_address_that_is_known_may_be_empty():
    options = Recording.of({"tape": "t", "upstreams": {"openai": "", "vllm": "http://a"}})
    assert options.upstreams == {"openai": "https://api.openai.com", "vllm": "http://a"}


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ({"tape": "t"}, "upstreams"),
        ({"tape": "t", "upstreams": {"vllm": ""}}, "vllm: '' is no address"),
        ({"tape": "t", "upstreams": {}}, "there must be an upstream"),
        ({"tape": "", "upstreams": {"a": "http://b"}}, "tape: "),
        ({"tape": "t", "upstreams": {"A b": "http://b"}}, "'A b' is no name"),
        ({"tape": "t", "upstreams": {"a": "ftp://b"}}, "a: 'ftp://b' is no address"),
        ({"tape": "t", "upstreams": {"a": "http://u:p@b"}}, "a: an address has no query, no fragment and no login"),
        ({"tape": "t", "upstreams": {"a": "http://b"}, "default": "c"}, "there is no upstream 'c'; there are a"),
        ({"tape": "t", "upstreams": {"a": "http://b"}, "inject_keys": "yes"}, "inject_keys"),
        ({"tape": "t", "upstreams": {"a": "http://b"}, "speed": 1}, "speed"),
    ],
)
def test_what_cannot_be_is_said(told, why):
    with pytest.raises(SettingsError) as error:
        Recording.of(told)
    assert why in str(error.value)


def test_a_key_that_is_not_there_is_said(monkeypatch):
    for name in ("GEMINI_API_KEY", "GOOGLE_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    options = Recording.of({"tape": "t", "upstreams": {"gemini": "http://a"}, "inject_keys": "env"})
    with pytest.raises(SettingsError, match="the environment has no GEMINI_API_KEY or GOOGLE_API_KEY for the upstream"):
        options.made()
