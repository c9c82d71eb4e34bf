"""Configuration files are read as YAML or TOML, and each value's line is known."""

import pytest

from llmsim.errors import SettingsError
from llmsim.server import files


@pytest.fixture
def write(tmp_path):
    def write(text, name="llmsim.yaml"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


YAML = """\
seed: 5
profiles:
  mine:
    ttft: {mean: 100}
    tbt:
      mean: 5
faults:
  - kind: cut
    after_tokens: 3
  - kind: stall
    for_ms: 10
"""

TOML = """\
seed = 5

[profiles.mine]
ttft = {mean = 100}
[profiles.mine.tbt]
mean = 5

[profiles."gpt-5.1 own"]
source = "me"

[[faults]]
kind = "cut"
after_tokens = 3
[[faults]]
kind = "stall"
for_ms = 10
"""


def test_yaml_and_toml_say_the_same(write):
    toml = files.read(write(TOML, "llmsim.toml")).values
    assert toml["profiles"].pop("gpt-5.1 own") == {"source": "me"}
    assert files.read(write(YAML)).values == toml


@pytest.mark.parametrize(
    ("steps", "line"),
    [
        (("seed",), 1),
        (("profiles", "mine"), 3),
        (("profiles", "mine", "ttft", "mean"), 4),
        (("profiles", "mine", "tbt", "mean"), 6),
        (("faults", 0), 8),
        (("faults", 0, "after_tokens"), 9),
        (("faults", 1, "for_ms"), 11),
        (("faults", 1, "nonsense"), 10),
        (("faults", 7), 7),
        (("nowhere",), None),
        ((), None),
    ],
)
def test_a_yaml_value_has_its_line_or_that_of_the_nearest_thing_around_it(write, steps, line):
    assert files.read(write(YAML)).line(steps) == line


@pytest.mark.parametrize(
    ("steps", "line"),
    [
        (("seed",), 1),
        (("profiles", "mine"), 3),
        (("profiles", "mine", "ttft", "mean"), 4),
        (("profiles", "mine", "tbt", "mean"), 6),
        (("profiles", "gpt-5.1 own", "source"), 9),
        (("faults", 0, "after_tokens"), 13),
        (("faults", 1, "for_ms"), 16),
        (("faults", 1, "nonsense"), 14),
        (("nowhere",), None),
        ((), None),
    ],
)
def test_a_toml_value_has_its_line_or_that_of_the_nearest_thing_around_it(write, steps, line):
    assert files.read(write(TOML, "llmsim.toml")).line(steps) == line


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n"])
def test_an_empty_file_sets_nothing(write, text):
    assert files.read(write(text)).values == {}


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("a.yaml", "seed: [1", "line 1 column 9"),
        ("a.yaml", "seed: 1\n  bad: 2\n", "line 2"),
        ("a.yaml", "a: !!python/object:os.system {}", "could not determine a constructor"),
        ("a.yaml", "{[1, 2]: 3}", "line 1"),
        ("a.yaml", "\x00", "not YAML"),
        ("a.yaml", "[" * 1500, "not YAML"),
        ("a.yaml", "- 1\n- 2\n", "a configuration is a mapping of settings, not a list"),
        ("a.yaml", "hello", "not a str"),
        ("a.yaml", b"seed: \xff\xfe\xfa", "not UTF-8"),
        ("a.yaml", "generator: 2024-13-45", "a.yaml"),
        ("a.toml", "seed = \nport = 1", "line 1"),
        ("a.toml", "seed = 1\nseed = 2\nport = 3", "line 2"),
        ("a.toml", "a = " + "[" * 1500, "a.toml"),
        ("a.toml", "a = " + "9" * 5000, "a.toml"),
    ],
)
def test_a_file_that_cannot_be_read_is_named_with_the_reason(write, name, text, reason):
    path = write(text, name)
    with pytest.raises(SettingsError) as told:
        files.read(path)
    assert str(path) in str(told.value)
    assert reason in str(told.value)


def test_a_file_that_is_not_there_or_too_large_is_named(write, tmp_path):
    with pytest.raises(SettingsError, match="cannot be read: No such file"):
        files.read(tmp_path / "nothing.yaml")
    with pytest.raises(SettingsError, match="cannot be read"):
        files.read(tmp_path)
    with pytest.raises(SettingsError, match="larger than 4 MB"):
        files.read(write(b"#" * (5 << 20)))


def test_the_usual_file_is_that_of_the_working_directory_then_the_users_own(tmp_path, monkeypatch):
    home, here = tmp_path / "home", tmp_path / "here"
    (home / "llmsim").mkdir(parents=True)
    here.mkdir()
    monkeypatch.chdir(here)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home))
    assert files.usual() is None
    (home / "llmsim" / "config.yaml").write_text("seed: 1")
    assert files.usual() == home / "llmsim" / "config.yaml"
    (here / "llmsim.toml").write_text("seed = 2")
    assert str(files.usual()) == "llmsim.toml"
    (here / "llmsim.yaml").write_text("seed: 3")
    assert str(files.usual()) == "llmsim.yaml"


def test_half_a_pair_of_surrogates_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"^a\.yaml: .* is not allowed: half a surrogate pair is no text$"):
        files.of('name: "a\\ud800"', "a.yaml")


def test_what_is_nested_deeper_than_anything_real_is_refused() -> None:
    assert files.of("[" * 200 + "]" * 200, "a.yaml").values
    for text in ("[" * 201 + "]" * 201, "{a: " * 201 + "1" + "}" * 201, "- " * 201 + "1", "a: &a {b: *a}"):
        with pytest.raises(SettingsError, match=r"^a\.yaml: it is nested too deeply: at most 200 levels are allowed$"):
            files.of(text, "a.yaml")


def test_yaml_means_the_same_whether_libyaml_is_there_or_not(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "base: &base {seed: 1, rpm: 5}\nown:\n  <<: *base\n  seed: 2\nday: 2026-01-01\nlist: [é, 😀, 'a: b']\n"
    paths = [("own", "seed"), ("list", 1), ("day",), ("base", "rpm")]
    quick = files.of(text, "a.yaml")
    monkeypatch.setattr("yaml.__with_libyaml__", False)
    plain = files.of(text, "a.yaml")
    assert quick.values == plain.values
    assert (
        [quick.place(path) for path in paths]
        == [plain.place(path) for path in paths]
        == [(4, 3), (6, 11), (5, 1), (1, 23)]
    )
