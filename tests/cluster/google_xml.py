"""What delta-rs asks of Google's store and fake-gcs-server does not answer, put before that server.

delta-rs speaks the store's XML interface. Of it that server knows only reads, and its listings lack what Google's have:
milliseconds, pages, a start. This program turns writes and listings into requests of the JSON interface, with their
conditions, and hands everything else on: `python -m tests.cluster.google_xml PORT PORT_BEHIND`.
"""

from __future__ import annotations

import json
import sys
import threading
from http.server import ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit
from xml.sax.saxutils import escape

from tests.cluster.faulty_store import GOOGLES_JSON, Between, asked, xml
from tests.cluster.servers import HERE

if TYPE_CHECKING:
    from typing import Any

NAMESPACE = "http://doc.s3.amazonaws.com/2006-03-01"
CONDITION = "x-goog-if-generation-match"
SOURCE = "x-goog-copy-source"
NOT_FOUND, PRECONDITION_FAILED = 404, 412
NO_BUCKET = xml("NoSuchBucket", "The specified bucket does not exist.")
FAILED = xml("PreconditionFailed", "At least one of the pre-conditions you specified did not hold.")
Answer = tuple[int, dict[str, str], bytes]


class GoogleXml(ThreadingHTTPServer):
    """The server, and the parts of uploads that are not complete."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, behind: int) -> None:
        super().__init__((HERE, port), _Handler)
        self.behind = behind
        self.parts: dict[str, dict[int, bytes]] = {}
        self.lock = threading.Lock()


class _Handler(Between):
    server: GoogleXml

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        url = urlsplit(self.path)
        query = dict(parse_qsl(url.query, keep_blank_values=True))
        bucket, _, name = unquote(url.path).lstrip("/").partition("/")
        if self.path.startswith(GOOGLES_JSON):
            self._hand_on(body)
        elif self.command == "GET" and not name:
            self.say(*self._listed(bucket, query))
        elif "uploads" in query or "uploadId" in query:
            self.say(*self._in_parts(bucket, name, query, body))
        elif self.command == "PUT" and SOURCE in self.headers:
            self.say(*self._copied(bucket, name))
        elif self.command == "PUT":
            self.say(*self._uploaded(bucket, name, body))
        else:
            self._hand_on(body)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _answer  # noqa: N815 - the library's names

    def _hand_on(self, body: bytes) -> None:
        # That server answers for one host only.
        told = {name: value for name, value in self.headers.items() if name.lower() != "host"}
        self.say(*asked(self.server.behind, self.command, self.path, body, told))

    def _conditions(self) -> dict[str, str]:
        wanted = self.headers.get(CONDITION)
        return {} if wanted is None else {"ifGenerationMatch": wanted}

    def _uploaded(self, bucket: str, name: str, content: bytes) -> Answer:
        query = urlencode({"uploadType": "media", "name": name} | self._conditions(), quote_via=quote)
        kind = {"Content-Type": self.headers.get("Content-Type") or "application/octet-stream"}
        path = f"/upload/storage/v1/b/{bucket}/o?{query}"
        return _written(*asked(self.server.behind, "POST", path, content, kind))

    def _copied(self, bucket: str, name: str) -> Answer:
        origin, _, source = unquote(self.headers[SOURCE]).lstrip("/").partition("/")
        to = f"/b/{bucket}/o/{quote(name, safe='')}?{urlencode(self._conditions())}"
        path = f"/storage/v1/b/{origin}/o/{quote(source, safe='')}/rewriteTo{to}"
        return _written(*asked(self.server.behind, "POST", path))

    def _in_parts(self, bucket: str, name: str, query: dict[str, str], body: bytes) -> Answer:
        """An upload in parts: begun, a part of it, given up, completed."""
        if "uploads" in query:
            with self.server.lock:
                number = f"upload-{len(self.server.parts)}"
                self.server.parts[number] = {}
            return 200, {}, _document("InitiateMultipartUploadResult", _element("UploadId", number))
        parts = self.server.parts[query["uploadId"]]
        if self.command == "PUT":
            parts[int(query["partNumber"])] = body
            return 200, {"ETag": f'"{len(body)}"'}, b""
        if self.command == "DELETE":
            parts.clear()
            return 204, {}, b""
        whole = b"".join(parts[number] for number in sorted(parts))
        status, headers, told = self._uploaded(bucket, name, whole)
        done = _document("CompleteMultipartUploadResult", _element("ETag", headers.get("ETag", "")))
        return status, headers, done if headers else told

    def _listed(self, bucket: str, query: dict[str, str]) -> Answer:
        names = {"prefix": "prefix", "delimiter": "delimiter", "max-keys": "maxResults"}
        names |= {"continuation-token": "pageToken", "start-after": "startOffset"}
        wanted = {name: query[ours] for ours, name in names.items() if ours in query}
        path = f"/storage/v1/b/{bucket}/o?{urlencode(wanted)}"
        status, _, told = asked(self.server.behind, "GET", path)
        if status != 200:
            return status, {}, NO_BUCKET if status == NOT_FOUND else told
        answer = json.loads(told)
        parts = [_element("Name", bucket), _element("IsTruncated", str("nextPageToken" in answer).lower())]
        if "nextPageToken" in answer:
            parts.append(_element("NextContinuationToken", answer["nextPageToken"]))
        parts += [_object(each) for each in answer.get("items", []) if each["name"] != query.get("start-after")]
        parts += [f"<CommonPrefixes>{_element('Prefix', each)}</CommonPrefixes>" for each in answer.get("prefixes", [])]
        return 200, {"Content-Type": "application/xml"}, _document("ListBucketResult", *parts)


def _written(status: int, _: dict[str, str], told: bytes) -> Answer:
    """The answer to a write, of which the interface says tag and generation in headers."""
    if status == PRECONDITION_FAILED:
        return status, {}, FAILED
    if status == NOT_FOUND:
        return status, {}, NO_BUCKET
    if status != 200:
        return status, {}, told
    answer = json.loads(told)
    answer = answer.get("resource", answer)
    return 200, {"ETag": f'"{answer["etag"]}"', "x-goog-generation": str(answer["generation"])}, b""


def _object(told: dict[str, Any]) -> str:
    """An entry of a listing: its time has milliseconds, that of an object's own headers has none."""
    updated = told["updated"].removesuffix("Z")
    seconds, _, fraction = updated.partition(".")
    elements = {"Key": told["name"], "Generation": told["generation"], "MetaGeneration": 1}
    elements |= {"LastModified": f"{seconds}.{fraction[:3]:0<3}Z", "ETag": f'"{told["etag"]}"', "Size": told["size"]}
    return f"<Contents>{''.join(_element(name, str(value)) for name, value in elements.items())}</Contents>"


def _element(name: str, value: str) -> str:
    return f"<{name}>{escape(value)}</{name}>"


def _document(name: str, *parts: str) -> bytes:
    return f'<?xml version="1.0" encoding="UTF-8"?><{name} xmlns="{NAMESPACE}">{"".join(parts)}</{name}>'.encode()


if __name__ == "__main__":
    with GoogleXml(int(sys.argv[1]), int(sys.argv[2])) as server:
        server.serve_forever()
