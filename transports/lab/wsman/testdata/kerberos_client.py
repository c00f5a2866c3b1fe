"""Logs in with MIT's Kerberos and asks a server what it is, once or several
times. Takes a job as JSON on standard input, and writes the answers as JSON."""
import base64
import hashlib
import http.client
import json
import re
import ssl
import struct
import sys

import gssapi
from gssapi.raw import ChannelBindings, IOV, IOVBufferType, unwrap_iov, wrap_iov

PROTOCOL = b"application/HTTP-SPNEGO-session-encrypted"
SEALED = 'multipart/encrypted;protocol="' + PROTOCOL.decode() + '";boundary="Encrypted Boundary"'
SOAP = "application/soap+xml;charset=UTF-8"
BOUNDARY = b"--Encrypted Boundary"
MECHANISMS = {"spnego": "1.3.6.1.5.5.2", "kerberos": "1.2.840.113554.1.2.2"}


def seal(context, plain):
    iov = IOV(IOVBufferType.header, plain, IOVBufferType.padding, std_layout=False)
    assert wrap_iov(context, iov, confidential=True), "not encrypted"
    signature, sealed = iov[0].value, iov[1].value + (iov[2].value or b"")
    return (BOUNDARY + b"\r\n\tContent-Type: " + PROTOCOL +
            b"\r\n\tOriginalContent: type=application/soap+xml;charset=UTF-8;Length=" + str(len(plain)).encode() +
            b"\r\n" + BOUNDARY + b"\r\n\tContent-Type: application/octet-stream\r\n" +
            struct.pack("<I", len(signature)) + signature + sealed + BOUNDARY + b"--\r\n")


def unseal(context, body):
    text = re.fullmatch(rb".*;Length=(\d+)\r\n--Encrypted Boundary\r\n\tContent-Type: application/octet-stream\r\n(.*)"
                        rb"--Encrypted Boundary--\r\n", body, re.DOTALL)
    length, sealed = int(text[1]), text[2]
    (size,) = struct.unpack("<I", sealed[:4])
    iov = IOV((IOVBufferType.header, False, sealed[4:4 + size]), (IOVBufferType.data, False, sealed[4 + size:]),
              (IOVBufferType.data, False, b""), std_layout=False)
    assert unwrap_iov(context, iov).encrypted, "not encrypted"
    assert len(iov[1].value) == length, "length"
    return iov[1].value


def login(connection, job):
    bindings = None
    if job.get("bind"):
        der = connection.sock.getpeercert(True)
        if job["bind"] == "wrong":
            der = b"another certificate"
        bindings = ChannelBindings(application_data=b"tls-server-end-point:" + hashlib.sha256(der).digest())
    flags = gssapi.RequirementFlag
    context = gssapi.SecurityContext(
        name=gssapi.Name("HTTP@" + job["host"], gssapi.NameType.hostbased_service), usage="initiate",
        mech=gssapi.OID.from_int_seq(MECHANISMS[job["mechanism"]]), channel_bindings=bindings,
        flags=flags.mutual_authentication | flags.confidentiality | flags.integrity | flags.out_of_sequence_detection)
    token = context.step()
    connection.request("POST", "/wsman", b"", {"Authorization": "Negotiate " + base64.b64encode(token).decode()})
    answer = connection.getresponse()
    answer.read()
    if answer.status != 200:
        said = answer.headers.get("WWW-Authenticate", "").partition(" ")[2]
        if said:
            context.step(base64.b64decode(said))
            context.complete  # raises what the server said
        raise RuntimeError("status %d" % answer.status)
    context.step(base64.b64decode(answer.headers["WWW-Authenticate"].partition(" ")[2]))
    assert context.complete, "the server has not proved who it is"
    return context


def main():
    job = json.load(sys.stdin)
    out = {"answers": [], "error": ""}
    try:
        if job.get("ca"):
            tls = ssl.create_default_context(cafile=job["ca"])
            tls.check_hostname = False
            connection = http.client.HTTPSConnection("127.0.0.1", job["port"], context=tls, timeout=30)
        else:
            connection = http.client.HTTPConnection("127.0.0.1", job["port"], timeout=30)
        connection.connect()
        context = login(connection, job)
        for message in job["messages"]:
            if job.get("ca"):
                connection.request("POST", "/wsman", message.encode(), {"Content-Type": SOAP})
            else:
                connection.request("POST", "/wsman", seal(context, message.encode()), {"Content-Type": SEALED})
            answer = connection.getresponse()
            body = answer.read()
            if not job.get("ca"):
                body = unseal(context, body)
            out["answers"].append("%d %s" % (answer.status, body.decode()))
    except Exception as error:  # the test reads its words
        out["error"] = "%s: %s" % (type(error).__name__, error)
    json.dump(out, sys.stdout)


main()
