"""A host that takes logins by Kerberos with MIT's library, for tests: it
answers each sealed message with the same text in capitals, sealed. Within TLS
it checks what the login is bound to. Takes the PEM files of certificate and
key, and the certificate to check for; or nothing, for HTTP."""
import base64
import hashlib
import http.server
import re
import ssl
import struct
import sys

import gssapi
from gssapi.raw import ChannelBindings, IOV, IOVBufferType, unwrap_iov, wrap_iov

PROTOCOL = b"application/HTTP-SPNEGO-session-encrypted"
BOUNDARY = b"--Encrypted Boundary"
bindings = None


def unseal(context, body):
    text = re.fullmatch(
        rb"--Encrypted Boundary\r\n\tContent-Type: " + re.escape(PROTOCOL) +
        rb"\r\n\tOriginalContent: type=application/soap\+xml;charset=UTF-8;Length=(\d+)\r\n"
        rb"--Encrypted Boundary\r\n\tContent-Type: application/octet-stream\r\n(.*)--Encrypted Boundary--\r\n",
        body, re.DOTALL)
    length, sealed = int(text[1]), text[2]
    (size,) = struct.unpack("<I", sealed[:4])
    iov = IOV((IOVBufferType.header, False, sealed[4:4 + size]), (IOVBufferType.data, False, sealed[4 + size:]),
              (IOVBufferType.data, False, b""), std_layout=False)
    result = unwrap_iov(context, iov)
    assert result.encrypted, "not encrypted"
    plain = iov[1].value
    assert len(plain) == length, "length"
    return plain


def seal(context, plain):
    iov = IOV(IOVBufferType.header, plain, IOVBufferType.padding, std_layout=False)
    assert wrap_iov(context, iov, confidential=True), "not encrypted"
    signature, sealed = iov[0].value, iov[1].value + (iov[2].value or b"")
    return (BOUNDARY + b"\r\n\tContent-Type: " + PROTOCOL +
            b"\r\n\tOriginalContent: type=application/soap+xml;charset=UTF-8;Length=" + str(len(plain)).encode() +
            b"\r\n" + BOUNDARY + b"\r\n\tContent-Type: application/octet-stream\r\n" +
            struct.pack("<I", len(signature)) + signature + sealed + BOUNDARY + b"--\r\n")


class Host(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    context = None

    def log_message(self, *_):
        pass

    def answer(self, status, body=b"", kind=None, token=None):
        self.send_response(status)
        if token is not None:
            self.send_header("WWW-Authenticate", "Negotiate " + base64.b64encode(token).decode())
        if kind:
            self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        login = self.headers.get("Authorization", "")
        if login.startswith("Negotiate "):
            context, token = gssapi.SecurityContext(
                creds=gssapi.Credentials(usage="accept"), channel_bindings=bindings), None
            try:
                token = context.step(base64.b64decode(login[10:]))
                assert context.complete, "one message was not enough"
            except gssapi.exceptions.GSSError as error:  # after a step that made a token, too
                print("refused:", error, file=sys.stderr)
                return self.answer(401, token=token or getattr(error, "token", None) or b"")
            self.context = context
            return self.answer(200, token=token)
        if self.context is None:
            return self.answer(401)
        if bindings:
            return self.answer(200, body.upper(), "application/soap+xml;charset=UTF-8")
        reply = seal(self.context, unseal(self.context, body).upper())
        kind = 'multipart/encrypted;protocol="' + PROTOCOL.decode() + '";boundary="Encrypted Boundary"'
        self.answer(200, reply, kind)


def main():
    global bindings
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Host)
    server.daemon_threads = True
    if len(sys.argv) > 1:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(sys.argv[1], sys.argv[2])
        der = ssl.PEM_cert_to_DER_cert(open(sys.argv[3], encoding="ascii").read())
        bindings = ChannelBindings(application_data=b"tls-server-end-point:" + hashlib.sha256(der).digest())
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    print(server.server_port, flush=True)
    server.serve_forever()


main()
