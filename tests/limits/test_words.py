"""Each provider tells its limits in its own headers and words, with right figures and waits that are enough."""

import orjson
import pytest
from support import ask_for, plan_of

from llmsim.dialects import _anthropic_wire as anthropic
from llmsim.dialects import _azure_wire as azure
from llmsim.dialects import _bedrock_wire as bedrock
from llmsim.dialects import _gemini_errors as gemini
from llmsim.dialects import _openai_wire as openai
from llmsim.exchange import Exchange
from llmsim.limits import Limit, failure
from llmsim.limits.limiter import Limiter
from llmsim.match import Subject


@pytest.fixture
def refused(clock):
    """The exchange of a request that a limit refuses, once others have been let in before it."""

    def after(asks, *limits, model="gpt-4o", **fields):
        limiter = Limiter(clock)
        standing = None
        for number, (tokens_in, tokens_out) in enumerate(asks, 1):
            ask = ask_for(model=model, number=number, **fields)
            standing = limiter.admit(Subject(ask), limits, tokens_in, tokens_out)
        exchange = Exchange(1, ask, plan_of(), 0.0, 1_700_000_000.9)
        exchange.standing = standing
        return exchange

    return after


def told_by(module, exchange, *more):
    answer = module.error_answer(failure(exchange.standing), exchange, *more)
    return {name.decode(): value.decode() for name, value in answer.headers}, orjson.loads(answer.body)["error"]


# -- OpenAI


def test_openai_names_the_limit_what_is_used_and_the_wait(refused):
    headers, error = told_by(openai, refused([(1, 1)] * 4, Limit(rpm=3)), 1)
    assert error == {
        "message": "Rate limit reached for gpt-4o in organization org-LmSim0123456789AbCdEfGhI on requests per min "
        "(RPM): Limit 3, Used 3, Requested 1. Please try again in 20s. Visit "
        "https://platform.openai.com/account/rate-limits to learn more.",
        "type": "requests",
        "param": None,
        "code": "rate_limit_exceeded",
    }
    assert (headers["retry-after"], headers["retry-after-ms"]) == ("20", "20000")
    assert headers["x-ratelimit-limit-requests"] == "3"
    assert headers["x-ratelimit-remaining-requests"] == "0"
    assert headers["x-ratelimit-reset-requests"] == "1m0s"


def test_openai_rounds_a_wait_up_to_what_is_enough(refused):
    headers, error = told_by(openai, refused([(10, 90)] * 7, Limit(tpm=700 - 7)), 1)
    assert "Limit 693, Used 600, Requested 100. Please try again in 607ms." in error["message"]
    assert (headers["retry-after"], headers["retry-after-ms"], error["type"]) == ("1", "607", "tokens")


def test_openai_tells_of_days_and_of_the_free_tier(refused):
    exchange = refused([(1, 1)] * 2, Limit(tier="openai-free", rpm=100, rpd=1), model="gpt-4o-mini", provider="openai")
    headers, error = told_by(openai, exchange, 1)
    assert "on requests per day (RPD): Limit 1, Used 1, Requested 1. Please try again in 24h0m0s." in error["message"]
    assert error["message"].endswith(
        "adding a payment method to your account at https://platform.openai.com/account/billing."
    )
    assert headers["x-ratelimit-limit-requests"] == "1"


def test_openai_says_of_a_prompt_over_the_limit_that_it_is_too_large(refused):
    headers, error = told_by(openai, refused([(30_601, 100)], Limit(tpm=30_000)), 1)
    assert error["message"].startswith("Request too large for gpt-4o in organization ")
    assert "on tokens per min (TPM): Limit 30000, Requested 30701. The input or output tokens must" in error["message"]
    assert "retry-after" not in headers


def test_openai_calls_a_spent_quota_insufficient(refused):
    headers, error = told_by(openai, refused([(1, 1)] * 2, Limit(quota_requests=1)), 1)
    assert (error["type"], error["code"], error["param"]) == ("insufficient_quota", "insufficient_quota", None)
    assert error["message"].startswith("You exceeded your current quota, please check your plan and billing details.")
    assert "retry-after" not in headers


# -- Anthropic


def test_anthropic_tells_requests_input_output_and_all_tokens(refused):
    headers, error = told_by(
        anthropic,
        refused([(300, 20), (10, 90)], Limit(rpm=60, input_tpm=1000, output_tpm=100), model="claude-sonnet-4-5"),
    )
    sorts = ("requests", "input-tokens", "output-tokens", "tokens")
    assert [headers[f"anthropic-ratelimit-{sort}-limit"] for sort in sorts] == ["60", "1000", "100", "1100"]
    assert [headers[f"anthropic-ratelimit-{sort}-remaining"] for sort in sorts] == ["59", "700", "80", "780"]
    # Whole seconds, the next one: 20.9 s past the minute and 1, 18, 12 and 18 seconds.
    ends = ["22:13:22Z", "22:13:39Z", "22:13:33Z", "22:13:39Z"]
    assert [headers[f"anthropic-ratelimit-{sort}-reset"] for sort in sorts] == [f"2023-11-14T{end}" for end in ends]
    assert headers["retry-after"] == "6"
    assert "rate limit of 100 output tokens per minute (org: " in error["message"]
    assert error["type"] == "rate_limit_error"


def test_anthropic_tells_of_connections_and_of_a_spend_limit(refused):
    headers, error = told_by(anthropic, refused([(1, 1)] * 2, Limit(concurrency=1)))
    assert error["message"].startswith("Number of concurrent connections has exceeded your rate limit.")
    assert "retry-after" not in headers
    headers, error = told_by(anthropic, refused([(1, 1)] * 2, Limit(quota_requests=1)))
    assert (error["type"], error["details"]) == ("rate_limit_error", {"error_code": "enforced_spend_limit_reached"})
    assert "retry-after" not in headers


# -- Google


@pytest.mark.parametrize(
    ("limit", "metric", "id", "value"),
    [
        (
            Limit(rpm=1),
            "generate_content_free_tier_requests",
            "GenerateRequestsPerMinutePerProjectPerModel-FreeTier",
            "1",
        ),
        (Limit(rpd=1), "generate_content_free_tier_requests", "GenerateRequestsPerDayPerProjectPerModel-FreeTier", "1"),
        (
            Limit(input_tpm=15),
            "generate_content_free_tier_input_token_count",
            "GenerateContentInputTokensPerModelPerMinute-FreeTier",
            "15",
        ),
        (
            Limit(tier="gemini-tier-1", input_tpm=15),
            "generate_content_paid_tier_input_token_count",
            "GenerateContentPaidTierInputTokensPerModelPerMinute",
            "15",
        ),
        (
            Limit(tier="gemini-tier-1", rpm=1),
            "generate_requests_per_model",
            "GenerateRequestsPerMinutePerProjectPerModel",
            "1",
        ),
    ],
)
def test_google_names_the_quota_and_when_to_retry(refused, limit, metric, id, value):
    exchange = refused([(10, 10)] * 2, limit, model="gemini-2.5-flash", provider="gemini")
    _, error = told_by(gemini, exchange)
    assert (error["code"], error["status"]) == (429, "RESOURCE_EXHAUSTED")
    details = {detail["@type"].rpartition(".")[2]: detail for detail in error["details"]}
    (violation,) = details["QuotaFailure"]["violations"]
    assert violation == {
        "quotaMetric": f"generativelanguage.googleapis.com/{metric}",
        "quotaId": id,
        "quotaDimensions": {"location": "global", "model": "gemini-2.5-flash"},
        "quotaValue": value,
    }
    wait = exchange.standing.wait
    assert float(details["RetryInfo"]["retryDelay"][:-1]) >= wait > 0
    assert details["Help"]["links"]


# -- others


def test_azure_names_the_policy_and_the_whole_seconds(refused):
    exchange = refused([(10, 90)] * 2, Limit(tpm=150))
    headers = dict(azure.headers(openai.headers(exchange, 1), exchange, None))
    assert headers[b"policy-id"] == b"DeploymentRatelimit-Token"
    assert headers[b"x-ratelimit-reset-tokens"] == b"40"
    body = azure.error_body(failure(exchange.standing), exchange, "2024-10-21")
    assert "have exceeded token rate limit" in body["error"]["message"]
    assert "Please retry after 20 seconds." in body["error"]["message"]


@pytest.mark.parametrize(
    ("limit", "message"),
    [
        (Limit(rpm=1), "Too many requests, please wait before trying again."),
        (Limit(tpm=150), "Too many tokens, please wait before trying again."),
        (Limit(tpd=150), "Too many tokens per day, please wait before trying again."),
    ],
)
def test_bedrock_throttles(refused, limit, message):
    exchange = refused([(10, 90)] * 2, limit)
    answer = bedrock.error_answer(failure(exchange.standing), exchange)
    assert (b"x-amzn-errortype", b"ThrottlingException") in answer.headers
    assert orjson.loads(answer.body) == {"message": message}
