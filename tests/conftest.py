"""What holds for every test: its own settings, cache and home, and nobody's credentials."""

from __future__ import annotations

import os
import signal

import hypothesis
import pytest

pytest_plugins = ["tests.servers.fixtures"]

# A shell starts what runs in the background with Ctrl-C ignored, and children inherit that; the
# tests that press it need it to arrive.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

hypothesis.settings.register_profile("dev", max_examples=25, deadline=None)
hypothesis.settings.register_profile(
    "ci", max_examples=200, deadline=None, print_blob=True, derandomize=True
)
hypothesis.settings.load_profile(
    os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "dev")
)

_FOREIGN = (
    "AWS_", "MINIO_", "MC_", "GOOGLE_", "GCLOUD_", "CLOUDSDK_", "STORAGE_EMULATOR_HOST", "LAKE_",
)  # fmt: skip
_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def _own_world(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """A home of the test's own, and no variable that could lead out of it."""
    home = tmp_path_factory.mktemp("home", numbered=True)
    for name in list(os.environ):
        if name.startswith(_FOREIGN) or name.lower() in _PROXIES:
            monkeypatch.delenv(name)
    for name, folder in {
        "HOME": ".",
        "LAKE_CONFIG_DIR": "config",
        "LAKE_CACHE_DIR": "cache",
        "XDG_CONFIG_HOME": ".config",
        "XDG_CACHE_HOME": ".cache",
        "XDG_DATA_HOME": ".local/share",
    }.items():
        monkeypatch.setenv(name, str(home / folder))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
