"""Who may speak to whom: the policies read as a cluster reads them."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import Any, Final

import pytest

from libs.contracts.topics import TOPICS
from tests.deploy.rendered import OVERLAYS, Manifest, of_kind, pod_templates, service_of

pytestmark = pytest.mark.parametrize("overlay", OVERLAYS)

_POSTGRES: Final = {"cnpg.io/cluster": "well-postgres"}
_KAFKA: Final = {"strimzi.io/cluster": "well", "strimzi.io/kind": "Kafka"}
_SOMEWHERE: Final = "93.184.216.34"
"""An address of the open internet."""


def _matches(selector: Manifest, labels: dict[str, str]) -> bool:
    wanted = selector.get("matchLabels", {}).items()
    return wanted <= labels.items() and all(
        labels.get(rule["key"]) in rule["values"] for rule in selector.get("matchExpressions", ())
    )


def _pods(overlay: str) -> dict[str, dict[str, str]]:
    return {name: pod["metadata"]["labels"] for name, pod in pod_templates(overlay)}


def _rules(overlay: str, direction: str, labels: dict[str, str]) -> list[Manifest]:
    return [
        rule
        for policy in of_kind(overlay, "NetworkPolicy").values()
        if direction.title() in policy["spec"]["policyTypes"] and _matches(policy["spec"]["podSelector"], labels)
        for rule in policy["spec"].get(direction, ())
    ]


def _reaches(overlay: str, labels: dict[str, str], target: dict[str, str] | str, port: int) -> bool:
    return any(
        _is_at(peer, target)
        for rule in _rules(overlay, "egress", labels)
        if port in {opened["port"] for opened in rule["ports"]}
        for peer in rule.get("to", ())
    )


def _is_at(peer: dict[str, Any], target: dict[str, str] | str) -> bool:
    if isinstance(target, str):
        block = peer.get("ipBlock")
        return (
            block is not None
            and ip_address(target) in ip_network(block["cidr"])
            and not any(ip_address(target) in ip_network(left_out) for left_out in block.get("except", ()))
        )
    return "podSelector" in peer and "namespaceSelector" not in peer and _matches(peer["podSelector"], target)


def _enters(overlay: str, source: dict[str, str], labels: dict[str, str], port: int) -> bool:
    return any(
        _is_at(peer, source)
        for rule in _rules(overlay, "ingress", labels)
        if port in {opened["port"] for opened in rule["ports"]}
        for peer in rule.get("from", ())
    )


def test_every_service_has_a_policy_of_its_own_and_whatever_has_none_is_closed(overlay: str) -> None:
    policies = of_kind(overlay, "NetworkPolicy")
    assert set(of_kind(overlay, "Deployment")) <= set(policies)
    assert policies["nothing"]["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


def test_only_those_that_call_a_provider_reach_the_internet_and_only_by_https(overlay: str) -> None:
    pods = _pods(overlay)
    out = {name for name, labels in pods.items() if _reaches(overlay, labels, _SOMEWHERE, 443)}
    assert out == {"auth", "xero-mcp", "ingest", "pusher"}
    assert not [name for name, labels in pods.items() if _reaches(overlay, labels, _SOMEWHERE, 80)]


@pytest.mark.parametrize("inside", ["10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254"])
def test_the_way_to_the_internet_leads_to_nothing_inside(overlay: str, inside: str) -> None:
    assert not [name for name, labels in _pods(overlay).items() if _reaches(overlay, labels, inside, 443)]


def test_everything_reaches_postgres_and_is_let_in(overlay: str) -> None:
    for name, labels in _pods(overlay).items():
        assert _reaches(overlay, labels, _POSTGRES, 5432), name
        assert _enters(overlay, labels, _POSTGRES, 5432), name


def test_those_that_own_or_read_a_topic_reach_kafka_and_are_let_in(overlay: str) -> None:
    speak = {topic.owner for topic in TOPICS} | {reader for topic in TOPICS for reader in topic.readers}
    (kafka,) = of_kind(overlay, "Kafka").values()
    (listener,) = kafka["spec"]["kafka"]["listeners"]
    for name, labels in _pods(overlay).items():
        wanted = service_of(name) in speak
        assert _reaches(overlay, labels, _KAFKA, 9092) == wanted, name
        assert any(_is_at(peer, labels) for peer in listener["networkPolicyPeers"]) == wanted, name


def test_every_other_service_reaches_auth_and_is_let_in(overlay: str) -> None:
    pods = _pods(overlay)
    for name in set(of_kind(overlay, "Deployment")) - {"auth"}:
        assert _reaches(overlay, pods[name], pods["auth"], 8080), name
        assert _enters(overlay, pods[name], pods["auth"], 8080), name


def test_only_ingest_reaches_the_server_for_xero(overlay: str) -> None:
    pods = _pods(overlay)
    assert {name for name, labels in pods.items() if _reaches(overlay, labels, pods["xero-mcp"], 8080)} == {"ingest"}
    assert _enters(overlay, pods["ingest"], pods["xero-mcp"], 8080)


def test_a_service_speaks_to_no_other_than_these_two(overlay: str) -> None:
    pods = _pods(overlay)
    others = {name: labels for name, labels in pods.items() if name not in ("auth", "xero-mcp")}
    found = [
        (name, other)
        for name, labels in pods.items()
        for other, target in others.items()
        if _reaches(overlay, labels, target, 8080) or _reaches(overlay, labels, target, 9090)
    ]
    assert found == []


def test_other_teams_come_to_kafka_and_for_keys_to_auth_and_to_nothing_else(overlay: str) -> None:
    readers = {"namespaceSelector": {"matchLabels": {"well/reads": "true"}}}
    (kafka,) = of_kind(overlay, "Kafka").values()
    assert readers in kafka["spec"]["kafka"]["listeners"][0]["networkPolicyPeers"]
    entered = {
        (name, *(opened["port"] for opened in rule["ports"]))
        for name, labels in _pods(overlay).items()
        for rule in _rules(overlay, "ingress", labels)
        if readers in rule["from"]
    }
    assert entered == {("auth", 8080)}


def test_browsers_come_to_what_has_pages_and_to_nothing_else(overlay: str) -> None:
    from_outside = {
        name
        for name, labels in _pods(overlay).items()
        for rule in _rules(overlay, "ingress", labels)
        if {"namespaceSelector": {"matchLabels": {"well/enters": "true"}}} in rule["from"]
    }
    assert from_outside == {"auth", "xero-mcp", "ingest", "console", "insights"}
