"""The fields of what clients send to Gemini, message by message, with their types; data for _gemini_proto.

Source: the types of google-genai 3.4 and Google's API reference; nested messages that a simulator has no use for are
taken as they are (`any`). `[x]` is a list of x and `{x}` a map to x.
"""

from __future__ import annotations

Fields = dict[str, str]

CONTENT: dict[str, Fields] = {
    "Content": {"parts": "[Part]", "role": "string"},
    "Part": {
        "text": "string",
        "thought": "bool",
        "thoughtSignature": "bytes",
        "inlineData": "Blob",
        "fileData": "FileData",
        "functionCall": "FunctionCall",
        "functionResponse": "FunctionResponse",
        "executableCode": "ExecutableCode",
        "codeExecutionResult": "CodeExecutionResult",
        "toolCall": "any",
        "toolResponse": "any",
        "videoMetadata": "any",
        "mediaResolution": "any",
        "mediaProcessing": "any",
        "partMetadata": "struct",
        "audioTranscription": "any",
        "speechMetadata": "any",
        "documentMetadata": "any",
        "spreadsheetMetadata": "any",
        "audioMetadata": "any",
    },
    "Blob": {"mimeType": "string", "data": "bytes", "displayName": "string"},
    "FileData": {"mimeType": "string", "fileUri": "string", "displayName": "string"},
    "FunctionCall": {
        "id": "string",
        "name": "string",
        "args": "struct",
        "partialArgs": "any",
        "willContinue": "bool",
    },
    "FunctionResponse": {
        "id": "string",
        "name": "string",
        "response": "struct",
        "willContinue": "bool",
        "scheduling": "FunctionResponse.Scheduling",
        "parts": "[any]",
    },
    "ExecutableCode": {"id": "string", "language": "ExecutableCode.Language", "code": "string"},
    "CodeExecutionResult": {"id": "string", "outcome": "CodeExecutionResult.Outcome", "output": "string"},
}

SCHEMA: dict[str, Fields] = {
    "Schema": {
        "type": "Type",
        "format": "string",
        "title": "string",
        "description": "string",
        "nullable": "bool",
        "default": "any",
        "example": "any",
        "enum": "[string]",
        "items": "Schema",
        "minItems": "int64",
        "maxItems": "int64",
        "properties": "{Schema}",
        "propertyOrdering": "[string]",
        "required": "[string]",
        "minProperties": "int64",
        "maxProperties": "int64",
        "additionalProperties": "any",
        "minimum": "float",
        "maximum": "float",
        "minLength": "int64",
        "maxLength": "int64",
        "pattern": "string",
        "anyOf": "[Schema]",
        "defs": "{Schema}",
        "ref": "string",
    },
}

TOOLS: dict[str, Fields] = {
    "Tool": {
        "functionDeclarations": "[FunctionDeclaration]",
        "googleSearch": "any",
        "googleSearchRetrieval": "any",
        "codeExecution": "any",
        "urlContext": "any",
        "computerUse": "any",
        "fileSearch": "any",
        "googleMaps": "any",
        "mcpServers": "[any]",
        "retrieval": "any",
        "enterpriseWebSearch": "any",
        "parallelAiSearch": "any",
        "exaAiSearch": "any",
    },
    "FunctionDeclaration": {
        "name": "string",
        "description": "string",
        "behavior": "FunctionDeclaration.Behavior",
        "parameters": "Schema",
        "parametersJsonSchema": "any",
        "response": "Schema",
        "responseJsonSchema": "any",
    },
    "ToolConfig": {
        "functionCallingConfig": "FunctionCallingConfig",
        "retrievalConfig": "any",
        "includeServerSideToolInvocations": "bool",
    },
    "FunctionCallingConfig": {
        "mode": "FunctionCallingConfig.Mode",
        "allowedFunctionNames": "[string]",
        "streamFunctionCallArguments": "bool",
    },
    "SafetySetting": {
        "category": "HarmCategory",
        "threshold": "SafetySetting.HarmBlockThreshold",
        "method": "SafetySetting.HarmBlockMethod",
    },
}

GENERATION: dict[str, Fields] = {
    "GenerateContentRequest": {
        "model": "string",
        "contents": "[Content]",
        "systemInstruction": "Content",
        "tools": "[Tool]",
        "toolConfig": "ToolConfig",
        "safetySettings": "[SafetySetting]",
        "generationConfig": "GenerationConfig",
        "cachedContent": "string",
        "serviceTier": "ServiceTier",
        "labels": "{string}",
        "store": "bool",
        "continuationToken": "bytes",
        "modelArmorConfig": "any",
        "outputConfig": "any",
    },
    "GenerationConfig": {
        "candidateCount": "int32",
        "stopSequences": "[string]",
        "maxOutputTokens": "int32",
        "temperature": "float",
        "topP": "float",
        "topK": "float",
        "seed": "int32",
        "responseMimeType": "string",
        "responseSchema": "Schema",
        "responseJsonSchema": "any",
        "_responseJsonSchema": "any",
        "presencePenalty": "float",
        "frequencyPenalty": "float",
        "responseLogprobs": "bool",
        "logprobs": "int32",
        "thinkingConfig": "ThinkingConfig",
        "responseModalities": "[Modality]",
        "mediaResolution": "MediaResolution",
        "speechConfig": "any",
        "imageConfig": "ImageConfig",
        "enableEnhancedCivicAnswers": "bool",
        "responseFormat": "any",
        "audioTimestamp": "bool",
        "audioTranscriptionConfig": "any",
        "translationConfig": "any",
        "enableAffectiveDialog": "bool",
        "routingConfig": "any",
        "modelSelectionConfig": "any",
        "modelConfig": "any",
    },
    "ImageConfig": {
        "aspectRatio": "string",
        "imageSize": "string",
        "personGeneration": "string",
        "prominentPeople": "string",
        "outputMimeType": "string",
        "outputCompressionQuality": "int32",
        "imageOutputOptions": "any",
    },
    "ThinkingConfig": {
        "includeThoughts": "bool",
        "thinkingBudget": "int32",
        "thinkingLevel": "ThinkingConfig.ThinkingLevel",
    },
    "CountTokensRequest": {
        "model": "string",
        "contents": "[Content]",
        "generateContentRequest": "GenerateContentRequest",
        # Vertex takes the fields of a request by themselves.
        "systemInstruction": "Content",
        "tools": "[Tool]",
        "generationConfig": "GenerationConfig",
        "instances": "[any]",
    },
    "ComputeTokensRequest": {"model": "string", "contents": "[Content]", "instances": "[any]"},
}

OTHERS: dict[str, Fields] = {
    "EmbedContentRequest": {
        "model": "string",
        "content": "Content",
        "taskType": "TaskType",
        "title": "string",
        "outputDimensionality": "int32",
        "autoTruncate": "bool",
        "embedContentConfig": "any",
        "documentOcr": "bool",
        "audioTrackExtraction": "bool",
    },
    "BatchEmbedContentsRequest": {"model": "string", "requests": "[EmbedContentRequest]"},
    "CachedContent": {
        "name": "string",
        "model": "string",
        "displayName": "string",
        "contents": "[Content]",
        "systemInstruction": "Content",
        "tools": "[Tool]",
        "toolConfig": "ToolConfig",
        "ttl": "duration",
        "expireTime": "timestamp",
        "kmsKeyName": "string",
        "encryptionSpec": "any",
        # Read only: clients may send back what they got.
        "createTime": "string",
        "updateTime": "string",
        "usageMetadata": "any",
    },
    "CreateFileRequest": {"file": "File"},
    "File": {
        "name": "string",
        "displayName": "string",
        "mimeType": "string",
        "sizeBytes": "int64",
        "createTime": "string",
        "updateTime": "string",
        "expirationTime": "string",
        "sha256Hash": "string",
        "uri": "string",
        "downloadUri": "string",
        "state": "any",
        "source": "any",
        "error": "any",
        "videoMetadata": "any",
    },
}

MESSAGES: dict[str, Fields] = {**CONTENT, **SCHEMA, **TOOLS, **GENERATION, **OTHERS}

ONE_OF: dict[str, frozenset[str]] = {
    "Part": frozenset(
        "text inlineData fileData functionCall functionResponse executableCode codeExecutionResult toolCall"
        " toolResponse audioTranscription".split()
    ),
}
"""Fields of which a message can have only one."""


def _values(prefix: str, names: str) -> tuple[str, ...]:
    return tuple(prefix + name for name in names.split())


ENUMS: dict[str, tuple[str, ...]] = {
    "Type": _values("", "TYPE_UNSPECIFIED STRING NUMBER INTEGER BOOLEAN ARRAY OBJECT NULL"),
    "HarmCategory": _values(
        "HARM_CATEGORY_",
        "UNSPECIFIED DEROGATORY TOXICITY VIOLENCE SEXUAL MEDICAL DANGEROUS HARASSMENT HATE_SPEECH SEXUALLY_EXPLICIT"
        " DANGEROUS_CONTENT CIVIC_INTEGRITY JAILBREAK IMAGE_HATE IMAGE_DANGEROUS_CONTENT IMAGE_HARASSMENT"
        " IMAGE_SEXUALLY_EXPLICIT",
    ),
    "SafetySetting.HarmBlockThreshold": _values(
        "",
        "HARM_BLOCK_THRESHOLD_UNSPECIFIED BLOCK_LOW_AND_ABOVE BLOCK_MEDIUM_AND_ABOVE BLOCK_ONLY_HIGH BLOCK_NONE OFF",
    ),
    "SafetySetting.HarmBlockMethod": _values("", "HARM_BLOCK_METHOD_UNSPECIFIED SEVERITY PROBABILITY"),
    "FunctionCallingConfig.Mode": _values("", "MODE_UNSPECIFIED AUTO ANY NONE VALIDATED"),
    "FunctionDeclaration.Behavior": _values("", "UNSPECIFIED BLOCKING NON_BLOCKING"),
    "FunctionResponse.Scheduling": _values("", "SCHEDULING_UNSPECIFIED SILENT WHEN_IDLE INTERRUPT"),
    "ExecutableCode.Language": _values("", "LANGUAGE_UNSPECIFIED PYTHON"),
    "CodeExecutionResult.Outcome": _values("OUTCOME_", "UNSPECIFIED OK FAILED DEADLINE_EXCEEDED"),
    "ThinkingConfig.ThinkingLevel": _values("", "THINKING_LEVEL_UNSPECIFIED MINIMAL LOW MEDIUM HIGH XHIGH"),
    "Modality": _values("", "MODALITY_UNSPECIFIED TEXT IMAGE AUDIO VIDEO DOCUMENT"),
    "MediaResolution": _values("MEDIA_RESOLUTION_", "UNSPECIFIED LOW MEDIUM HIGH ULTRA_HIGH"),
    "ServiceTier": _values("", "unspecified flex standard priority"),
    "TaskType": _values(
        "",
        "TASK_TYPE_UNSPECIFIED RETRIEVAL_QUERY RETRIEVAL_DOCUMENT SEMANTIC_SIMILARITY CLASSIFICATION CLUSTERING"
        " QUESTION_ANSWERING FACT_VERIFICATION CODE_RETRIEVAL_QUERY",
    ),
}
"""Enums by the names that the API's errors call them by, each with its values in the order of their numbers."""
