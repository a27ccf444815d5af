"""Settings: which remotes there are, by which names, in which order; and who said so.

```
.lake/config.yaml          the project's, committed; found upward from where one starts
.lake/config.local.yaml    this checkout's own, ignored by git
~/.config/lake/config.yaml the user's own, and the only one that grants trust
```
"""

from lake.config.config import Config, Setting
from lake.config.edit import Scope, change
from lake.config.files import ConfigFile, Kind
from lake.config.places import cache_dir, find_project
from lake.config.remote import Origin, Remote
from lake.secrets import user_directory

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
