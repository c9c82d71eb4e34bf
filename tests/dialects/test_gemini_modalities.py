"""Pictures and sounds instead of words: which models make them, in which form, and what they cost."""

from __future__ import annotations

from base64 import b64decode
from typing import Any

import pytest
from gemini_bodies import ARRAY, MODEL, SSE, chunks, tell, text, user
from running import application

from llmsim.media import image_size
from llmsim.server.handlers import Application

PICTURES, SPEAKER = "gemini-2.5-flash-image", "gemini-3.8-flash-tts"


@pytest.fixture(scope="module")
def app() -> Application:
    return application(generator="fixed:Hello there.")


def asked(*modalities: str, **config: Any) -> dict[str, Any]:
    told = {"responseModalities": list(modalities), **config} if modalities else config
    return {"contents": [user(text("A red fox"))], "generationConfig": told}


@pytest.mark.parametrize("method", ["generateContent", SSE, ARRAY])
@pytest.mark.parametrize("modalities", [(), ("TEXT", "IMAGE"), ("IMAGE",)])
async def test_a_picture_is_a_part_with_its_data(app: Application, method: str, modalities: tuple[str, ...]) -> None:
    told = await tell(app, asked(*modalities), method, PICTURES)
    replies = [told.json] if method == "generateContent" else chunks(told)
    found = [part for reply in replies for part in reply["candidates"][0]["content"]["parts"]]
    (picture,) = (part["inlineData"] for part in found if "inlineData" in part)
    assert picture["mimeType"] == "image/png"
    assert image_size(b64decode(picture["data"])) == (1024, 1024)
    assert replies[-1]["candidates"][0]["finishReason"] == "STOP"
    usage = replies[-1]["usageMetadata"]
    assert usage["candidatesTokenCount"] == 1290
    assert usage["candidatesTokensDetails"] == [{"modality": "IMAGE", "tokenCount": 1290}]
    assert usage["totalTokenCount"] == usage["promptTokenCount"] + 1290


@pytest.mark.parametrize(
    ("config", "size"),
    [({"aspectRatio": "16:9"}, (1344, 768)), ({"aspect_ratio": "9:16", "image_size": "2K"}, (1536, 2688))],
)
async def test_a_picture_has_the_size_that_was_asked_for(
    app: Application, config: dict[str, Any], size: tuple[int, int]
) -> None:
    told = await tell(app, asked("IMAGE", imageConfig=config), model=PICTURES)
    (part,) = told.json["candidates"][0]["content"]["parts"]
    assert image_size(b64decode(part["inlineData"]["data"])) == size


async def test_a_model_of_pictures_can_be_asked_for_words_alone(app: Application) -> None:
    told = await tell(app, asked("TEXT"), model=PICTURES)
    assert told.json["candidates"][0]["content"]["parts"][0]["text"] == "Hello there."


@pytest.mark.parametrize("method", ["generateContent", SSE])
async def test_speech_is_a_part_with_its_samples(app: Application, method: str) -> None:
    voice = {"voiceConfig": {"prebuiltVoiceConfig": {"voiceName": "Kore"}}}
    told = await tell(app, asked("AUDIO", speechConfig=voice), method, SPEAKER)
    replies = [told.json] if method == "generateContent" else chunks(told)
    sound = replies[0]["candidates"][0]["content"]["parts"][0]["inlineData"]
    assert sound["mimeType"] == "audio/L16;codec=pcm;rate=24000"
    assert len(b64decode(sound["data"])) >= 24_000
    (detail,) = replies[-1]["usageMetadata"]["candidatesTokensDetails"]
    assert detail["modality"] == "AUDIO"
    assert detail["tokenCount"] == replies[-1]["usageMetadata"]["candidatesTokenCount"] > 0


@pytest.mark.parametrize(
    ("model", "sent", "message"),
    [
        (
            MODEL,
            asked("TEXT", "IMAGE"),
            "The requested combination of response modalities (IMAGE, TEXT) is not supported by the model. "
            f"models/{MODEL} accepts the following combination of response modalities:\n* TEXT\n",
        ),
        (
            SPEAKER,
            asked(),
            "The requested combination of response modalities (TEXT) is not supported by the model. "
            f"models/{SPEAKER} accepts the following combination of response modalities:\n* AUDIO\n",
        ),
        (PICTURES, asked("IMAGE", candidateCount=2), "Multiple candidates is not enabled for this model"),
    ],
)
async def test_what_a_model_cannot_do_is_refused(app: Application, model: str, sent: Any, message: str) -> None:
    told = await tell(app, sent, model=model)
    assert (told.status, told.json["error"]["message"]) == (400, message)


@pytest.mark.parametrize("config", [{"aspectRatio": "1:7"}, {"imageSize": "9K"}])
async def test_sizes_that_there_are_not_are_refused(app: Application, config: dict[str, Any]) -> None:
    told = await tell(app, asked("IMAGE", imageConfig=config), model=PICTURES)
    assert (told.status, told.json["error"]["status"]) == (400, "INVALID_ARGUMENT")
