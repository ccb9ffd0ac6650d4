"""Where a server can listen, and what is said where it cannot."""

from __future__ import annotations

import pytest

from libs.contracts.errors import Rejected
from libs.runtime.listen import bound_socket, is_free, port_of


def test_a_port_that_another_has_is_named_with_the_reason() -> None:
    with bound_socket() as taken:
        taken.listen()
        port = port_of(taken)
        assert not is_free(port)
        with pytest.raises(
            Rejected, match=f"Nothing can listen on 127.0.0.1:{port}: Address already in use"
        ) as refused:
            bound_socket(port)
        assert refused.value.code == "listen"
    assert is_free(port)


@pytest.mark.parametrize(("port", "host"), [(80_800, "127.0.0.1"), (0, "192.0.2.1"), (0, "no.such.host.invalid")])
def test_an_address_that_this_machine_does_not_have_is_refused(port: int, host: str) -> None:
    """192.0.2.0/24 and `.invalid` are nobody's: RFC 5737 and RFC 2606."""
    with pytest.raises(Rejected, match="Nothing can listen on"):
        bound_socket(port, host)
