"""The manifests in examples/kubernetes hang together, and what they give llmsim is what it takes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from llmsim.server.config import load

FOLDER = Path(__file__).parent.parent / "examples" / "kubernetes"
KUSTOMIZATION = yaml.safe_load((FOLDER / "kustomization.yaml").read_text())
FOUND: dict[tuple[str, str], Any] = {
    (one["kind"], one["metadata"]["name"]): one
    for name in KUSTOMIZATION["resources"]
    for one in yaml.safe_load_all((FOLDER / name).read_text())
}
PODS = [one for (kind, _), one in FOUND.items() if kind == "Deployment"]


def test_every_manifest_is_one_of_the_kustomization() -> None:
    listed = {*KUSTOMIZATION["resources"], "kustomization.yaml", *KUSTOMIZATION["configMapGenerator"][0]["files"]}
    assert {path.name for path in FOLDER.glob("*.yaml")} == listed


@pytest.mark.parametrize("pod", PODS, ids=lambda one: one["metadata"]["name"])
def test_a_pod_is_selected_probed_bounded_and_can_do_little(pod: Any) -> None:
    spec = pod["spec"]["template"]["spec"]
    assert pod["spec"]["selector"]["matchLabels"].items() <= pod["spec"]["template"]["metadata"]["labels"].items()
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["automountServiceAccountToken"] is False
    for container in spec["containers"]:
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert container["resources"]["limits"]["memory"]
        assert container["readinessProbe"]
        assert container["livenessProbe"]
        volumes = {one["name"] for one in spec.get("volumes", ())}
        assert {one["name"] for one in container.get("volumeMounts", ())} <= volumes


def test_services_policies_and_the_autoscaler_mean_pods_that_there_are() -> None:
    labels = [pod["spec"]["template"]["metadata"]["labels"] for pod in PODS]
    for (kind, _), one in FOUND.items():
        if kind == "Service":
            assert any(one["spec"]["selector"].items() <= told.items() for told in labels)
        if kind == "PodDisruptionBudget":
            assert any(one["spec"]["selector"]["matchLabels"].items() <= told.items() for told in labels)
        if kind == "HorizontalPodAutoscaler":
            target = one["spec"]["scaleTargetRef"]
            assert (target["kind"], target["name"]) in FOUND
            assert one["spec"]["minReplicas"] < one["spec"]["maxReplicas"]


def test_the_configuration_is_one_that_llmsim_takes_and_finds_its_redis() -> None:
    config = load(FOLDER / "llmsim.yaml")
    host, port = re.fullmatch(r"redis://([\w-]+):(\d+)/0", config.cluster).groups()  # type: ignore[union-attr]
    service = FOUND["Service", host]
    assert int(port) in [one["port"] for one in service["spec"]["ports"]]
    (container,) = FOUND["Deployment", "llmsim"]["spec"]["template"]["spec"]["containers"]
    assert config.port in [one["containerPort"] for one in container["ports"]]
    grace = FOUND["Deployment", "llmsim"]["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
    assert grace > config.grace_s + 5
