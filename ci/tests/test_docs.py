"""The runner of the documentation's code blocks sees the blocks, and a block that fails fails the page."""

from __future__ import annotations

from pathlib import Path

import pytest

import docs

PAGE = """# A page

```python
x = 1
```

<!-- not run: needs a printer -->
```sh
lpr page
```

```python
assert x == {number}
```
"""


def test_blocks_and_their_lines() -> None:
    found = docs.blocks(PAGE)
    assert [(b.language, b.line, b.skipped) for b in found] == [
        ("python", 4, None),
        ("sh", 9, "needs a printer"),
        ("python", 13, None),
    ]


@pytest.mark.parametrize(("number", "problems"), [(1, 0), (2, 1)])
def test_a_page_shares_one_namespace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, problems: int
) -> None:
    monkeypatch.setattr(docs, "ROOT", tmp_path)
    page = tmp_path / "page.md"
    page.write_text(PAGE.format(number=number))
    assert len(docs.run_page(page)) == problems
