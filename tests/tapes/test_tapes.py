"""A tape holds what was recorded, byte for byte, whatever happens to the one who writes it."""

import gzip
import stat

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmsim.errors import TapeError
from llmsim.tapes import Frame, Take, Tape, Writer


def take(id="1", **fields):
    given = {"at": 1_700_000_000.25, "method": "POST", "path": "/v1/chat/completions", **fields}
    return Take(id=id, **given)


def write(path, *takes, **options):
    writer = Writer(path, **options)
    for one in takes:
        writer.write(one)
    writer.close()


def ids(path):
    return [one.id for one in Tape(path)]


FULL = take(
    query="a=b",
    upstream="openai",
    provider="openai",
    dialect="openai_chat",
    request_headers=(("content-type", "application/json"), ("x-a", "1")),
    request_body='{"text":"süß"}'.encode(),
    status=200,
    headers=(("Content-Type", "text/event-stream"), ("set-cookie", "a=*"), ("set-cookie", "b=*")),
    begun=0.125,
    frames=(Frame(0.125, b"data: {}\n\n"), Frame(0.25, b"data: \xc3"), Frame(0.5, b"\xbc\n\n")),
    end="cut",
    ended=0.75,
    error="the upstream broke off",
    coding="gzip",
    beside=3,
    masked=2,
)


@pytest.mark.parametrize("name", ["run.jsonl", "run.jsonl.gz", "run"])
def test_what_is_written_is_read(tmp_path, name):
    write(tmp_path / name, FULL, take("2"))
    assert list(Tape(tmp_path / name)) == [FULL, take("2")]
    assert FULL.body == "data: {}\n\ndata: ü\n\n".encode()
    assert FULL.header("content-TYPE") == "text/event-stream"
    assert FULL.request_header("X-A") == "1"
    assert FULL.target == "/v1/chat/completions?a=b"


def test_a_text_is_readable_and_other_bytes_are_base64(tmp_path):
    line = FULL.line()
    assert b'"body":"{\\"text\\":\\"s\xc3\xbc\xc3\x9f\\"}"' in line
    assert b'[0.125,"data: {}\\n\\n"],[0.25,{"base64":"ZGF0YTogww=="}]' in line


@settings(deadline=None)
@given(st.binary(), st.lists(st.tuples(st.floats(0, 1e6), st.binary())), st.text(max_size=20))
def test_any_bytes_survive(body, frames, error):
    told = take(request_body=body, frames=tuple(Frame(round(at, 6), data) for at, data in frames), error=error)
    assert Take.of_line(told.line()) == told


def test_fields_of_others_are_kept():
    line = take().line().replace(b'{"v":1', b'{"note":"mine","v":1')
    assert b'"note":"mine"' in Take.of_line(line).line()


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"[]", "it is no object"),
        (b"{", "it is no JSON: "),
        (b"{}", "v: None is no version of a tape"),
        (b'{"v":2}', "v: 2 is of a newer llmsim; this one reads tapes up to version 1"),
        (b'{"v":1}', "request: the field is missing"),
        (b'{"v":1,"request":{},"response":[]}', "response: it is no object"),
        (b'{"v":1,"request":{},"response":{}}', "id: the field is missing"),
        (take().line().replace(b'"done"', b'"gone"'), "end: 'gone' is not allowed; there are done, cut, left, error"),
        (take().line().replace(b'"frames":[]', b'"frames":[[1,2]]'), "a body or frame is a text, or an object with"),
        (take().line().replace(b'"body":""', b'"body":{"base64":"?"}'), "base64: "),
        (take().line().replace(b'"method":"POST"', b'"method":1'), "1 is no text"),
    ],
)
def test_a_line_that_cannot_be_says_why(line, why):
    with pytest.raises(TapeError) as error:
        Take.of_line(line)
    assert why in str(error.value)


# -- files


@pytest.mark.parametrize("name", ["run.jsonl", "run.jsonl.gz"])
def test_only_its_owner_may_read_a_tape(tmp_path, name):
    write(tmp_path / name, FULL, take("2"), rotate_at=10)
    modes = {stat.S_IMODE(one.stat().st_mode) for one in tmp_path.iterdir()}
    assert modes == {0o600}


def test_a_tape_is_rotated_by_size_and_compressed(tmp_path):
    write(tmp_path / "run.jsonl", *(take(str(i)) for i in range(5)), rotate_at=2 * len(take().line()))
    assert sorted(one.name for one in tmp_path.iterdir()) == ["run.0001.jsonl.gz", "run.0002.jsonl.gz", "run.jsonl"]
    assert ids(tmp_path / "run.jsonl") == ["0", "1", "2", "3", "4"]
    assert ids(tmp_path / "run.0002.jsonl.gz") == ["2", "3"]
    write(tmp_path / "run.jsonl", take("5"))
    assert ids(tmp_path / "run.jsonl") == ["0", "1", "2", "3", "4", "5"]


def test_a_tape_named_gz_is_compressed_when_it_is_closed_and_can_be_gone_on_with(tmp_path):
    write(tmp_path / "run.jsonl.gz", take("1"))
    assert [one.name for one in tmp_path.iterdir()] == ["run.jsonl.gz"]
    write(tmp_path / "run.jsonl.gz", take("2"))
    assert sorted(one.name for one in tmp_path.iterdir()) == ["run.0001.jsonl.gz", "run.jsonl.gz"]
    assert ids(tmp_path / "run.jsonl.gz") == ["1", "2"]


@pytest.mark.parametrize("words", [b"my notes", b"my notes\nand more", b'{"port": 8080}\n', b"[1]\n"])
def test_a_file_that_is_no_tape_is_left_as_it_is(tmp_path, words):
    path = tmp_path / "notes.txt"
    path.write_bytes(words)
    with pytest.raises(TapeError, match="it is no tape, and is left as it is"):
        Writer(path)
    assert path.read_bytes() == words


def test_a_tape_that_was_open_to_all_is_no_more(tmp_path):
    path = tmp_path / "run.jsonl"
    path.write_bytes(take("1").line())
    path.chmod(0o644)
    write(path, take("2"))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert ids(path) == ["1", "2"]


def test_a_part_for_which_there_is_no_room_compressed_stays_as_it_is(tmp_path, monkeypatch):
    def full(*_):
        raise OSError("no space left")

    monkeypatch.setattr("shutil.copyfileobj", full)
    write(tmp_path / "run.jsonl.gz", *(take(str(i)) for i in range(3)), rotate_at=10)
    names = sorted(one.name for one in tmp_path.iterdir())
    assert names == ["run.0001.jsonl", "run.0002.jsonl", "run.jsonl"]
    assert ids(tmp_path / "run.jsonl.gz") == ["0", "1", "2"]


def test_a_tape_with_nothing_on_it_leaves_no_file(tmp_path):
    Writer(tmp_path / "run.jsonl").close()
    assert list(tmp_path.iterdir()) == []


def test_a_full_tape_says_so_and_stays_whole(tmp_path):
    writer = Writer(tmp_path / "run.jsonl", limit=len(take().line()) + 10)
    writer.write(take("1"))
    with pytest.raises(TapeError, match=r"run\.jsonl: the tape is full"):
        writer.write(take("2"))
    writer.close()
    assert ids(tmp_path / "run.jsonl") == ["1"]


def test_two_recorders_cannot_have_one_tape(tmp_path):
    writer = Writer(tmp_path / "run.jsonl")
    with pytest.raises(TapeError, match="another recorder is writing to it"):
        Writer(tmp_path / "run.jsonl")
    writer.close()


def test_a_tape_that_is_not_there(tmp_path):
    with pytest.raises(TapeError, match="there is no such tape"):
        Tape(tmp_path / "run.jsonl")


# -- crashes


def broken(path, data, cut=7):
    path.write_bytes(data[:-cut])


@pytest.mark.parametrize("cut", [1, 2, 30])
def test_a_broken_last_line_is_left_out_and_said(tmp_path, cut):
    path = tmp_path / "run.jsonl"
    broken(path, take("1").line() + take("2").line(), cut)
    tape = Tape(path)
    whole = cut == 1  # only the end of the line is missing
    assert [one.id for one in tape] == (["1", "2"] if whole else ["1"])
    assert whole or f"{path} line 2, the last one, is left out: it is no JSON" in tape.dropped


def test_a_compressed_tape_that_breaks_off_gives_what_it_has(tmp_path):
    path = tmp_path / "run.jsonl.gz"
    noise = [take(str(i), request_body=bytes(range(i, 256)) * 40) for i in range(200)]
    packed = gzip.compress(b"".join(one.line() for one in noise))
    path.write_bytes(packed[: len(packed) * 2 // 3])
    tape = Tape(path)
    got = list(tape)
    assert got == noise[: len(got)]
    assert 0 < len(got) < 200
    assert "the last one, is left out" in tape.dropped


def test_a_broken_line_in_the_middle_is_an_error_that_names_it(tmp_path):
    path = tmp_path / "run.jsonl"
    path.write_bytes(take("1").line() + b'{"v":1\n' + take("3").line())
    with pytest.raises(TapeError, match=r"run\.jsonl line 2: it is no JSON"):
        list(Tape(path))


def test_a_recorder_that_goes_on_after_a_crash_takes_the_broken_line_away(tmp_path):
    path = tmp_path / "run.jsonl"
    broken(path, take("1").line() + take("2").line())
    writer = Writer(path)
    assert f"{path}: the last line was broken and is taken away" in writer.said
    writer.write(take("3"))
    writer.close()
    tape = Tape(path)
    assert [one.id for one in tape] == ["1", "3"]
    assert not tape.dropped


def test_a_crash_while_compressing_loses_and_doubles_nothing(tmp_path):
    whole = take("1").line()
    (tmp_path / "run.0001.jsonl").write_bytes(whole)
    (tmp_path / "run.0001.jsonl.gz").write_bytes(gzip.compress(whole))
    (tmp_path / "run.jsonl").write_bytes(take("2").line())
    (tmp_path / "run.jsonl.gz").write_bytes(gzip.compress(take("2").line()))
    assert ids(tmp_path / "run.jsonl") == ["1", "2"]
    write(tmp_path / "run.jsonl", take("3"))
    assert sorted(one.name for one in tmp_path.iterdir()) == ["run.0001.jsonl.gz", "run.jsonl"]
    assert ids(tmp_path / "run.jsonl") == ["1", "2", "3"]
