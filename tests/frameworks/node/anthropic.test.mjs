// Anthropic's client for Node over llmsim: messages, streams, tools, thinking, counting, models, errors.
import assert from "node:assert/strict";
import { test } from "node:test";
import Anthropic from "@anthropic-ai/sdk";
import { refusing, serve, turns } from "./serving.mjs";

const url = await serve();
const client = new Anthropic({ baseURL: url, apiKey: "k", maxRetries: 0 });
const asked = { model: "claude-haiku-4-5", max_tokens: 1000, messages: [{ role: "user", content: "Hello" }] };
const input_schema = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };
const tools = [{ name: "get_weather", description: "Weather", input_schema }];

test("words", async () => {
  const told = await client.messages.create(asked);
  assert.ok(told.content[0].text);
  assert.equal(told.usage.output_tokens, 20);
  assert.equal(told.stop_reason, "end_turn");
});

test("a stream", async () => {
  const stream = client.messages.stream(asked);
  let said = "";
  stream.on("text", (delta) => (said += delta));
  const told = await stream.finalMessage();
  assert.equal(told.content[0].text, said);
  assert.equal(told.usage.output_tokens, 20);
});

for (const streamed of [false, true]) {
  test(`a tool's result is taken up${streamed ? ", streamed" : ""}`, async () => {
    const messages = [{ role: "user", content: "What is the weather in Oslo?" }];
    const given = { ...asked, messages, tools };
    const first = await (streamed ? client.messages.stream(given).finalMessage() : client.messages.create(given));
    assert.equal(first.stop_reason, "tool_use");
    const call = first.content.find((block) => block.type === "tool_use");
    messages.push({ role: "assistant", content: first.content });
    const result = { type: "tool_result", tool_use_id: call.id, content: "sunny in Oslo" };
    messages.push({ role: "user", content: [result] });
    const told = await client.messages.create(given);
    assert.ok(told.content[0].text.includes("sunny in Oslo"));
  });
}

for (const stream of [false, true]) {
  test(`the client's own loop over tools ends${stream ? ", streamed" : ""}`, async () => {
    const cities = [];
    const run = ({ city }) => (cities.push(city), `sunny in ${city}`);
    const own = { ...tools[0], type: "custom", run, parse: (value) => value };
    const messages = [{ role: "user", content: "What is the weather in Oslo?" }];
    const told = await client.beta.messages.toolRunner({ ...asked, messages, tools: [own], stream, max_iterations: 4 });
    assert.equal(cities.length, 1);
    assert.ok(told.content[0].text.includes(`sunny in ${cities[0]}`));
  });
}

test("structured output", async () => {
  const schema = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };
  const format = { type: "json_schema", schema: { ...schema, additionalProperties: false } };
  const told = await client.messages.create({ ...asked, output_config: { format } });
  assert.deepEqual(Object.keys(JSON.parse(told.content[0].text)), ["city"]);
  const streamed = await client.messages.stream({ ...asked, output_config: { format } }).finalMessage();
  assert.deepEqual(Object.keys(JSON.parse(streamed.content[0].text)), ["city"]);
});

test("a conversation goes on", async () => {
  const first = await client.messages.create(asked);
  const messages = [...asked.messages, { role: "assistant", content: first.content }, ...asked.messages];
  const second = await client.messages.create({ ...asked, messages });
  assert.ok(second.content[0].text);
  assert.ok(second.usage.input_tokens > first.usage.input_tokens);
});

for (const status of [429, 529]) {
  test(`who asks again is answered: ${status}`, async () => {
    for (const stream of [false, true]) {
      const door = await turns(status);
      const told = await new Anthropic({ baseURL: door.url, apiKey: "k" }).messages.create({ ...asked, stream });
      if (stream) for await (const _ of told);
      assert.equal(door.asked.length, 2);
    }
  });
}

test("thinking is shown and taken back", async () => {
  const given = { ...asked, max_tokens: 4096, thinking: { type: "enabled", budget_tokens: 1024 } };
  const first = await client.messages.create(given);
  assert.deepEqual(first.content.map((block) => block.type), ["thinking", "text"]);
  const messages = [...asked.messages, { role: "assistant", content: first.content }, ...asked.messages];
  assert.ok(await client.messages.create({ ...given, messages }));
});

test("tokens are counted, models listed", async () => {
  const { max_tokens, ...rest } = asked;
  assert.ok((await client.messages.countTokens(rest)).input_tokens > 0);
  const names = [];
  for await (const model of client.models.list()) names.push(model.id);
  assert.ok(names.some((name) => name.startsWith("claude-")));
});

const classes = {
  400: Anthropic.BadRequestError,
  401: Anthropic.AuthenticationError,
  403: Anthropic.PermissionDeniedError,
  404: Anthropic.NotFoundError,
  429: Anthropic.RateLimitError,
  529: Anthropic.InternalServerError,
};

for (const [status, error] of Object.entries(classes)) {
  test(`errors by class: ${status}`, async () => {
    const one = new Anthropic({ baseURL: await refusing(Number(status)), apiKey: "k", maxRetries: 0 });
    for (const stream of [false, true]) {
      await assert.rejects(one.messages.create({ ...asked, stream }), (raised) => {
        assert.ok(raised instanceof error);
        assert.match(raised.message, /Not today/);
        return true;
      });
    }
  });
}
