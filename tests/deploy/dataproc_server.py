"""A server that speaks two calls of the Dataproc API, with what they promise of request ids; run by .venv-deploy.

    python dataproc_server.py FOLDER ARGUMENTS_OF_SUBMIT…  [+ ARGUMENTS_OF_SUBMIT…]…

Starts it on loopback, submits each after the other, and prints what the client answered and what the server took.
"""

from __future__ import annotations

import json
import sys
from concurrent import futures

import grpc
from google.cloud import dataproc_v1 as dataproc
from google.cloud.dataproc_v1.services.batch_controller.transports import BatchControllerGrpcTransport
from google.cloud.dataproc_v1.services.workflow_template_service.transports import WorkflowTemplateServiceGrpcTransport
from google.longrunning import operations_pb2
from google.protobuf import json_format

sys.path.insert(0, sys.argv[1])
import submit

SERVICES = "google.cloud.dataproc.v1."
TRANSPORTS = {"batch": BatchControllerGrpcTransport, "workflow": WorkflowTemplateServiceGrpcTransport}


class Dataproc:
    """Takes one request of an id, and one batch of a name."""

    def __init__(self, *, forgets: bool) -> None:
        self.taken, self.operations, self.names, self.forgets = [], {}, set(), forgets

    def create_batch(self, request, context):
        name = f"{request.parent}/batches/{request.batch_id}"
        if name in self.names and (self.forgets or request.request_id not in self.operations):
            context.abort(grpc.StatusCode.ALREADY_EXISTS, name)
        self.names.add(name)
        return self._take(request, request.batch)

    def instantiate(self, request, context):  # noqa: ARG002 - gRPC hands it over
        return self._take(request, request.template)

    def _take(self, request, made):
        if request.request_id not in self.operations or self.forgets:
            self.operations[request.request_id] = f"operations/{len(self.taken) + 1}"
            message = json_format.MessageToDict(type(made).pb(made))
            self.taken.append({"parent": request.parent, "request_id": request.request_id, "message": message})
        return operations_pb2.Operation(name=self.operations[request.request_id])


def serve(dataproc_server):
    def handler(call, kind):
        return grpc.unary_unary_rpc_method_handler(
            call,
            request_deserializer=kind.deserialize,
            response_serializer=operations_pb2.Operation.SerializeToString,
        )

    server = grpc.server(futures.ThreadPoolExecutor(2))
    batches = {"CreateBatch": handler(dataproc_server.create_batch, dataproc.CreateBatchRequest)}
    template = dataproc.InstantiateInlineWorkflowTemplateRequest
    workflows = {"InstantiateInlineWorkflowTemplate": handler(dataproc_server.instantiate, template)}
    server.add_generic_rpc_handlers((
        grpc.method_handlers_generic_handler(SERVICES + "BatchController", batches),
        grpc.method_handlers_generic_handler(SERVICES + "WorkflowTemplateService", workflows),
    ))  # fmt: skip
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    return server, port


def main():
    forgets, answers = "forgets" in sys.argv[2], []
    running = Dataproc(forgets=forgets)
    server, port = serve(running)
    for arguments in " ".join(sys.argv[3:]).split(" + "):
        options = submit.asked(arguments.split())
        channel = grpc.insecure_channel(f"127.0.0.1:{port}")
        answers.append(submit.submit(options, TRANSPORTS[options.kind](channel=channel)))
    server.stop(None)
    sys.stdout.write(json.dumps({"answers": answers, "taken": running.taken}))


if __name__ == "__main__":
    main()
