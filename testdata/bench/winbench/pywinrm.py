"""Looks at Windows hosts, or removes the products from them, through pywinrm:
pywinrm.py look|remove JOB. One connection and one shell a host, as many hosts
at once as the job says. It fails if one host does."""
import json
import sys
import time
import warnings
from concurrent.futures import ThreadPoolExecutor

warnings.simplefilter("ignore")

from winrm.protocol import Protocol


def work(job, remove, host):
    protocol = Protocol(
        host["url"], transport="ntlm", username=job["user"], password=job["password"], ca_trust_path=job["ca"],
        operation_timeout_sec=20, read_timeout_sec=30)
    shell = protocol.open_shell()

    def run(line):
        command = protocol.run_command(shell, line)
        stdout, stderr, code = protocol.get_command_output(shell, command)
        protocol.cleanup_command(shell, command)
        return stdout.decode()

    def look():
        text = run(job["look"])
        return [code for code in job["codes"] if code in text]

    found = look()
    if remove and found:
        removals = " & ".join(job["removal"].replace("CODE", code) for code in found)
        run(job["make"].replace("REMOVALS", removals) + " & " + job["start"])
        while job["running"] in run(job["poll"]):
            time.sleep(1)
        run(job["drop"])
        if look():
            raise RuntimeError("a product is still there")
    protocol.close_shell(shell)
    return "%s: %d found" % (host["name"], len(found))


def main():
    with open(sys.argv[2]) as file:
        job = json.load(file)
    with ThreadPoolExecutor(job["threads"]) as pool:
        for line in pool.map(lambda host: work(job, sys.argv[1] == "remove", host), job["hosts"]):
            print(line)


main()
