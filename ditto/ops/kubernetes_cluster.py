"""A cluster in Kubernetes: what `ditto ops` asks of the API server, and nothing else.

The rights for it are in deploy/k8s/components/ops-rbac.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ditto.errors import CorruptDataError, DittoError, SetupError
from ditto.ops.page import Page, read_page
from ditto.ops.source import Replica

if TYPE_CHECKING:
    from kubernetes.client import ApiClient

_PROCESSES = "app.kubernetes.io/part-of=ditto-cluster,ditto/metrics=enabled"
_SERVICE_LABEL = "app.kubernetes.io/component"
_METRICS_PORT = 9100
_TIMEOUT_S = 10.0


class RefusedError(DittoError):
    """The cluster refuses what was asked; the message says why and what to do."""


def connect(kubeconfig: str | None, context: str | None) -> ApiClient:
    """A client of the cluster that kubectl would talk to, or of the one that this runs in.

    Raises `SetupError` when the client is not installed or no cluster is configured.
    """
    try:
        from kubernetes import client, config
    except ImportError:
        raise SetupError(
            "the Kubernetes client is not installed; pip install 'ditto-cluster[ops]', or look at "
            "a cluster on this machine with --local"
        ) from None
    try:
        config.load_config(  # type: ignore[no-untyped-call]
            config_file=kubeconfig, context=context
        )
    except config.ConfigException as error:
        raise SetupError(
            f"no Kubernetes cluster is configured ({error}); set KUBECONFIG or --kubeconfig, or "
            "look at a cluster on this machine with --local"
        ) from None
    return client.ApiClient()


class KubernetesCluster:
    """The processes in one namespace. A `ditto.ops.source.Source`."""

    def __init__(self, api: ApiClient, namespace: str) -> None:
        from kubernetes import client

        self._namespace = namespace
        self._core = client.CoreV1Api(api)
        self._apps = client.AppsV1Api(api)
        self._autoscaling = client.AutoscalingV2Api(api)

    def replicas(self) -> list[Replica]:
        """Every pod of the cluster with its page."""
        with _explained(f"list pods in {self._namespace}"):
            pods: list[Any] = self._core.list_namespaced_pod(
                self._namespace, label_selector=_PROCESSES, _request_timeout=_TIMEOUT_S
            ).items
        return [
            Replica(pod.metadata.name, pod.metadata.labels[_SERVICE_LABEL], self._page(pod))
            for pod in pods
        ]

    def wanted(self) -> dict[str, int]:
        """Replicas that the Deployments ask for, a canary's among them."""
        counts: dict[str, int] = {}
        for each in self._deployments():
            service = each.metadata.labels[_SERVICE_LABEL]
            counts[service] = counts.get(service, 0) + (each.spec.replicas or 0)
        return counts

    def scale(self, service: str, replicas: int) -> None:
        """Ask for so many replicas of a service.

        Raises `RefusedError` where an autoscaler would undo it, or there is no such service.
        """
        name = service.replace("_", "-")
        self._require_no_autoscaler(name)
        with _explained(f"scale {name}", missing=lambda: self._no_such(name)):
            self._apps.patch_namespaced_deployment_scale(
                name,
                self._namespace,
                {"spec": {"replicas": replicas}},
                _content_type="application/merge-patch+json",
                _request_timeout=_TIMEOUT_S,
            )

    def evict(self, pod: str) -> None:
        """Have a pod drained and replaced. Raises `RefusedError` when its budget forbids it."""
        from kubernetes import client

        body = client.V1Eviction(
            api_version="policy/v1",
            kind="Eviction",
            metadata=client.V1ObjectMeta(name=pod, namespace=self._namespace),
        )
        with _explained(f"drain {pod}"):
            self._core.create_namespaced_pod_eviction(
                pod, self._namespace, body, _request_timeout=_TIMEOUT_S
            )

    def live_sessions(self, pod: str) -> int | None:
        """Sessions of a pod; None once it has gone. Raises `RefusedError` for one not of ours."""
        from kubernetes.client.exceptions import ApiException

        with _explained(f"look at {pod}"):
            try:
                found: Any = self._core.read_namespaced_pod(
                    pod, self._namespace, _request_timeout=_TIMEOUT_S
                )
            except ApiException as error:
                if error.status == 404:
                    return None
                raise
        if _SERVICE_LABEL not in (found.metadata.labels or {}):
            raise RefusedError(f"{pod} is no process of ditto-cluster; `ditto ops status --each`")
        page = self._page(found)
        return page.live_sessions if page else 0

    def _page(self, pod: Any) -> Page | None:
        """Its metrics page, through the API server; None where it does not answer."""
        from kubernetes.client.exceptions import ApiException

        if pod.status.phase != "Running":
            return None
        with _explained(f"read the metrics of {pod.metadata.name}"):
            try:
                text = self._core.connect_get_namespaced_pod_proxy_with_path(
                    f"{pod.metadata.name}:{_METRICS_PORT}",
                    self._namespace,
                    "metrics",
                    _request_timeout=_TIMEOUT_S,
                )
                return read_page(text)
            except CorruptDataError:
                return None
            except ApiException as error:
                if error.status in (401, 403):
                    raise
                return None

    def _deployments(self) -> list[Any]:
        with _explained(f"list deployments in {self._namespace}"):
            found: Any = self._apps.list_namespaced_deployment(
                self._namespace, label_selector=_PROCESSES, _request_timeout=_TIMEOUT_S
            )
        return list(found.items)

    def _require_no_autoscaler(self, name: str) -> None:
        with _explained(f"list autoscalers in {self._namespace}"):
            found: Any = self._autoscaling.list_namespaced_horizontal_pod_autoscaler(
                self._namespace, _request_timeout=_TIMEOUT_S
            )
        for each in found.items:
            if each.spec.scale_target_ref.name == name:
                raise RefusedError(
                    f"{name} is scaled by {each.metadata.name}, from {each.spec.min_replicas} to "
                    f"{each.spec.max_replicas}; change its limits (KEDA: those of the ScaledObject)"
                )

    def _no_such(self, name: str) -> str:
        known = ", ".join(sorted(each.metadata.name for each in self._deployments()))
        return f"there is no service {name} in {self._namespace}; there are: {known or 'none'}"


@contextmanager
def _explained(what: str, missing: Any = None) -> Iterator[None]:
    """Errors of the API as ours, with the mend."""
    import urllib3
    from kubernetes.client.exceptions import ApiException

    try:
        yield
    except urllib3.exceptions.HTTPError as error:
        raise SetupError(f"cannot {what}: the cluster is out of reach ({error})") from None
    except ApiException as error:
        if error.status == 404 and missing is not None:
            raise RefusedError(missing()) from None
        raise _refusal(what, error) from None


def _refusal(what: str, error: Any) -> RefusedError:
    mends = {
        401: "log in to the cluster again",
        403: "deploy/k8s/components/ops-rbac grants what this command needs",
        404: "`ditto ops status --each` names the pods",
        429: "its disruption budget forbids it now; scale the service out first, or wait",
    }
    mend = mends.get(error.status)
    return RefusedError(f"cannot {what}: {_message(error)}" + (f"; {mend}" if mend else ""))


def _message(error: Any) -> str:
    try:
        return str(json.loads(error.body)["message"])
    except (TypeError, ValueError, KeyError):
        return f"{error.status} {error.reason}"
