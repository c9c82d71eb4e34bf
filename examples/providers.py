"""Says hello to one simulator with the SDK of every provider that is installed, and shows what each one got.

    pip install openai anthropic google-genai ollama boto3
    python examples/providers.py

Nothing but the address of each client is changed: paths, headers, streams and errors are the provider's own.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from typing import Any

QUESTION = "Why is the sky blue?"


def openai_chat(url: str) -> Iterator[str]:
    """OpenAI, chat completions."""
    from openai import OpenAI

    with OpenAI(base_url=f"{url}/v1", api_key="any") as client:
        stream = client.chat.completions.create(
            model="gpt-4o", messages=[{"role": "user", "content": QUESTION}], stream=True
        )
        yield from (chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)


def openai_responses(url: str) -> Iterator[str]:
    """OpenAI, responses."""
    from openai import OpenAI

    with OpenAI(base_url=f"{url}/v1", api_key="any") as client:
        for event in client.responses.create(model="gpt-5", input=QUESTION, stream=True):
            if event.type == "response.output_text.delta":
                yield event.delta


def azure(url: str) -> Iterator[str]:
    """Azure OpenAI, a deployment."""
    from openai import AzureOpenAI

    with AzureOpenAI(azure_endpoint=url, api_key="any", api_version="2024-10-21") as client:
        told = client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": QUESTION}])
        yield told.choices[0].message.content or ""


def claude(url: str) -> Iterator[str]:
    """Anthropic, messages."""
    from anthropic import Anthropic

    with Anthropic(base_url=url, api_key="any") as client:
        messages: Any = [{"role": "user", "content": QUESTION}]
        with client.messages.stream(model="claude-sonnet-5-5", max_tokens=1000, messages=messages) as stream:
            yield from stream.text_stream


def gemini(url: str) -> Iterator[str]:
    """Gemini, generateContent."""
    from google import genai

    client = genai.Client(api_key="any", http_options={"base_url": url})
    for chunk in client.models.generate_content_stream(model="gemini-2.5-flash", contents=QUESTION):
        yield chunk.text or ""


def ollama(url: str) -> Iterator[str]:
    """Ollama, chat."""
    from ollama import Client

    with Client(host=url) as client:
        for part in client.chat("llama3.2", [{"role": "user", "content": QUESTION}], stream=True):
            yield part.message.content or ""


def bedrock(url: str) -> Iterator[str]:
    """Amazon Bedrock, Converse."""
    import boto3

    client = boto3.client(
        "bedrock-runtime",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="any",
        aws_secret_access_key="any",
    )
    messages = [{"role": "user", "content": [{"text": QUESTION}]}]
    for event in client.converse_stream(modelId="amazon.nova-pro-v1:0", messages=messages)["stream"]:
        yield event.get("contentBlockDelta", {}).get("delta", {}).get("text", "")


PROVIDERS: tuple[Callable[[str], Iterator[str]], ...] = (
    openai_chat,
    openai_responses,
    azure,
    claude,
    gemini,
    ollama,
    bedrock,
)


def main() -> None:
    """Asks each in turn."""
    parser = argparse.ArgumentParser(description="Says hello to a simulator with every provider's SDK.")
    parser.add_argument("--url", default="http://127.0.0.1:8080", help="the simulator's root")
    options = parser.parse_args()
    for provider in PROVIDERS:
        print(f"{provider.__doc__ or ''} ".ljust(36, "-"))
        try:
            for part in provider(options.url):
                print(part, end="", flush=True)
            print("\n")
        except ImportError as missing:
            print(f"its SDK is not installed: {missing}\n")


if __name__ == "__main__":
    main()
