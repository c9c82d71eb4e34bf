// k6 against llmsim, or any server that speaks OpenAI's API.
//
//     llmsim serve --latency-profile gpt4o --rpm 600
//     k6 run examples/load/k6.js
//     k6 run -e BASE=http://127.0.0.1:8080 -e RATE=50 examples/load/k6.js
//
// k6 reads an answer whole, also a stream: http_req_waiting is the time to its first byte, http_req_duration to its last.
// `tokens` and `ms_per_token` come from the events themselves.
import http from "k6/http";
import { check } from "k6";
import { Counter, Trend } from "k6/metrics";

const base = __ENV.BASE || "http://127.0.0.1:8080";
const tokens = new Counter("tokens");
const pace = new Trend("ms_per_token", true);
const limited = new Counter("limited");

export const options = {
  scenarios: {
    streams: {
      executor: "constant-arrival-rate",
      rate: Number(__ENV.RATE || 10),
      timeUnit: "1s",
      duration: __ENV.DURATION || "30s",
      preAllocatedVUs: 100,
      maxVUs: 1000,
    },
  },
  thresholds: { checks: ["rate>0.99"], http_req_waiting: ["p(95)<2000"] },
};

export default function () {
  const body = JSON.stringify({
    model: "gpt-4o",
    stream: true,
    max_tokens: 60,
    messages: [{ role: "user", content: "Tell me about the sea." }],
  });
  const answer = http.post(`${base}/v1/chat/completions`, body, {
    headers: { "content-type": "application/json", authorization: "Bearer load" },
    timeout: "120s",
  });
  if (answer.status === 429) {
    limited.add(1);
    check(answer, { "429 says when to come again": (one) => Number(one.headers["Retry-After"]) > 0 });
    return;
  }
  const spoken = answer.body.split("\n").filter((line) => line.includes('"content":"') && !line.includes('"content":""'));
  tokens.add(spoken.length);
  pace.add(answer.timings.receiving / Math.max(1, spoken.length - 1));
  check(answer, {
    "status is 200": (one) => one.status === 200,
    "the stream came to its end": (one) => one.body.trimEnd().endsWith("data: [DONE]"),
  });
}
