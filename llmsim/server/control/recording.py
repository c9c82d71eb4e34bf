"""Recording over HTTP: begun, watched and ended while the server runs."""

from __future__ import annotations

from typing import Any

from llmsim.server.control.call import Call, Operation, Problem, answer
from llmsim.server.record import Recorder
from llmsim.server.record.options import Recording


def _recorder(call: Call) -> Recorder:
    if call.control.recorder is None:
        raise Problem(404, "this server cannot record real APIs: a server of several machines does not")
    return call.control.recorder


async def recording(call: Call) -> Any:
    """How the recording is: its tape, its upstreams, how many exchanges are on it and how they ended."""
    told = _recorder(call).told()
    if told is None:
        raise Problem(404, "nothing is being recorded")
    return told


async def record(call: Call) -> Any:
    """Passes requests on to the real APIs from here on, and records them."""
    recorder = _recorder(call)
    options = call.model(Recording)
    options.elsewhere(call.control.address)
    if recorder.session is not None:
        raise Problem(409, f"a recording to {recorder.session.options.tape} is under way; DELETE ends it")
    return answer(await recorder.start(options, call.who), 201)


async def end_recording(call: Call) -> Any:
    """Ends the recording: what comes is answered by the simulator again, what is under way is recorded to its end."""
    told = await _recorder(call).stop(call.who)
    if told is None:
        raise Problem(404, "nothing is being recorded")
    return told


OPERATIONS = [
    Operation("GET", "/record", recording, "How the recording is", changes=False),
    Operation("POST", "/record", record, "Pass requests on to real APIs and record them", body=Recording, status=201),
    Operation("DELETE", "/record", end_recording, "End the recording"),
]
