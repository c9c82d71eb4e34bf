"""The `llmsim` command: what it says and with which status it ends."""

import runpy
import sys

import pytest

import llmsim
from llmsim import cli
from llmsim.server import logs


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "none"))


@pytest.fixture
def beside():
    """What was done beside them."""
    return []


@pytest.fixture
def served(monkeypatch, beside):
    """The configurations that were served, instead of serving them."""
    configs = []

    async def serve(config, other=None):
        configs.append(config)
        beside.append(other)

    monkeypatch.setattr("llmsim.server.serve.serve", serve)
    monkeypatch.setattr(logs, "set_up", lambda *_: None)
    return configs


def test_a_valid_file_is_said_to_be_so(tmp_path, capsys):
    (tmp_path / "good.yaml").write_text("seed: 5\n")
    assert cli.main(["check", "good.yaml"]) == 0
    assert capsys.readouterr().out == "good.yaml: valid\n"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("phases: [{name: a, for: 2s}]\n", "a scenario of 2 s"),
        ("mocks: [{reply: x}]\n", "1 mock"),
        ("- reply: x\n- reply: y\n", "2 mocks"),
    ],
)
def test_the_fields_of_a_file_tell_what_it_is(tmp_path, capsys, text, told):
    (tmp_path / "it.yaml").write_text(text)
    assert cli.main(["check", "it.yaml"]) == 0
    assert capsys.readouterr().out == f"it.yaml: valid: {told}\n"


@pytest.mark.parametrize("text", ["phases: [{name: a}]\n", "- {reply: x, boo: 1}\n", "mocks: [{}]\n"])
def test_a_scenario_and_mocks_are_told_with_the_place_too(tmp_path, capsys, text):
    (tmp_path / "it.yaml").write_text(text)
    assert cli.main(["check", "it.yaml"]) == 2
    assert capsys.readouterr().err.startswith("llmsim: it.yaml line 1 column ")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("seed: 1\ntarget_tokens: many\n", "llmsim: bad.yaml line 2: target_tokens: 'many' is not allowed"),
        ("seed: [", "llmsim: bad.yaml line 1"),
        ("- 1", "llmsim: bad.yaml: a configuration is a mapping"),
    ],
)
def test_a_bad_file_is_told_on_stderr_with_status_2(tmp_path, capsys, text, words):
    (tmp_path / "bad.yaml").write_text(text)
    assert cli.main(["check", "bad.yaml"]) == 2
    told = capsys.readouterr()
    assert told.err.startswith(words)
    assert told.out == ""


def test_a_file_that_is_not_there_is_told_too(capsys):
    assert cli.main(["check", "nothing.yaml"]) == 2
    assert "llmsim: nothing.yaml: cannot be read: No such file or directory" in capsys.readouterr().err


def test_the_server_gets_the_configuration_of_its_flags(served):
    assert cli.main(["serve", "--port", "0", "--latency-profile", "instant", "--strict"]) == 0
    (config,) = served
    assert (config.port, config.latency_profile, config.strict) == (0, "instant", True)


def test_the_server_tells_its_file_and_variables_without_effect(served, tmp_path, monkeypatch, caplog):
    (tmp_path / "llmsim.yaml").write_text("seed: 5\n")
    monkeypatch.setenv("LLMSIM_SEEED", "6")
    with caplog.at_level("INFO"):
        assert cli.main(["serve"]) == 0
    assert served[0].seed == 5
    assert "configuration from llmsim.yaml" in caplog.text
    assert "LLMSIM_SEEED is no setting" in caplog.text


def test_a_scenario_is_played_beside_the_server(served, beside, tmp_path, capsys):
    assert cli.main(["serve"]) == 0
    (tmp_path / "s.yaml").write_text("phases: [{name: a, for: 2s}]\n")
    assert cli.main(["serve", "--scenario", "s.yaml"]) == 0
    assert (beside[0], beside[1].__self__.scenario.name) == (None, "s")
    assert cli.main(["run", "s.yaml", "--port", "0"]) == 130  # the server ended before anything was judged
    (tmp_path / "s.yaml").write_text("phases: [{name: a}]\n")
    assert cli.main(["serve", "--scenario", "s.yaml"]) == 2
    assert capsys.readouterr().err.startswith("llmsim: s.yaml line 1 column")


def test_a_wrong_flag_ends_with_status_2_and_nothing_is_served(served, capsys):
    assert cli.main(["serve", "--port", "x"]) == 2
    assert capsys.readouterr().err.startswith("llmsim: --port: port: 'x' is not allowed")
    assert served == []


def test_ctrl_c_ends_with_status_130(served, monkeypatch):
    def interrupted(work):
        work.close()
        raise KeyboardInterrupt

    monkeypatch.setattr("llmsim.server.serve.run", interrupted)
    assert cli.main(["serve"]) == 130


def test_it_serves_without_uvloop_too(served, monkeypatch):
    monkeypatch.setitem(sys.modules, "uvloop", None)
    assert cli.main(["serve"]) == 0
    assert len(served) == 1


@pytest.mark.parametrize("arguments", [[], ["nonsense"], ["check"], ["serve", "--nonsense"]])
def test_what_is_no_command_is_told_with_the_usage(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    assert ended.value.code == 2
    assert "usage: llmsim" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["serve"], ["run"], ["check"], ["ctl"], ["ctl", "fault"], ["mocks"]])
def test_help_is_given(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main([*arguments, "--help"])
    assert ended.value.code == 0
    assert "usage: llmsim" in capsys.readouterr().out


def test_every_flag_of_the_server_is_explained_with_its_default(capsys):
    with pytest.raises(SystemExit):
        cli.main(["serve", "--help"])
    told = capsys.readouterr().out
    for flag in ("--port", "--host", "--config", "--latency-profile", "--generator", "--target-tokens"):
        assert flag in told
    assert "(default: 8080)" in told


def test_the_version_is_told(capsys):
    with pytest.raises(SystemExit):
        cli.main(["--version"])
    assert capsys.readouterr().out == f"llmsim {llmsim.__version__}\n"


def test_python_m_llmsim_is_the_command(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["llmsim", "check", "nothing.yaml"])
    with pytest.raises(SystemExit) as ended:
        runpy.run_module("llmsim", run_name="__main__")
    assert ended.value.code == 2


def test_several_processes_cannot_record_a_session_and_say_what_can(served, capsys):
    assert cli.main(["serve", "--workers", "2", "--record-session", "a.jsonl"]) == 2
    assert "llmsim-tui --attach URL --record FILE" in capsys.readouterr().err
    assert not served


def test_a_server_is_told_where_to_record_its_session(served):
    assert cli.main(["serve", "--record-session", "a.jsonl"]) == 0
    assert served[0].record_session == "a.jsonl"


def test_a_message_cannot_steer_the_terminal(capsys, tmp_path):
    (tmp_path / "a.yaml").write_text('{"\\e[2J\\e]0;owned\\a": 1}')
    assert cli.main(["check", str(tmp_path / "a.yaml")]) == 2
    told = capsys.readouterr()
    assert "\x1b" not in told.err + told.out
    assert "\\x1b[2J" in told.err + told.out
