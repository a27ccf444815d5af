"""The text formats of lake, as pure pydantic models: no I/O, nothing of lake imported."""
