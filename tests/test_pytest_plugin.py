"""The fixture `llmsim`, with the official clients; the plugin in runs of pytest of its own; the page about both."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import textwrap
from collections import Counter
from pathlib import Path

import anthropic
import ollama
import openai
import pytest
from google import genai

pytest_plugins = ["pytester"]

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "pytest.md").read_text()
INI = """
[pytest]
asyncio_mode = auto
asyncio_default_fixture_loop_scope = function
filterwarnings = error
addopts = -p no:cacheprovider --strict-markers
"""
# What happens to be installed here, too, and takes seconds to load; and this run's own coverage.
OTHERS = [f"-pno:{name}" for name in ("anyio", "hypothesispytest", "platformdirs", "pytest_cov", "schemathesis")]
HELLO = [{"role": "user", "content": "Hello"}]


@pytest.fixture
def apart(pytester):
    """Runs files in a pytest of their own, warnings being errors there, too."""
    pytester.makeini(INI)

    def run(*options, **files):
        pytester.makepyfile(**files)
        return pytester.runpytest_subprocess(*OTHERS, *options)

    return run


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    """How many tests of each file of FILES had each outcome in a run of them all, and what that run printed."""
    folder = tmp_path_factory.mktemp("apart")
    (folder / "pytest.ini").write_text(INI)
    for name, code in FILES.items():
        (folder / f"test_{name}.py").write_text(textwrap.dedent(code))
    words = [sys.executable, "-m", "pytest", *OTHERS, "-pno:xdist", "-rA", *(f"test_{name}.py" for name in FILES)]
    printed = subprocess.run(words, cwd=folder, capture_output=True, text=True).stdout
    print(printed)  # pytest shows it where a test fails
    told = re.findall(r"^(PASSED|FAILED|ERROR) test_(\w+)\.py::", printed, re.MULTILINE)
    return {name: Counter(outcome for outcome, file in told if file == name) for name in FILES}, printed


# -- the clients find their way


def test_openai(llmsim):
    llmsim.mock("text:hello", "Hi.")
    with openai.OpenAI() as client:
        assert client.chat.completions.create(model="gpt-4o", messages=HELLO).choices[0].message.content == "Hi."
        assert client.responses.create(model="gpt-4o", input="Hello").output_text == "Hi."
    assert [one.api for one in llmsim.requests] == ["openai_chat", "openai_responses"]


async def test_openai_async_and_streamed(llmsim):
    llmsim.mock("stream:true", "Bit by bit.")
    async with openai.AsyncOpenAI() as client:
        stream = await client.chat.completions.create(model="gpt-4o", messages=HELLO, stream=True)
        told = [chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices]
    assert "".join(told) == "Bit by bit."
    assert llmsim.requests[0].reply == "Bit by bit."


def test_azure(llmsim):
    with openai.AzureOpenAI(api_version="2024-10-21") as client:
        client.chat.completions.create(model="gpt-4o", messages=HELLO)
    assert llmsim.requests[0].provider == "azure"


def test_anthropic(llmsim):
    llmsim.mock("model:claude*", "Hi.")
    with anthropic.Anthropic() as client:
        reply = client.messages.create(model="claude-opus-5-5", max_tokens=50, messages=HELLO)
    assert reply.content[0].text == "Hi."
    assert llmsim.requests[0].key == "sk-ant-llmsim"


async def test_anthropic_async(llmsim):
    llmsim.fail(529, times=1, retry_after=0.01)
    async with anthropic.AsyncAnthropic() as client:
        await client.messages.create(model="claude-opus-5-5", max_tokens=50, messages=HELLO)
    assert [one.status for one in llmsim.requests] == [529, 200]


def test_google(llmsim):
    llmsim.mock("provider:gemini", "Hi.")
    with genai.Client() as client:
        assert client.models.generate_content(model="gemini-2.5-flash", contents="Hello").text == "Hi."


async def test_google_async(llmsim):
    llmsim.mock("provider:gemini", "Hi.")
    async with genai.Client().aio as client:
        assert (await client.models.generate_content(model="gemini-2.5-flash", contents="Hello")).text == "Hi."


def test_ollama(llmsim):
    llmsim.mock("provider:ollama", "Hi.")
    client = ollama.Client()
    assert client.chat(model="llama3.2", messages=HELLO).message.content == "Hi."
    client._client.close()


def test_bedrock(llmsim, monkeypatch):
    boto3 = pytest.importorskip("boto3")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "any")
    client = boto3.client("bedrock-runtime", region_name="us-east-1")
    client.converse(modelId="amazon.nova-lite-v1:0", messages=[{"role": "user", "content": [{"text": "Hello"}]}])
    client.close()
    assert llmsim.requests[0].provider == "bedrock"


def test_anthropic_on_bedrock_and_vertex(llmsim):
    llmsim.mock("model:*claude*", "Hi.")
    asked = {"max_tokens": 50, "messages": HELLO}
    with anthropic.AnthropicBedrock(aws_access_key="a", aws_secret_key="b", aws_region="us-east-1") as client:
        reply = client.messages.create(model="anthropic.claude-sonnet-4-5-20250929-v1:0", **asked)
        assert reply.content[0].text == "Hi."
    with anthropic.AnthropicVertex(project_id="p", region="us-east5", access_token="t") as client:
        assert client.messages.create(model="claude-sonnet-4-5@20250929", **asked).content[0].text == "Hi."


# -- the environment and the marker


ENVIRONMENT = """
    import os, pytest
    BEFORE = dict(os.environ, ANTHROPIC_AUTH_TOKEN="real", OPENAI_API_KEY="real", HTTP_PROXY="http://127.0.0.1:9")
    os.environ.update(BEFORE)

    def test_within(llmsim):
        assert os.environ["OPENAI_BASE_URL"] == llmsim.openai_url != BEFORE.get("OPENAI_BASE_URL")
        assert os.environ["OPENAI_API_KEY"] == "sk-llmsim" and "ANTHROPIC_AUTH_TOKEN" not in os.environ
        assert "127.0.0.1" in os.environ["NO_PROXY"]
        assert llmsim.env.items() <= os.environ.items()

    def test_after():
        now = {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"}
        assert now == {name: value for name, value in BEFORE.items() if name != "PYTEST_CURRENT_TEST"}
"""


def test_the_environment_is_as_it_was_after_the_test(outcomes):
    assert outcomes[0]["environment"] == {"PASSED": 2}


@pytest.mark.llmsim(generator="fixed:marked", target_tokens=5)
class TestMarked:
    def test_the_marker_alone_brings_the_fixture(self):
        assert "llmsim" not in self.test_the_marker_alone_brings_the_fixture.__code__.co_varnames
        with openai.OpenAI() as client:
            reply = client.chat.completions.create(model="gpt-4o", messages=HELLO)
        assert reply.choices[0].message.content == "marked"

    @pytest.mark.llmsim(target_tokens=7)
    def test_a_nearer_marker_goes_before_one_farther_away(self, llmsim):
        assert llmsim.simulator.settings.target_tokens == 7
        assert llmsim.simulator.settings.generator == "fixed:marked"


TOUCHED = """
    import httpx, pytest

    @pytest.mark.parametrize("turn", range(4))
    def test_nothing_is_left_of_another_test(llmsim, turn):
        assert llmsim.requests == [] and not llmsim.simulator.settings.faults and not llmsim.simulator.settings.mocks
        assert llmsim.simulator.settings.target_tokens == 100 and len(llmsim.simulator.store) == 0
        rule = llmsim.mock("text:hello", ["first", "second"], name="mine", times=1)
        llmsim.fail(500, when="text:never")
        llmsim.change(target_tokens=3, rpm=2)
        asked = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hello"}], "store": True}
        reply = httpx.post(f"{llmsim.openai_url}/chat/completions", json=asked).json()
        assert reply["choices"][0]["message"]["content"] == "first" and rule.hits == 1
        llmsim.verify("text:hello", times=1)
"""


def test_tests_are_apart_from_each_other(outcomes):
    assert outcomes[0]["touched"] == {"PASSED": 4}


def test_workers_are_apart_from_each_other(apart):
    files = {f"test_{name}": TOUCHED for name in ("one", "two")}
    apart("-n", "2", "-p", "xdist", **files).assert_outcomes(passed=8)


IMPORTED = """
    import llmsim.faults.cut

    def test_it():
        assert "pytest" not in type(llmsim.faults.cut.__loader__).__module__
"""


def test_its_modules_are_imported_as_they_are(outcomes):
    assert outcomes[0]["imported"] == {"PASSED": 1}


# -- how it fails


FAILED = """
    import openai, pytest

    def test_it(llmsim):
        with openai.OpenAI() as client:
            client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "Hello"}])
        llmsim.verify("text:refund")

    @pytest.mark.llmsim(12)
    def test_positional(): pass

    @pytest.mark.llmsim(target_token=12)
    def test_misspelt(): pass
"""


def test_a_failed_test_tells_what_was_seen(outcomes):
    told, printed = outcomes
    assert told["failed"] == {"FAILED": 1, "ERROR": 2}
    pytest.LineMatcher(printed.splitlines()).fnmatch_lines_random(
        [
            "*AssertionError: expected at least 1 request with text:refund, saw none; the nearest was #1: *",
            "*Requests that llmsim saw*",
            "<#1 gpt-4o 'Hello' -> 200 *",
            "*the marker llmsim takes settings by their names: 12 has none*",
            "*target_token: there is no such setting; there are *",
        ]
    )


def test_the_plugin_can_be_left_out(apart):
    result = apart("-p", "no:llmsim", test_it="def test_it(llmsim): pass")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*fixture 'llmsim' not found*"])


def test_a_run_that_does_not_ask_for_it_pays_nothing():
    code = "import sys, llmsim.pytest_plugin; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT).stdout
    assert not {"llmsim.testing", "pydantic", "uvicorn", "orjson", "asyncio"} & set(loaded.split())


# -- the page and the example

BLOCKS = re.findall(r"```python (test|script)\n(.*?)```", PAGE, re.DOTALL)
TESTS = [code for kind, code in BLOCKS if kind == "test"]


def test_every_test_on_the_page_passes(outcomes):
    assert len(TESTS) == PAGE.count("```python test")
    for place, code in enumerate(TESTS):
        assert outcomes[0][f"page_{place}"] == {"PASSED": code.count("def test_")}


@pytest.mark.parametrize("code", [code for kind, code in BLOCKS if kind == "script"])
def test_every_script_on_the_page_runs(code):
    exec(code, {})


def test_there_is_no_other_code_on_the_page():
    assert len(BLOCKS) == PAGE.count("```python")


def test_every_variable_is_in_the_table(llmsim):
    from llmsim.testing.environment import ABSENT

    assert all(f"`{name}`" in PAGE for name in (*llmsim.env, *ABSENT) if name.upper() != "NO_PROXY")
    assert os.environ["OLLAMA_HOST"] == llmsim.url


def test_the_example_passes(outcomes):
    assert outcomes[0]["example"] == {"PASSED": 6}


FILES = {  # in the order of their turns
    "failed": FAILED,
    "environment": ENVIRONMENT,
    "touched": TOUCHED,
    "imported": IMPORTED,
    **{f"page_{place}": code for place, code in enumerate(TESTS)},
    "example": (ROOT / "examples" / "test_my_app.py").read_text(),
}
