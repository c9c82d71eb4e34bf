// Google's client for Node over llmsim: content, streams, chats, functions, schemas, thoughts, embeddings, errors.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ApiError, GoogleGenAI } from "@google/genai";
import { refusing, serve, turns } from "./serving.mjs";

const make = (root) => new GoogleGenAI({ apiKey: "k", httpOptions: { baseUrl: root } });
const client = make(await serve());
const model = "gemini-2.5-flash-lite";
const parametersJsonSchema = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };
const tools = [{ functionDeclarations: [{ name: "get_weather", description: "Weather", parametersJsonSchema }] }];

test("words", async () => {
  const told = await client.models.generateContent({ model, contents: "Hello" });
  assert.ok(told.text);
  assert.equal(told.usageMetadata.candidatesTokenCount, 20);
});

test("a stream", async () => {
  let said = "";
  let last;
  for await (const chunk of await client.models.generateContentStream({ model, contents: "Hello" })) {
    said += chunk.text ?? "";
    last = chunk;
  }
  assert.ok(said);
  assert.equal(last.usageMetadata.candidatesTokenCount, 20);
  assert.equal(last.candidates[0].finishReason, "STOP");
});

test("a chat goes on", async () => {
  const chat = client.chats.create({ model });
  const first = await chat.sendMessage({ message: "Hello" });
  let said = "";
  for await (const chunk of await chat.sendMessageStream({ message: "And?" })) said += chunk.text ?? "";
  assert.ok(first.text);
  assert.ok(said);
  assert.ok(chat.getHistory().length >= 4); // a streamed turn is kept in its parts
});

for (const streamed of [false, true]) {
  test(`a function's result is taken up${streamed ? ", streamed" : ""}`, async () => {
    const contents = [{ role: "user", parts: [{ text: "What is the weather in Oslo?" }] }];
    let first;
    if (streamed) {
      for await (const chunk of await client.models.generateContentStream({ model, contents, config: { tools } }))
        first = chunk.functionCalls ? chunk : first;
    } else {
      first = await client.models.generateContent({ model, contents, config: { tools } });
    }
    const [call] = first.functionCalls;
    const response = { output: "sunny in Oslo" };
    contents.push(first.candidates[0].content);
    contents.push({ role: "user", parts: [{ functionResponse: { id: call.id, name: call.name, response } }] });
    const told = await client.models.generateContent({ model, contents, config: { tools } });
    assert.ok(told.text.includes("sunny in Oslo"));
  });
}

for (const streamed of [false, true]) {
  test(`the client's own loop over functions ends${streamed ? ", streamed" : ""}`, async () => {
    const cities = [];
    const own = {
      tool: async () => tools[0],
      callTool: async (calls) =>
        calls.map(({ id, name, args }) => {
          cities.push(args.city);
          return { functionResponse: { id, name, response: { output: `sunny in ${args.city}` } } };
        }),
    };
    const given = { model, contents: "What is the weather in Oslo?", config: { tools: [own] } };
    let said = "";
    if (streamed) {
      for await (const chunk of await client.models.generateContentStream(given)) said += chunk.text ?? "";
    } else {
      said = (await client.models.generateContent(given)).text;
    }
    assert.equal(cities.length, 1);
    assert.ok(said.includes(`sunny in ${cities[0]}`));
  });
}

for (const status of [429, 503]) {
  test(`who asks again is answered: ${status}`, async () => {
    const retryOptions = { attempts: 3, initialDelay: 0.01 };
    for (const streamed of [false, true]) {
      const door = await turns(status);
      const one = new GoogleGenAI({ apiKey: "k", httpOptions: { baseUrl: door.url, retryOptions } });
      const given = { model, contents: "Hello" };
      if (streamed) for await (const _ of await one.models.generateContentStream(given));
      else assert.ok((await one.models.generateContent(given)).text);
      assert.equal(door.asked.length, 2);
    }
  });
}

test("a schema is kept in a stream", async () => {
  const responseJsonSchema = { ...parametersJsonSchema, additionalProperties: false };
  const config = { responseMimeType: "application/json", responseJsonSchema };
  let said = "";
  for await (const chunk of await client.models.generateContentStream({ model, contents: "Hello", config }))
    said += chunk.text ?? "";
  assert.deepEqual(Object.keys(JSON.parse(said)), ["city"]);
});

test("a schema is kept", async () => {
  const responseJsonSchema = { ...parametersJsonSchema, additionalProperties: false };
  const config = { responseMimeType: "application/json", responseJsonSchema };
  const told = await client.models.generateContent({ model, contents: "The weather in Oslo", config });
  assert.deepEqual(Object.keys(JSON.parse(told.text)), ["city"]);
});

test("thoughts are shown", async () => {
  const config = { thinkingConfig: { includeThoughts: true } };
  const told = await client.models.generateContent({ model: "gemini-2.5-flash", contents: "Hello", config });
  assert.ok(told.candidates[0].content.parts.some((part) => part.thought));
  assert.ok(told.text);
});

test("tokens are counted, texts embedded, models listed", async () => {
  assert.ok((await client.models.countTokens({ model, contents: "Hello" })).totalTokens > 0);
  const told = await client.models.embedContent({ model: "gemini-embedding-001", contents: ["Hello", "Goodbye"] });
  assert.equal(told.embeddings.length, 2);
  const names = [];
  for await (const one of await client.models.list()) names.push(one.name);
  assert.ok(names.includes("models/gemini-2.5-flash"));
});

for (const status of [400, 401, 404, 429, 500, 503]) {
  test(`errors have their status: ${status}`, async () => {
    const one = make(await refusing(status));
    for (const ask of [one.models.generateContent, one.models.generateContentStream]) {
      await assert.rejects(ask.call(one.models, { model, contents: "Hello" }), (raised) => {
        assert.ok(raised instanceof ApiError);
        assert.equal(raised.status, status);
        assert.match(raised.message, /Not today/);
        return true;
      });
    }
  });
}
