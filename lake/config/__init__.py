"""Settings: which remotes there are, by which names, in which order; and who said so.

```
.lake/config.yaml          the project's, committed; found upward from where one starts
.lake/config.local.yaml    this checkout's own, ignored by git
~/.config/lake/config.yaml the user's own, and the only one that grants trust
```
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lake.config.config import Config as Config
    from lake.config.config import Setting as Setting
    from lake.config.edit import Scope as Scope
    from lake.config.edit import change as change
    from lake.config.files import ConfigFile as ConfigFile
    from lake.config.files import Kind as Kind
    from lake.config.places import cache_dir as cache_dir
    from lake.config.places import find_project as find_project
    from lake.config.remote import Origin as Origin
    from lake.config.remote import Remote as Remote
    from lake.secrets import user_directory as user_directory

_HOMES = {
    "Config": "lake.config.config",
    "ConfigFile": "lake.config.files",
    "Kind": "lake.config.files",
    "Origin": "lake.config.remote",
    "Remote": "lake.config.remote",
    "Scope": "lake.config.edit",
    "Setting": "lake.config.config",
    "cache_dir": "lake.config.places",
    "change": "lake.config.edit",
    "find_project": "lake.config.places",
    "user_directory": "lake.secrets",
}

__all__ = [
    "Config",
    "ConfigFile",
    "Kind",
    "Origin",
    "Remote",
    "Scope",
    "Setting",
    "cache_dir",
    "change",
    "find_project",
    "user_directory",
]


def __getattr__(name: str) -> Any:
    # Where settings lie is asked for on paths that must not pay for reading YAML.
    if name in _HOMES:
        import importlib

        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
