"""Bills on paper: what a supplier would have sent, drawn from plain values. For stand-ins, the demo and tests."""

from libs.paper.paper import Language, Paper, PaperLine
from libs.paper.render import render_bill

__all__ = ["Language", "Paper", "PaperLine", "render_bill"]
