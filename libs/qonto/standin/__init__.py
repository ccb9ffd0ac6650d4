"""A Qonto of our own: a real server that behaves as Qonto is documented, and seen, to behave.

It exists so that nothing of Qonto has to be imagined in a test. Run it with `python -m libs.qonto.standin`, or inside a
program with `running_standin`; `GET /_standin/` lists what can be seen and ordered.
"""

from libs.qonto.standin.beginning import DEFAULT_CLIENT, DEFAULT_CLIENT_SECRET, DEFAULT_ORGANIZATION
from libs.qonto.standin.running import Standin, running_standin

__all__ = ["DEFAULT_CLIENT", "DEFAULT_CLIENT_SECRET", "DEFAULT_ORGANIZATION", "Standin", "running_standin"]
