"""A Xero to run against: consent, tokens, connections and the Accounting API at one address, with Xero's limits.

`python -m libs.xero.standin --port 0 --store FILE` starts it as a process of its own, `running_standin` inside one; its
one app is `well-demo` with the secret `well-demo-secret`. `GET /_standin/` lists how it is told what to hold and do.

Where Xero's documents are silent, it takes the side that is harder on its callers, or says so here:

- a budget's window opens with the first call after the last one closed, and lives in memory, as faults and counts do;
- If-Modified-Since includes its own second;
- voided and deleted invoices are listed like all others;
- an attachment does not change the time its invoice was changed;
- a refresh token that was replaced is honoured for 30 minutes, and then the tokens it gave live on.
"""

from libs.xero.standin.server import Standin, running_standin

__all__ = ["Standin", "running_standin"]
