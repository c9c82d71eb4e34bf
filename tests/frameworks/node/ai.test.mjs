// Vercel's AI SDK over llmsim: OpenAI's Responses and chat, Azure, Anthropic, Gemini, each by the same tests.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createAnthropic } from "@ai-sdk/anthropic";
import { createAzure } from "@ai-sdk/azure";
import { createGoogleGenerativeAI } from "@ai-sdk/google";
import { createOpenAI } from "@ai-sdk/openai";
import {
  APICallError,
  embedMany,
  generateObject,
  generateText,
  Output,
  stepCountIs,
  streamObject,
  streamText,
  tool,
} from "ai";
import { z } from "zod";
import { refusing, serve, turns } from "./serving.mjs";

const url = await serve();
const weather = z.object({ city: z.string(), degrees: z.number() });
const apiKey = "k";

const models = {
  responses: (root) => createOpenAI({ baseURL: `${root}/v1`, apiKey })("gpt-4o"),
  chat: (root) => createOpenAI({ baseURL: `${root}/v1`, apiKey }).chat("gpt-4o"),
  azure: (root) => createAzure({ baseURL: `${root}/openai/v1`, apiKey }).chat("gpt-4o"),
  "azure by deployment": (root) =>
    createAzure({ baseURL: `${root}/openai`, apiKey, apiVersion: "2024-10-21", useDeploymentBasedUrls: true }).chat(
      "gpt-4o",
    ),
  anthropic: (root) => createAnthropic({ baseURL: `${root}/v1`, apiKey })("claude-haiku-4-5"),
  gemini: (root) => createGoogleGenerativeAI({ baseURL: `${root}/v1beta`, apiKey })("gemini-2.5-flash-lite"),
};

for (const [name, make] of Object.entries(models)) {
  const model = make(url);

  test(`${name}: words`, async () => {
    const told = await generateText({ model, instructions: "Be brief.", prompt: "Hello" });
    assert.ok(told.text);
    assert.equal(told.finishReason, "stop");
    assert.equal(told.usage.outputTokens, 20);
  });

  test(`${name}: a stream`, async () => {
    const told = streamText({ model, prompt: "Hello" });
    const parts = [];
    for await (const part of told.textStream) parts.push(part);
    assert.ok(parts.length > 3);
    assert.equal(parts.join(""), await told.text);
    assert.equal((await told.usage).outputTokens, 20);
    assert.equal(await told.finishReason, "stop");
  });

  for (const streamed of [false, true]) {
    test(`${name}: a loop with a tool ends${streamed ? ", streamed" : ""}`, async () => {
      const cities = [];
      const execute = async ({ city }) => (cities.push(city), `sunny in ${city}`);
      const tools = {
        get_weather: tool({ description: "Weather", inputSchema: z.object({ city: z.string() }), execute }),
      };
      const given = { model, tools, prompt: "What is the weather in Oslo?", stopWhen: stepCountIs(4) };
      const told = streamed ? streamText(given) : await generateText(given);
      if (streamed) await told.consumeStream();
      const text = await told.text;
      assert.equal(cities.length, 1);
      assert.equal((await told.steps).length, 2);
      assert.ok(text.includes(`sunny in ${cities[0]}`));
    });
  }

  test(`${name}: an object`, async () => {
    const told = await generateObject({ model, schema: weather, prompt: "The weather in Oslo" });
    assert.ok(weather.safeParse(told.object).success);
  });

  test(`${name}: an object in part`, async () => {
    const told = streamObject({ model, schema: weather, prompt: "The weather in Oslo" });
    let parts = 0;
    for await (const _ of told.partialObjectStream) parts += 1;
    assert.ok(parts > 0);
    assert.ok(weather.safeParse(await told.object).success);
  });

  for (const streamed of [false, true]) {
    test(`${name}: an object as output${streamed ? ", streamed" : ""}`, async () => {
      const given = { model, output: Output.object({ schema: weather }), prompt: "The weather in Oslo" };
      const told = streamed ? streamText(given) : await generateText(given);
      if (streamed) await told.consumeStream();
      assert.ok(weather.safeParse(await told.output).success);
    });
  }

  test(`${name}: a conversation with a tool goes on`, async () => {
    const execute = async ({ city }) => `sunny in ${city}`;
    const tools = {
      get_weather: tool({ description: "Weather", inputSchema: z.object({ city: z.string() }), execute }),
    };
    const messages = [{ role: "user", content: "What is the weather in Oslo?" }];
    const given = { model, tools, stopWhen: stepCountIs(4) };
    const first = await generateText({ ...given, messages });
    const said = (await first.steps).flatMap((step) => step.response.messages);
    messages.push(...said.slice(-3), { role: "user", content: "And in Rome?" });
    const second = streamText({ ...given, messages });
    await second.consumeStream();
    assert.equal((await second.steps).length, 2);
    assert.match(await second.text, /sunny in/);
    assert.ok((await second.usage).inputTokens > first.steps[0].usage.inputTokens);
  });

  for (const choice of ["none", "required", { type: "tool", toolName: "get_weather" }]) {
    test(`${name}: the choice of tools: ${choice.type ?? choice}`, async () => {
      const tools = { get_weather: tool({ description: "Weather", inputSchema: z.object({ city: z.string() }) }) };
      const told = await generateText({ model, tools, toolChoice: choice, prompt: "Hello" });
      assert.equal(told.toolCalls.length, choice === "none" ? 0 : 1);
    });
  }

  for (const status of [429, 503]) {
    test(`${name}: who asks again is answered: ${status}`, async () => {
      for (const streamed of [false, true]) {
        const door = await turns(status);
        const given = { model: make(door.url), prompt: "Hello", maxRetries: 2 };
        const told = streamed ? streamText(given) : await generateText(given);
        assert.ok(await told.text);
        assert.equal(door.asked.length, 2);
      }
    });
  }

  test(`${name}: a limit`, async () => {
    const told = await generateText({ model, prompt: "Hello", maxOutputTokens: 16 });
    assert.equal(told.finishReason, "length");
    assert.equal(told.usage.outputTokens, 16);
  });

  for (const status of [400, 401, 404, 429, 503]) {
    test(`${name}: errors have their status: ${status}`, async () => {
      const given = { model: make(await refusing(status)), prompt: "Hello", maxRetries: 0 };
      await assert.rejects(generateText(given), (raised) => {
        assert.ok(APICallError.isInstance(raised), String(raised));
        assert.equal(raised.statusCode, status);
        assert.match(raised.message, /Not today/);
        return true;
      });
      const raised = [];
      await streamText({ ...given, onError: ({ error }) => raised.push(error) }).consumeStream();
      assert.deepEqual(raised.map((error) => error.statusCode), [status]);
    });
  }
}

const thinking = {
  responses: [
    createOpenAI({ baseURL: `${url}/v1`, apiKey })("gpt-5"),
    { openai: { reasoningEffort: "low", reasoningSummary: "auto" } },
  ],
  anthropic: [
    createAnthropic({ baseURL: `${url}/v1`, apiKey })("claude-haiku-4-5"),
    { anthropic: { thinking: { type: "enabled", budgetTokens: 1024 } } },
  ],
  gemini: [
    createGoogleGenerativeAI({ baseURL: `${url}/v1beta`, apiKey })("gemini-2.5-flash"),
    { google: { thinkingConfig: { includeThoughts: true } } },
  ],
};

for (const [name, [model, providerOptions]] of Object.entries(thinking)) {
  test(`${name}: thinking is shown`, async () => {
    const told = await generateText({ model, providerOptions, prompt: "Hello" });
    assert.ok(told.reasoningText);
    assert.ok(told.text);
    const streamed = streamText({ model, providerOptions, prompt: "Hello" });
    await streamed.consumeStream();
    assert.ok(await streamed.reasoningText);
  });
}

const embeddings = {
  openai: createOpenAI({ baseURL: `${url}/v1`, apiKey }).embedding("text-embedding-3-small"),
  gemini: createGoogleGenerativeAI({ baseURL: `${url}/v1beta`, apiKey }).embedding("gemini-embedding-001"),
};

for (const [name, model] of Object.entries(embeddings)) {
  test(`${name}: embeddings`, async () => {
    const told = await embedMany({ model, values: ["Hello", "Goodbye"] });
    assert.equal(told.embeddings.length, 2);
    assert.notDeepEqual(told.embeddings[0], told.embeddings[1]);
  });
}
