"""Configuration: precedence, strictness, and errors that name source and key."""

import inspect
from pathlib import Path

import pytest
from pydantic import Field

from ditto.errors import SetupError
from ditto.serving.config import StageConfig, load_config, parse_config
from services.audio_encoder.config import AudioEncoderConfig
from services.motion_dit.config import MotionDitConfig
from services.renderer.config import RendererConfig


class Config(StageConfig):
    """A model with every kind of key."""

    redis_url: str | None = None
    """A text that may be absent."""
    peers: list[str] = Field(default_factory=list)
    """A list."""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text("listen: 127.0.0.1:7001\nmetrics_listen: 127.0.0.1:9001\nslots: 2\n")
    return path


def test_command_line_beats_environment_beats_file(file):
    assert load_config(Config, file, {}).slots == 2
    assert load_config(Config, file, {"DITTO_SLOTS": "3"}).slots == 3
    assert load_config(Config, file, {"DITTO_SLOTS": "3"}, ["slots=4"]).slots == 4


def test_texts_stay_texts_and_lists_are_yaml(file):
    environment = {"DITTO_REPLICA": "007", "DITTO_REDIS_URL": "redis://h:1/0"}
    config = load_config(Config, file, environment, ["peers=[a:1, b:2]"])
    assert (config.replica, config.redis_url) == ("007", "redis://h:1/0")
    assert config.peers == ["a:1", "b:2"]
    assert load_config(Config, file, environment, ["redis_url=null"]).redis_url is None


def test_the_default_replica_names_this_process(file):
    assert load_config(Config, file, {}).replica


def test_reserved_and_foreign_variables_are_left_alone(file):
    environment = {"DITTO_CACHE_DIR": "/x", "DITTO_CLIENT_TOKEN": "y", "PATH": "/bin"}
    assert load_config(Config, file, environment).slots == 2


@pytest.mark.parametrize(
    ("text", "environment", "settings", "named"),
    [
        ("slotz: 1", {}, [], "slotz"),
        ("", {"DITTO_SLOTZ": "1"}, [], "slotz"),
        ("", {}, ["slotz=1"], "slotz"),
        ("", {}, ["slots"], "KEY=VALUE"),
        ("", {}, ["slots=[1"], "not YAML"),
        ("slots: many", {}, [], "slots"),
        ("slots: 0", {}, [], "slots"),
        ("listen: nowhere", {}, [], "host:port"),
        ("listen: 127.0.0.1:0", {}, [], "host:port"),
        ("log_level: loud", {}, [], "log_level"),
        ("slots: [", {}, [], "config.yaml"),
        ("- a list", {}, [], "config.yaml"),
    ],
)
def test_mistakes_are_setup_errors_that_name_them(file, text, environment, settings, named):
    if text:
        keep = "" if text.startswith("-") else file.read_text()
        kept = [line for line in keep.splitlines() if line.split(":")[0] != text.split(":")[0]]
        file.write_text("\n".join([*kept, text]))
    with pytest.raises(SetupError, match=named):
        load_config(Config, file, environment, settings)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(SetupError, match=r"absent\.yaml"):
        load_config(Config, tmp_path / "absent.yaml", {})


def test_help_explains_every_key(file, capsys):
    with pytest.raises(SystemExit):
        parse_config(Config, file, ["--help"])
    shown = " ".join(capsys.readouterr().out.split())
    for field in Config.model_fields.values():
        assert field.description
        assert " ".join(field.description.split()) in shown


@pytest.mark.parametrize("model", [AudioEncoderConfig, MotionDitConfig, RendererConfig])
def test_the_committed_files_of_the_services_load(model):
    folder = Path(inspect.getfile(model)).parent
    assert load_config(model, folder / "config.yaml", {}).pack == "starter"
