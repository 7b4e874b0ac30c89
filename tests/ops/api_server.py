"""A Kubernetes API server for tests: real requests over HTTP, real rights, invented pods.

It answers the few requests that `ditto ops` may make as Kubernetes does, refuses whatever the Role
of deploy/k8s/components/ops-rbac does not grant, and remembers what was asked.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import yaml

Object = dict[str, Any]
Right = tuple[str, str, str]
"""API group, resource (with subresource) and verb."""
NAMESPACE = "ditto"
_ROLE = Path(__file__).resolve().parents[2] / "deploy/k8s/components/ops-rbac/role.yaml"
_PATH = re.compile(
    r"/(?:api|apis/(?P<group>[a-z0-9.]+))/(?P<version>v\w+)/namespaces/(?P<namespace>[^/]+)"
    r"/(?P<resource>[a-z]+)(?:/(?P<name>[^/]+)(?:/(?P<sub>[a-z]+)(?P<rest>/.*)?)?)?"
)
_VERSIONS = {"": "v1", "apps": "v1", "autoscaling": "v2"}


def granted() -> set[Right]:
    """What the Role lets an operator do."""
    role = next(each for each in yaml.safe_load_all(_ROLE.read_text()) if each["kind"] == "Role")
    return {
        (group, resource, verb)
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


@dataclass
class Request:
    """One request as it came."""

    method: str
    path: str
    query: dict[str, list[str]]
    content_type: str
    body: Any


@dataclass
class Cluster:
    """The state that requests see and change."""

    pods: dict[str, Object] = field(default_factory=dict)
    pages: dict[str, str] = field(default_factory=dict)
    """Metrics page by pod."""
    deployments: dict[str, Object] = field(default_factory=dict)
    autoscalers: list[Object] = field(default_factory=list)
    evictions_forbidden: bool = False
    rights: set[Right] = field(default_factory=granted)
    looks_until_gone: int = 2
    """An evicted pod is still seen so often."""
    used: set[Right] = field(default_factory=set)
    requests: list[Request] = field(default_factory=list)

    def add(self, deployment: str, pods: dict[str, str], phase: str = "Running") -> None:
        """A Deployment and its pods with their pages."""
        labels = {
            "app.kubernetes.io/part-of": "ditto-cluster",
            "app.kubernetes.io/component": deployment.replace("-", "_"),
            "ditto/metrics": "enabled",
        }
        self.deployments[deployment] = {
            "metadata": {"name": deployment, "labels": labels},
            "spec": {
                "replicas": len(pods),
                "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": {"containers": []}},
            },
        }
        for name, page in pods.items():
            self.pods[name] = {
                "metadata": {"name": name, "labels": labels},
                "status": {"phase": phase},
            }
            self.pages[name] = page


class RefusalError(Exception):
    """An error status with its message."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class ApiServer:
    """Serves a `Cluster` until closed."""

    def __init__(self, cluster: Cluster) -> None:
        handler = type("Handler", (_Handler,), {"cluster": cluster})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        Thread(target=self._server.serve_forever, daemon=True).start()

    def write_kubeconfig(self, file: Path) -> Path:
        """A configuration that leads here."""
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "test",
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
            "clusters": [
                {
                    "name": "test",
                    "cluster": {"server": f"http://127.0.0.1:{self._server.server_port}"},
                }
            ],
            "users": [{"name": "test", "user": {"token": "secret"}}],
        }
        file.write_text(yaml.safe_dump(content))
        return file

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    cluster: Cluster

    def do_GET(self) -> None:
        self._answer("get")

    def do_POST(self) -> None:
        self._answer("create")

    def do_PATCH(self) -> None:
        self._answer("patch")

    def log_message(self, *_: object) -> None:
        """Quiet."""

    def _answer(self, verb: str) -> None:
        try:
            code, body = 200, self._handle(verb)
        except RefusalError as refusal:
            code = refusal.code
            body = {"kind": "Status", "apiVersion": "v1", "code": code, "message": str(refusal)}
        is_text = isinstance(body, str)
        data = body.encode() if is_text else json.dumps(body).encode()
        self.send_response(code)
        self.send_header("Content-Type", "text/plain" if is_text else "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _handle(self, verb: str) -> Any:
        url = urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length)) if length else None
        kind = self.headers.get("Content-Type") or ""
        request = Request(self.command, unquote(url.path), parse_qs(url.query), kind, body)
        self.cluster.requests.append(request)
        if self.headers.get("Authorization") != "Bearer secret":
            raise RefusalError(401, "Unauthorized")
        found = _PATH.fullmatch(request.path)
        if found is None or found["namespace"] != NAMESPACE:
            raise RefusalError(404, f"the server has nothing at {request.path}")
        group = found["group"] or ""
        if _VERSIONS.get(group) != found["version"]:
            raise RefusalError(404, f"the server does not serve {group}/{found['version']}")
        resource = "/".join(filter(None, (found["resource"], found["sub"])))
        self._authorise((group, resource, "list" if verb == "get" and not found["name"] else verb))
        return getattr(self, f"_{resource.replace('/', '_')}")(
            request, found["name"], found["rest"]
        )

    def _authorise(self, right: Right) -> None:
        if right not in self.cluster.rights:
            raise RefusalError(
                403, f"user cannot {right[2]} resource {right[1]} in API group {right[0]}"
            )
        self.cluster.used.add(right)

    def _pods(self, request: Request, name: str | None, _: str | None) -> Any:
        if name is None:
            return {"kind": "PodList", "apiVersion": "v1", "items": self._selected(request)}
        if name not in self.cluster.pods:
            raise RefusalError(404, f'pods "{name}" not found')
        pod = self.cluster.pods[name]
        if "deletionTimestamp" in pod["metadata"]:
            self.cluster.looks_until_gone -= 1
            if self.cluster.looks_until_gone <= 0:
                del self.cluster.pods[name]
        return {"kind": "Pod", "apiVersion": "v1", **pod}

    def _selected(self, request: Request) -> list[Object]:
        wanted = dict(pair.split("=") for pair in request.query["labelSelector"][0].split(","))
        pods = self.cluster.pods.values()
        return [pod for pod in pods if wanted.items() <= pod["metadata"]["labels"].items()]

    def _pods_proxy(self, request: Request, name: str | None, rest: str | None) -> Any:
        pod, _, port = (name or "").partition(":")
        if (port, rest) != ("9100", "/metrics") or pod not in self.cluster.pages:
            raise RefusalError(503, "no endpoints available")
        return self.cluster.pages[pod]

    def _pods_eviction(self, request: Request, name: str | None, _: str | None) -> Any:
        assert (request.body["apiVersion"], request.body["kind"]) == ("policy/v1", "Eviction")
        assert request.body["metadata"] == {"name": name, "namespace": NAMESPACE}
        if self.cluster.evictions_forbidden:
            raise RefusalError(
                429, "Cannot evict pod as it would violate the pod's disruption budget."
            )
        self.cluster.pods[name or ""]["metadata"]["deletionTimestamp"] = "2030-01-01T00:00:00Z"
        return {"kind": "Status", "apiVersion": "v1", "status": "Success"}

    def _deployments(self, _: Request, __: str | None, ___: str | None) -> Any:
        items = list(self.cluster.deployments.values())
        return {"kind": "DeploymentList", "apiVersion": "apps/v1", "items": items}

    def _deployments_scale(self, request: Request, name: str | None, _: str | None) -> Any:
        if request.content_type != "application/merge-patch+json":
            raise RefusalError(415, f"unsupported media type {request.content_type}")
        if name not in self.cluster.deployments:
            raise RefusalError(404, f'deployments.apps "{name}" not found')
        self.cluster.deployments[name]["spec"] |= request.body["spec"]
        metadata = {"name": name, "namespace": NAMESPACE}
        return {"kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": metadata}

    def _horizontalpodautoscalers(self, _: Request, __: str | None, ___: str | None) -> Any:
        kind = "HorizontalPodAutoscalerList"
        return {"kind": kind, "apiVersion": "autoscaling/v2", "items": self.cluster.autoscalers}
