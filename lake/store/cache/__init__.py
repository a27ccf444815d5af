"""The user's own cache of verified blobs on this machine.

>>> import hashlib, tempfile
>>> data = b"hello"
>>> digest = hashlib.sha256(data).hexdigest()
>>> with tempfile.TemporaryDirectory() as folder:
...     cache = Cache(folder)
...     path = cache.add_bytes(digest, data)
...     cache.read(digest, 5), cache.get_path(digest, 5) == path
...     cache.close()
(b'hello', True)
"""

from lake.store.cache.bounds import DEFAULT_SIZE
from lake.store.cache.cache import Cache, CacheInfo
from lake.store.cache.eviction import Amount
from lake.store.cache.writer import CacheWriter

__all__ = ["DEFAULT_SIZE", "Amount", "Cache", "CacheInfo", "CacheWriter"]
