"""A Xero to run against: consent, tokens, connections and the Accounting API at one address, with Xero's limits.

`python -m libs.xero.standin --port 0 --store FILE` starts it as a process of its own, `running_standin` inside one.
"""

from libs.xero.standin.server import Standin, running_standin

__all__ = ["Standin", "running_standin"]
