"""Locust against llmsim, or any server that speaks OpenAI's API: streams, with the time to the first token as a figure.

    llmsim serve --latency-profile gpt4o --rpm 600
    pip install locust
    locust -f examples/load/locustfile.py --headless --users 50 --spawn-rate 10 --run-time 30s --host http://127.0.0.1:8080

Locust times whole requests; `ttft` and `tokens/s` are added here as requests of their own, in milliseconds and tokens.
"""

from __future__ import annotations

import json
import time

from locust import HttpUser, constant_pacing, task


class Reader(HttpUser):
    """Asks for a stream every two seconds and reads it to its end."""

    wait_time = constant_pacing(2)

    @task
    def stream(self) -> None:
        """One streamed chat completion."""
        body = {
            "model": "gpt-4o",
            "stream": True,
            "max_tokens": 60,
            "messages": [{"role": "user", "content": "Tell me about the sea."}],
        }
        began = time.perf_counter()
        with self.client.post(
            "/v1/chat/completions",
            json=body,
            headers={"authorization": "Bearer load"},
            name="chat",
            stream=True,
            catch_response=True,
        ) as answer:
            if answer.status_code == 429:
                answer.success()  # asked for by --rpm; it has its own line
                self._tell("429", 0.0, 0)
                return
            self._read(answer, began)

    def _read(self, answer, began: float) -> None:
        first, tokens, ended = 0.0, 0, False
        for raw in answer.iter_lines():
            line = raw.decode() if isinstance(raw, bytes) else raw
            if line == "data: [DONE]":
                ended = True
            elif line.startswith("data: "):
                choices = json.loads(line[6:]).get("choices")
                if choices and choices[0]["delta"].get("content"):
                    tokens += 1
                    first = first or time.perf_counter()
        if not ended:
            answer.failure("the stream broke off")
            return
        answer.success()
        self._tell("ttft", (first - began) * 1000, 0)
        self._tell("tokens/s", tokens / max(time.perf_counter() - first, 1e-6), tokens)

    def _tell(self, name: str, value: float, length: int) -> None:
        self.environment.events.request.fire(
            request_type="LLM", name=name, response_time=value, response_length=length, exception=None, context={}
        )
