"""Makes the code of the messages in `status.proto`. Nothing needs what the compiler makes of services."""

from __future__ import annotations

import sys
from pathlib import Path

from grpc_tools import protoc

ROOT = Path(__file__).parents[3]


def made_into(folder: Path) -> int:
    """Make it into a folder; gives the compiler's status."""
    made = [f"--{kind}_out={folder}" for kind in ("python", "pyi")]
    status: int = protoc.main(["protoc", f"--proto_path={ROOT}", *made, "libs/runtime/proto/status.proto"])
    return status


if __name__ == "__main__":
    sys.exit(made_into(ROOT))
