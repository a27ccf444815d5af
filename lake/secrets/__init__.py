"""What must never be seen: secret strings, their scrubbing from text, and the user's own store.

`SecretStr` holds one secret and shows stars; making one registers its value, and from then on
`redact` (and every log record of this process) shows `[secret]` in its place. `save` and `load`
keep access keys in the user's keyring or in a file that only the user can read.
"""

from lake.secrets.keep import (
    Saved,
    forget,
    load,
    references,
    save,
    save_key_file,
    user_directory,
)
from lake.secrets.scrub import RedactingFilter, redact, register
from lake.secrets.secret import SecretStr

__all__ = [
    "RedactingFilter",
    "Saved",
    "SecretStr",
    "forget",
    "load",
    "redact",
    "references",
    "register",
    "save",
    "save_key_file",
    "user_directory",
]
