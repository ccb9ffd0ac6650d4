"""A browser that follows every link: `BROWSER="python -m tests.support.clicking %s"`.

On a page of ours it allows what it is asked; on a provider's page of consent it refuses.
"""

from __future__ import annotations

import re
import sys
from html import unescape
from urllib.parse import urljoin

import httpx

from libs.runtime.tls import authorities

_FORM = re.compile(r'<form method="?post"? action="([^"]+)"')
_HIDDEN = re.compile(r"""<input type="?hidden"? name="?([a-z_]+)"? value="([^"]*)">""")

_ANSWERS = {"form": {"answer": "allow"}, "consent": {"answer": "deny"}, "client_id": {"decision": "deny"}}
"""What is pressed, by a hidden field that tells whose page it is: ours, Qonto's, Xero's."""


def visit(address: str) -> str:
    """The last page of a visit."""
    with httpx.Client(verify=authorities(), follow_redirects=True, timeout=30) as http:
        page = http.get(address)
        while form := _FORM.search(page.text):
            words = {name: unescape(value) for name, value in _HIDDEN.findall(page.text)}
            pressed = next(answer for name, answer in _ANSWERS.items() if name in words)
            page = http.post(urljoin(str(page.url), form[1]), data={**words, **pressed})
        return page.text


if __name__ == "__main__":
    visit(sys.argv[1])
