from tests.person import home

__all__ = ["home"]
