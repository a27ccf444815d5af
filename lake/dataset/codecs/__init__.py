"""Bytes to Python objects and back, by media type.

A codec is a module (or any object) with two functions:

    decode(data: bytes, media_type: str) -> object
    encode(obj: object, media_type: str) -> bytes       (where that makes sense)

`registry.MODULES` names those of lake; other packages register theirs under the entry-point
group "lake.codecs", with the media type as the name. A codec is imported when first used. No
codec unpickles, runs or fetches anything. Bytes of a type that no codec knows stay bytes.

>>> decode(b"[1, 2]", "application/json")
[1, 2]
>>> decode(encode({"a": 1}, "application/yaml"), "application/yaml")
{'a': 1}
>>> media_type_of("photo.JPG"), extension_of("image/jpeg")
(('image/jpeg', 'JPG'), 'jpg')
"""

from lake.dataset.codecs.media import extension_of, media_type_of
from lake.dataset.codecs.registry import can_encode, decode, encode

__all__ = ["can_encode", "decode", "encode", "extension_of", "media_type_of"]
