"""Valid requests to begin with: bodies by path, and the files that operators write."""

from __future__ import annotations

from typing import Any

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "city": {"type": "string", "pattern": "^[A-Z][a-z]+$", "minLength": 2, "maxLength": 9},
        "count": {"type": "integer", "minimum": 1, "maximum": 9, "multipleOf": 2},
        "tags": {"type": "array", "items": {"enum": ["a", "b"]}, "minItems": 1, "maxItems": 3, "uniqueItems": True},
        "other": {"anyOf": [{"type": "null"}, {"$ref": "#/$defs/other"}]},
    },
    "required": ["city", "count", "tags", "other"],
    "additionalProperties": False,
    "$defs": {"other": {"type": "object", "properties": {"at": {"type": "string", "format": "date-time"}}}},
}
_FUNCTION = {"name": "get_weather", "description": "The weather", "parameters": SCHEMA, "strict": False}
_DATA_URL = f"data:image/png;base64,{PIXEL}"

CHAT = {
    "model": "gpt-4o",
    "messages": [
        {"role": "system", "content": "Be brief."},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "Weather in Oslo?"},
                {"type": "image_url", "image_url": {"url": _DATA_URL, "detail": "low"}},
            ],
        },
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {
                    "id": "call_1",
                    "type": "function",
                    "function": {"name": "get_weather", "arguments": '{"city":"Oslo"}'},
                }
            ],
        },
        {"role": "tool", "tool_call_id": "call_1", "content": "Rain"},
    ],
    "tools": [{"type": "function", "function": _FUNCTION}],
    "tool_choice": "auto",
    "stream": True,
    "stream_options": {"include_usage": True},
    "max_completion_tokens": 20,
    "temperature": 0.5,
    "top_p": 0.9,
    "n": 2,
    "stop": ["END"],
    "logprobs": True,
    "top_logprobs": 2,
    "logit_bias": {"50256": -100},
    "metadata": {"a": "b"},
    "seed": 7,
    "user": "u",
}
CHAT_JSON = {
    "model": "gpt-4o",
    "messages": [{"role": "user", "content": "Weather in Oslo?"}],
    "response_format": {"type": "json_schema", "json_schema": {"name": "w", "schema": SCHEMA, "strict": False}},
}
RESPONSES = {
    "model": "gpt-5",
    "instructions": "Be brief.",
    "input": [
        {
            "role": "user",
            "content": [{"type": "input_text", "text": "Hi"}, {"type": "input_image", "image_url": _DATA_URL}],
        },
        {"type": "function_call", "call_id": "call_1", "name": "get_weather", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "call_1", "output": "Rain"},
        {"type": "reasoning", "id": "rs_1", "summary": []},
    ],
    "tools": [
        {"type": "function", **_FUNCTION},
        {"type": "web_search"},
        {"type": "code_interpreter", "container": {"type": "auto"}},
    ],
    "text": {"format": {"type": "json_schema", "name": "w", "schema": SCHEMA}},
    "reasoning": {"effort": "low", "summary": "auto"},
    "include": ["reasoning.encrypted_content"],
    "max_output_tokens": 100,
    "metadata": {"a": "b"},
    "store": True,
    "stream": True,
}
MESSAGES = {
    "model": "claude-sonnet-4-5",
    "max_tokens": 30,
    "system": [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}],
    "messages": [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "Weather?"},
                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXEL}},
            ],
        },
        {"role": "assistant", "content": [{"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": "Rain"}]},
    ],
    "tools": [{"name": "get_weather", "description": "d", "input_schema": SCHEMA}],
    "tool_choice": {"type": "auto"},
    "stop_sequences": ["END"],
    "metadata": {"user_id": "u"},
    "temperature": 0.5,
    "stream": True,
}
CONTENTS = {
    "contents": [
        {"role": "user", "parts": [{"text": "Hi"}, {"inlineData": {"mimeType": "image/png", "data": PIXEL}}]},
        {"role": "model", "parts": [{"functionCall": {"name": "get_weather", "args": {"city": "Oslo"}}}]},
        {"role": "user", "parts": [{"functionResponse": {"name": "get_weather", "response": {"a": 1}}}]},
    ],
    "systemInstruction": {"parts": [{"text": "Be brief."}]},
    "tools": [{"functionDeclarations": [{"name": "get_weather", "description": "d", "parametersJsonSchema": SCHEMA}]}],
    "toolConfig": {"functionCallingConfig": {"mode": "AUTO"}},
    "safetySettings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}],
    "generationConfig": {
        "temperature": 1,
        "topK": 3,
        "seed": 4,
        "candidateCount": 1,
        "maxOutputTokens": 30,
        "stopSequences": ["END"],
        "thinkingConfig": {"thinkingBudget": 10, "includeThoughts": True},
    },
}
OLLAMA = {
    "model": "llama3.2",
    "messages": [{"role": "user", "content": "Hi", "images": [PIXEL]}],
    "tools": [{"type": "function", "function": _FUNCTION}],
    "options": {"seed": 1, "num_predict": 5, "stop": ["END"], "temperature": 0.1},
    "format": SCHEMA,
    "keep_alive": "5m",
    "think": True,
    "stream": True,
}
CONVERSE = {
    "messages": [
        {"role": "user", "content": [{"text": "Hi"}, {"image": {"format": "png", "source": {"bytes": PIXEL}}}]},
        {"role": "assistant", "content": [{"toolUse": {"toolUseId": "t1", "name": "get_weather", "input": {}}}]},
        {"role": "user", "content": [{"toolResult": {"toolUseId": "t1", "content": [{"text": "Rain"}]}}]},
    ],
    "system": [{"text": "Be brief."}],
    "inferenceConfig": {"maxTokens": 20, "temperature": 0.5, "topP": 0.9, "stopSequences": ["END"]},
    "toolConfig": {"tools": [{"toolSpec": {"name": "get_weather", "inputSchema": {"json": SCHEMA}}}]},
}
_EMBED = {"model": "text-embedding-3-small", "input": ["a", "b"], "dimensions": 8, "encoding_format": "float"}
_ASSISTANT = {
    "model": "gpt-4o",
    "name": "a",
    "instructions": "b",
    "tools": [{"type": "function", "function": _FUNCTION}],
}
_RUN = {"assistant_id": "asst_x", "thread": {"messages": [{"role": "user", "content": "Hi"}]}, "stream": True}
_IMAGE = {"model": "gpt-image-1", "prompt": "a cat", "size": "1024x1024", "n": 1, "quality": "low"}

BODIES: dict[str, list[dict[str, Any]]] = {
    "/chat/completions": [CHAT, CHAT_JSON],
    "/chat/completions/{id}": [{"metadata": {"a": "b"}}],
    "/completions": [{"model": "gpt-3.5-turbo-instruct", "prompt": ["a", "b"], "max_tokens": 5, "logprobs": 2, "n": 2}],
    "/responses": [RESPONSES, {"model": "gpt-4o", "input": "Hi", "background": True}],
    "/responses/input_tokens": [{"model": "gpt-4o", "input": "Hi", "tools": RESPONSES["tools"]}],
    "/responses/compact": [{"model": "gpt-5", "input": RESPONSES["input"]}],
    "/conversations": [{"items": [{"type": "message", "role": "user", "content": "Hi"}], "metadata": {"a": "b"}}],
    "/conversations/{conversation_id}/items": [{"items": RESPONSES["input"]}],
    "/embeddings": [_EMBED],
    "/moderations": [{"model": "omni-moderation-latest", "input": [{"type": "text", "text": "kill"}]}],
    "/assistants": [_ASSISTANT],
    "/threads": [{"messages": [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}], "metadata": {"a": "b"}}],
    "/threads/{thread_id}/messages": [{"role": "user", "content": "Hi", "attachments": []}],
    "/threads/runs": [_RUN],
    "/threads/{thread_id}/runs": [_RUN],
    "/images/generations": [_IMAGE],
    "/audio/speech": [{"model": "tts-1", "input": "Hello", "voice": "alloy", "response_format": "wav", "speed": 1.5}],
    "/batches": [{"input_file_id": "file-x", "endpoint": "/v1/responses", "completion_window": "24h"}],
    "/uploads": [{"filename": "a.jsonl", "bytes": 5, "mime_type": "text/jsonl", "purpose": "batch"}],
    "/uploads/{upload_id}/complete": [{"part_ids": ["part_1"], "md5": "x"}],
    "/vector_stores": [{"name": "v", "file_ids": [], "expires_after": {"anchor": "last_active_at", "days": 1}}],
    "/vector_stores/{vector_store_id}/search": [{"query": ["a"], "max_num_results": 3, "filters": {"type": "eq"}}],
    "/messages": [
        MESSAGES,
        {**MESSAGES, "model": "claude-opus-4-5", "thinking": {"type": "enabled", "budget_tokens": 1024}},
    ],
    "/messages/count_tokens": [{key: MESSAGES[key] for key in ("model", "messages", "system", "tools")}],
    "/messages/batches": [{"requests": [{"custom_id": "a", "params": {**MESSAGES, "stream": False}}]}],
    ":generateContent": [
        CONTENTS,
        {
            "contents": CONTENTS["contents"][:1],
            "generationConfig": {"responseMimeType": "application/json", "responseJsonSchema": SCHEMA},
        },
    ],
    ":streamGenerateContent": [CONTENTS],
    ":countTokens": [{"contents": CONTENTS["contents"]}],
    ":computeTokens": [{"contents": CONTENTS["contents"]}],
    ":embedContent": [{"content": {"parts": [{"text": "a"}]}, "outputDimensionality": 8}],
    ":batchEmbedContents": [
        {"requests": [{"model": "models/gemini-embedding-001", "content": {"parts": [{"text": "a"}]}}]}
    ],
    ":predict": [{"instances": [{"content": "a"}], "parameters": {"outputDimensionality": 8}}],
    ":rawPredict": [{**MESSAGES, "anthropic_version": "vertex-2023-10-16"}],
    ":streamRawPredict": [{**MESSAGES, "anthropic_version": "vertex-2023-10-16"}],
    "/cachedContents": [{"model": "models/gemini-2.5-flash", "contents": CONTENTS["contents"], "ttl": "60s"}],
    "/cachedContents/{name}": [{"ttl": "60s"}],
    "/interactions": [{"model": "gemini-2.5-flash", "input": "Hi", "background": False, "stream": True}],
    "/api/chat": [OLLAMA],
    "/api/generate": [{"model": "llama3.2", "prompt": "Hi", "suffix": "", "system": "s", "format": "json"}],
    "/api/embed": [{"model": "nomic-embed-text", "input": ["a"], "dimensions": 4}],
    "/api/embeddings": [{"model": "nomic-embed-text", "prompt": "a"}],
    "/api/show": [{"model": "llama3.2", "verbose": True}],
    "/api/pull": [{"model": "llama3.2", "stream": True}],
    "/api/create": [{"model": "mine", "from": "llama3.2", "system": "s"}],
    "/api/copy": [{"source": "llama3.2", "destination": "mine"}],
    "/converse": [CONVERSE],
    "/converse-stream": [CONVERSE],
    "/invoke": [{**MESSAGES, "anthropic_version": "bedrock-2023-05-31"}],
    "/invoke-with-response-stream": [{**MESSAGES, "anthropic_version": "bedrock-2023-05-31"}],
    "/count-tokens": [{"input": {"converse": CONVERSE}}],
}
"""Bodies by the end of a path."""

MOCKS = r"""
mocks:
  - name: refunds
    priority: 5
    when: {model: "gpt-4o*", text: /refund/i, not: {key: ci}, json: {"$.metadata.team": blue}}
    reply: {text: "Hello {{ model }} {{ text | upper }} {{ choice(['a', 'b']) }}", latency: fast, tokens: 3}
  - when: 'text:"x" or (turn:>2 !stream:true)'
    replies: [{text: one}, {tool_calls: [{name: f, arguments: {a: 1}}]}, {json: {a: 1}}, {status: 429}]
    then: loop
    times: 3
    per: key
    state: {machine: m, when: [start], to: next}
"""
CONFIG = r"""
port: 8081
seed: 7
generator: "fixed:Hi"
profiles: {mine: {ttft: {kind: lognormal, mean: 100, stddev: 10}, tbt: {kind: fixed, mean: 5}}}
model_profiles: {"gpt-4o": mine}
faults: [{kind: refuse, status: 429, probability: 0.5, scope: "model:gpt*", count: 3, per: key, every_s: 60, on_s: 10}]
limits: [{name: free, scope: "key:ci", rpm: 3, tpm: 100, concurrency: 2}]
mocks: [{name: a, when: "has:x", reply: y}]
"""
SCENARIO = r"""
name: storm
seed: 1
phases:
  - {name: calm, for: 2s}
  - {name: storm, for: 3s, faults: ["429 probability=0.5"], settings: {speed: 2}}
steps:
  - {at: 1s, arm: {kind: cut, after_tokens: 3}}
  - {at: 2s, ramp: {setting: rate_limit_rate, from: 0, to: 1, for: 2s}}
expect:
  - {when: "model:gpt*", times: ">=1"}
"""
MATCHES = (
    "model:gpt-4o* stream:true text:/refund/i !key:ci (turn:1 or tool_result:true)",
    'json.$.metadata["team"]:blue header.x-a:"b c" status:4xx has:"a:b" not provider:openai',
    "json.$..messages[?(@.role=='user')].content:* seen:>2 turn:2..5",
)
TEMPLATES = (
    "{{ model }} {% for m in messages %}{{ m.role }}: {{ m.text | upper }}{% endfor %} {{ number(1, 9) }}{{ id(4) }}",
    "{{ ''.__class__.__mro__ }} {{ 'a' * 9 }} {{ '%s' % text }} {{ body.a }} {{ range(9) | list | join }}",
)
FAULTS = ("429 retry_after=2 count=3", "cut after_tokens=5", 'refuse status=503 message="no" scope="model:gpt*"')
PATTERNS = (r"^(a+)+$", r"^[A-Z][a-z]{2,5}(-\d{1,3})?$", r"(?=.*\d)(?!x)\w+\b", r"\p{L}+[^\x00-\x1f]?")
TAPE = (
    b'{"v":1,"id":"a","at":1.5,"upstream":"openai","provider":"openai","dialect":"openai_chat","beside":0,"request":'
    b'{"method":"POST","path":"/v1/chat/completions","query":"","headers":[["a","b"]],"body":"{}"},"response":{"status":'
    b'200,"begun":0.1,"headers":[["a","b"]],"coding":"","frames":[[0.2,"data: x\\n\\n"],[0.3,{"base64":"/w=="}]]},'
    b'"end":"done","ended":0.4,"error":"","masked":0,"left_out":0}\n'
)
