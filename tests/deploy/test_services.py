"""Each service runs as one that was thought of: closed in, asked how it stands, and given no more than it needs."""

from __future__ import annotations

import re
from typing import Final

import pytest

from tests.deploy.rendered import OVERLAYS, environment, of_kind, pod_templates, rendered, service_of
from tests.house.tree import REPOSITORY

SERVICES: Final = {file.parent.name for file in REPOSITORY.glob("services/*/main.py")}
"""What the code has that runs by itself."""

pytestmark = pytest.mark.parametrize("overlay", OVERLAYS)


@pytest.mark.parametrize("kind", ["Deployment", "Service", "PodDisruptionBudget"])
def test_every_service_of_the_code_has_one_and_nothing_else_has(overlay: str, kind: str) -> None:
    assert {service_of(name) for name in of_kind(overlay, kind)} == SERVICES


def test_a_pod_runs_the_service_that_it_is_named_after(overlay: str) -> None:
    for name, deployment in of_kind(overlay, "Deployment").items():
        (container,) = deployment["spec"]["template"]["spec"]["containers"]
        assert container["args"] == ["run", service_of(name)]
        assert "command" not in container


def test_services_and_budgets_select_the_pods_of_their_deployment(overlay: str) -> None:
    for name, deployment in of_kind(overlay, "Deployment").items():
        labels = deployment["spec"]["template"]["metadata"]["labels"]
        own = {"app.kubernetes.io/name": name}
        assert own.items() <= labels.items()
        assert deployment["spec"]["selector"]["matchLabels"] == own
        assert of_kind(overlay, "Service")[name]["spec"]["selector"] == own
        assert of_kind(overlay, "PodDisruptionBudget")[name]["spec"]["selector"]["matchLabels"] == own


def test_every_pod_runs_one_image_as_nobody_and_can_write_nowhere(overlay: str) -> None:
    images = set()
    for name, pod in pod_templates(overlay):
        (container,) = pod["spec"]["containers"]
        images.add(container["image"])
        assert "initContainers" not in pod["spec"], name
        assert pod["spec"]["securityContext"].items() >= {"runAsNonRoot": True, "runAsUser": 10001}.items(), name
        assert pod["spec"]["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert pod["spec"]["automountServiceAccountToken"] is False, name
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }, name
        assert not {"hostNetwork", "hostPID", "hostIPC"} & set(pod["spec"]), name
    (image,) = images
    assert not image.endswith(":latest")
    assert ":" in image


def test_every_pod_says_what_it_takes_and_may_not_grow_beyond_its_memory(overlay: str) -> None:
    for name, pod in pod_templates(overlay):
        (container,) = pod["spec"]["containers"]
        asked, most = container["resources"]["requests"], container["resources"]["limits"]
        assert {"cpu", "memory"} <= set(asked), name
        assert most == {"memory": asked["memory"]}, name


def test_every_service_is_asked_over_http_and_grpc_how_it_stands(overlay: str) -> None:
    for name, deployment in of_kind(overlay, "Deployment").items():
        (container,) = deployment["spec"]["template"]["spec"]["containers"]
        assert container["livenessProbe"]["httpGet"] == {"path": "/livez", "port": "http"}, name
        assert container["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": "http"}, name
        ports = {port["name"]: port["containerPort"] for port in container["ports"]}
        assert container["startupProbe"]["grpc"] == {"port": ports["grpc"]}, name
        told = environment(overlay, deployment["spec"]["template"])
        listens = {key: int(str(told[key]).rpartition(":")[2]) for key in ("WELL_LISTEN", "WELL_GRPC_LISTEN")}
        assert listens == {"WELL_LISTEN": ports["http"], "WELL_GRPC_LISTEN": ports["grpc"]}, name


def test_no_manifest_holds_a_secret(overlay: str) -> None:
    assert of_kind(overlay, "Secret") == {}
    for name, pod in pod_templates(overlay):
        told = environment(overlay, pod)
        for variable, value in told.items():
            if re.search("SECRET|PASSWORD|TOKEN|CLIENT_ID|KEY", variable):
                assert value is None or value.startswith("/etc/well/"), f"{name}: {variable} is said in the open"
            assert not re.search(r"//[^/]*:[^$@/]+@", value or ""), f"{name}: {variable} has a password in it"
    for config in of_kind(overlay, "ConfigMap").values():
        assert not re.search("SECRET|PASSWORD|TOKEN|KEY", " ".join(config["data"]))


def test_only_auth_is_given_the_key_and_the_clients_of_the_providers(overlay: str) -> None:
    for name, pod in pod_templates(overlay):
        secrets = {volume["secret"]["secretName"] for volume in pod["spec"]["volumes"] if "secret" in volume}
        told = set(environment(overlay, pod))
        assert ("well-key" in secrets) == (name == "auth")
        assert ("WELL_KEY_FILE" in told) == (name == "auth")
        clients = {"XERO_CLIENT_ID", "XERO_CLIENT_SECRET", "QONTO_CLIENT_ID", "QONTO_CLIENT_SECRET"}
        assert clients & told == (clients if name == "auth" else set())


def test_a_service_is_shown_its_own_secret_only_and_auth_needs_none_beside_the_key(overlay: str) -> None:
    for name, deployment in of_kind(overlay, "Deployment").items():
        pod = deployment["spec"]["template"]
        shown = [volume["secret"]["items"] for volume in pod["spec"]["volumes"] if volume["name"] == "secret"]
        file = environment(overlay, pod).get("WELL_SERVICE_SECRET_FILE")
        if name == "auth":
            assert (shown, file) == ([], None)
        else:
            assert shown == [[{"key": service_of(name), "path": service_of(name)}]]
            assert file == f"/etc/well/secret/{service_of(name)}"


def test_only_the_migration_is_the_owner_and_knows_every_role_s_secret(overlay: str) -> None:
    for name, pod in pod_templates(overlay):
        told = environment(overlay, pod)
        assert ("OWNER_PASSWORD" in told) == (name == "migrate")
        assert ("WELL_SERVICE_SECRETS" in told) == (name == "migrate")
        assert ("@" in str(told["WELL_DATABASE_URL"])) == (name == "migrate")


def test_documents_are_written_by_ingest_and_only_read_by_the_pusher(overlay: str) -> None:
    ways = {}
    for name, pod in pod_templates(overlay):
        (container,) = pod["spec"]["containers"]
        for mount in container["volumeMounts"]:
            if mount["name"] == "documents":
                assert environment(overlay, pod)["WELL_BLOBS"] == mount["mountPath"]
                ways[name] = mount.get("readOnly", False)
    assert ways == {"ingest": False, "pusher": True}


def test_every_service_knows_where_browsers_find_it(overlay: str) -> None:
    told = [environment(overlay, one["spec"]["template"]) for one in of_kind(overlay, "Deployment").values()]
    scheme = "http://" if overlay == "local" else "https://"
    for variable in ("WELL_PUBLIC_URL", "WELL_XERO_MCP_URL"):
        (address,) = {one[variable] for one in told}
        assert str(address).startswith(scheme)
        assert overlay == "local" or f"{overlay}.well.example" in str(address)


def test_nothing_lies_outside_the_namespace(overlay: str) -> None:
    assert {found["metadata"].get("namespace") for found in rendered(overlay) if found["kind"] != "Namespace"} == {
        "well"
    }
