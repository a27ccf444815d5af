from __future__ import annotations

import re
from pathlib import Path

from lake.dataset.codecs import extension_of, registry

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "codecs.md"


def test_the_page_lists_every_codec_with_its_extra() -> None:
    rows = re.findall(
        r"\| `(\S+/[^`.]+|\S+/\S+)` \| (\w+) \| .* \| `?(\w*)`? ?\|", PAGE.read_text()
    )
    listed = {kind: (ext, extra) for kind, ext, extra in rows}
    expected = {
        kind: (extension_of(kind), registry._EXTRAS.get(module, ""))
        for kind, module in registry.MODULES.items()
    }
    assert listed == expected
