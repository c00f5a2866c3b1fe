"""Runs commands through pywinrm: takes a job as JSON on standard input, and
writes what came back as JSON."""
import base64
import json
import sys
import warnings

warnings.simplefilter("ignore")

import xmltodict
from winrm.protocol import Protocol

SHELL = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell"


def send(protocol, shell, command, data, end):
    """pywinrm of Debian 12 has no call for standard input; the message is
    built from its own header and goes through its own transport."""
    request = {"env:Envelope": protocol._get_soap_header(
        resource_uri=SHELL + "/cmd", action=SHELL + "/Send", shell_id=shell)}
    stream = {"@Name": "stdin", "@CommandId": command, "#text": base64.b64encode(data).decode()}
    if end:
        stream["@End"] = "true"
    request["env:Envelope"]["env:Body"] = {"rsp:Send": {"rsp:Stream": stream}}
    protocol.send_message(xmltodict.unparse(request))


def run(protocol, shell, job):
    command = protocol.run_command(shell, job["line"], job.get("arguments", ()))
    for part in job.get("stdin") or []:
        send(protocol, shell, command, part.encode(), False)
    if job.get("stdin"):
        send(protocol, shell, command, b"", True)
    stdout, stderr, code = protocol.get_command_output(shell, command)
    protocol.cleanup_command(shell, command)
    return {"stdout": stdout.decode(), "stderr": stderr.decode(), "exit": code}


def main():
    job = json.load(sys.stdin)
    if job["transport"] == "kerberos":
        job["user"] = job["password"] = None  # from the credential cache
    elif job["transport"] != "ntlm":
        # Basic in UTF-8: of text, requests would make Latin-1.
        job["user"], job["password"] = job["user"].encode(), job["password"].encode()
    protocol = Protocol(
        job["url"], transport=job["transport"], username=job["user"], password=job["password"],
        ca_trust_path=job.get("ca"), message_encryption=job.get("encryption", "auto"), send_cbt=job.get("cbt", True),
        kerberos_hostname_override=job.get("host"), operation_timeout_sec=job.get("timeout", 5), read_timeout_sec=30)
    answer = {"results": [], "error": ""}
    try:
        shell = protocol.open_shell()
        for command in job["commands"]:
            answer["results"].append(run(protocol, shell, command))
        protocol.close_shell(shell)
    except Exception as error:  # the test reads its words
        answer["error"] = "%s: %s" % (type(error).__name__, error)
    json.dump(answer, sys.stdout)


main()
