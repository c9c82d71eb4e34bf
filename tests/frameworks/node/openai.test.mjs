// OpenAI's client for Node over llmsim: chat, streams, Responses, tools, structured output, embeddings, files, Azure.
import assert from "node:assert/strict";
import { test } from "node:test";
import OpenAI, { AzureOpenAI, toFile } from "openai";
import { zodResponseFormat, zodTextFormat } from "openai/helpers/zod";
import { z } from "zod";
import { refusing, serve, turns } from "./serving.mjs";

const url = await serve();
const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: "k", maxRetries: 0 });
const azure = new AzureOpenAI({ endpoint: url, apiKey: "k", apiVersion: "2025-04-01-preview", maxRetries: 0 });
const hello = [{ role: "user", content: "Hello" }];
const weather = z.object({ city: z.string(), degrees: z.number() });
const schema = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };
const tools = [{ type: "function", function: { name: "get_weather", description: "Weather", parameters: schema } }];

for (const [name, one] of Object.entries({ openai: client, azure })) {
  test(`${name}: words`, async () => {
    const told = await one.chat.completions.create({ model: "gpt-4o", messages: hello });
    assert.ok(told.choices[0].message.content);
    assert.equal(told.usage.completion_tokens, 20);
  });

  test(`${name}: a stream`, async () => {
    const stream = await one.chat.completions.create({
      model: "gpt-4o",
      messages: hello,
      stream: true,
      stream_options: { include_usage: true },
    });
    let said = "";
    let usage;
    for await (const chunk of stream) {
      said += chunk.choices[0]?.delta?.content ?? "";
      usage = chunk.usage ?? usage;
    }
    assert.ok(said);
    assert.equal(usage.completion_tokens, 20);
  });

  test(`${name}: a stream that the client gathers`, async () => {
    const stream = one.chat.completions.stream({ model: "gpt-4o", messages: hello });
    let said = "";
    stream.on("content", (delta) => (said += delta));
    const told = await stream.finalChatCompletion();
    assert.equal(told.choices[0].message.content, said);
  });

  for (const streamed of [false, true]) {
    test(`${name}: the client's own loop over tools ends${streamed ? ", streamed" : ""}`, async () => {
      const cities = [];
      const run = (city) => (cities.push(city.city), `sunny in ${city.city}`);
      const own = { ...tools[0].function, function: run, parse: JSON.parse };
      const runner = one.chat.completions.runTools({
        model: "gpt-4o",
        messages: [{ role: "user", content: "What is the weather in Oslo?" }],
        tools: [{ type: "function", function: own }],
        stream: streamed,
      });
      const said = await runner.finalContent();
      assert.equal(cities.length, 1);
      assert.ok(said.includes(`sunny in ${cities[0]}`));
    });
  }

  test(`${name}: structured output`, async () => {
    const told = await one.chat.completions.parse({
      model: "gpt-4o",
      messages: hello,
      response_format: zodResponseFormat(weather, "weather"),
    });
    assert.ok(weather.safeParse(told.choices[0].message.parsed).success);
  });

  test(`${name}: embeddings`, async () => {
    const told = await one.embeddings.create({ model: "text-embedding-3-small", input: ["a", "b"], dimensions: 8 });
    assert.deepEqual(told.data.map((item) => item.embedding.length), [8, 8]);
  });

  test(`${name}: responses are kept`, async () => {
    const told = await one.responses.create({ model: "gpt-4o", input: "Hello" });
    assert.ok(told.output_text);
    assert.equal((await one.responses.retrieve(told.id)).output_text, told.output_text);
    const next = await one.responses.create({ model: "gpt-4o", input: "And?", previous_response_id: told.id });
    assert.ok(next.usage.input_tokens > told.usage.input_tokens);
  });

  test(`${name}: responses stream`, async () => {
    const stream = one.responses.stream({ model: "gpt-4o", input: "Hello" });
    let said = "";
    stream.on("response.output_text.delta", (event) => (said += event.delta));
    const told = await stream.finalResponse();
    assert.equal(told.output_text, said);
    assert.equal(told.status, "completed");
  });

  test(`${name}: responses call tools and take up their results`, async () => {
    const own = [{ type: "function", name: "get_weather", parameters: schema, strict: false }];
    const input = [{ role: "user", content: "What is the weather in Oslo?" }];
    const asked = await one.responses.create({ model: "gpt-4o", input, tools: own });
    const call = asked.output.find((item) => item.type === "function_call");
    input.push(...asked.output, { type: "function_call_output", call_id: call.call_id, output: "sunny in Oslo" });
    const told = await one.responses.create({ model: "gpt-4o", input, tools: own });
    assert.ok(told.output_text.includes("sunny in Oslo"));
  });

  test(`${name}: a streamed loop over responses ends`, async () => {
    const own = [{ type: "function", name: "get_weather", parameters: schema, strict: false }];
    const input = [{ role: "user", content: "What is the weather in Oslo?" }];
    let told;
    for (let turn = 0; turn < 4; turn++) {
      told = await one.responses.stream({ model: "gpt-4o", input, tools: own }).finalResponse();
      const calls = told.output.filter((item) => item.type === "function_call");
      if (!calls.length) break;
      input.push(...told.output);
      for (const call of calls) input.push({ type: "function_call_output", call_id: call.call_id, output: "sunny" });
    }
    assert.equal(input.length, 3);
    assert.match(told.output_text, /sunny/);
    assert.ok(told.usage.output_tokens > 0);
  });

  test(`${name}: a conversation goes on`, async () => {
    const first = await one.chat.completions.create({ model: "gpt-4o", messages: hello });
    const messages = [...hello, first.choices[0].message, { role: "user", content: "And?" }];
    const second = await one.chat.completions.create({ model: "gpt-4o", messages });
    assert.ok(second.choices[0].message.content);
    assert.ok(second.usage.prompt_tokens > first.usage.prompt_tokens);
  });

  test(`${name}: responses have structured output`, async () => {
    const format = zodTextFormat(weather, "weather");
    const told = await one.responses.parse({ model: "gpt-4o", input: "Hello", text: { format } });
    assert.ok(weather.safeParse(told.output_parsed).success);
  });

  test(`${name}: files`, async () => {
    const file = await one.files.create({ file: await toFile(Buffer.from("{}\n"), "a.jsonl"), purpose: "batch" });
    assert.equal(await (await one.files.content(file.id)).text(), "{}\n");
    assert.ok((await one.files.delete(file.id)).deleted);
  });

  test(`${name}: models`, async () => {
    const names = [];
    for await (const model of one.models.list()) names.push(model.id);
    assert.ok(names.includes("gpt-4o"));
  });
}

test("images", async () => {
  const told = await client.images.generate({ model: "gpt-image-1", prompt: "a cat" });
  assert.ok(told.data[0].b64_json);
});

const classes = {
  400: OpenAI.BadRequestError,
  401: OpenAI.AuthenticationError,
  403: OpenAI.PermissionDeniedError,
  404: OpenAI.NotFoundError,
  429: OpenAI.RateLimitError,
  500: OpenAI.InternalServerError,
  503: OpenAI.InternalServerError,
};

for (const [status, error] of Object.entries(classes)) {
  test(`errors by class: ${status}`, async () => {
    const root = await refusing(Number(status));
    const given = { apiKey: "k", maxRetries: 0 };
    const clients = [
      new OpenAI({ baseURL: `${root}/v1`, ...given }),
      new AzureOpenAI({ endpoint: root, apiVersion: "2024-10-21", ...given }),
    ];
    for (const one of clients) {
      for (const stream of [false, true]) {
        await assert.rejects(one.chat.completions.create({ model: "gpt-4o", messages: hello, stream }), (raised) => {
          assert.ok(raised instanceof error);
          assert.match(raised.message, /Not today/);
          return true;
        });
      }
    }
  });
}

for (const status of [429, 503]) {
  test(`who asks again is answered: ${status}`, async () => {
    for (const stream of [false, true]) {
      for (const ask of [
        (one) => one.chat.completions.create({ model: "gpt-4o", messages: hello, stream }),
        (one) => one.responses.create({ model: "gpt-4o", input: "Hello", stream }),
      ]) {
        const door = await turns(status);
        const told = await ask(new OpenAI({ baseURL: `${door.url}/v1`, apiKey: "k" }));
        if (stream) for await (const _ of told);
        assert.equal(door.asked.length, 2);
      }
    }
  });
}

test("what went wrong is told by field", async () => {
  await assert.rejects(client.chat.completions.create({ model: "gpt-4o", messages: hello, temperature: 9 }), {
    param: "temperature",
    code: "decimal_above_max_value",
    type: "invalid_request_error",
  });
});
