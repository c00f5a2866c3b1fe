// Package wsman is the Windows end of WinRM: a WS-Management server that
// speaks, as far as cmd shells go, what Windows speaks on the wire, with a
// Backend behind it that runs the commands. Simulated hosts stand behind it in
// the lab, and real processes in tests.
//
// It knows the operations Create, Command, Send, Receive, Signal, Delete and
// Identify, logins by Basic, NTLM, Kerberos and TLS client certificates,
// sealed messages, the faults that Windows answers with, and on top of them
// faults that are asked for by name. CredSSP is not offered, and SPNEGO is
// read with tokens of Kerberos in it, and no others.
//
// Sources: MS-WSMV for the shell's messages, DSP0226 for WS-Management,
// MS-NLMP for NTLM, and RFC 4120, 4121 and 4178 for Kerberos.
//
// A server without connections is a small value and no goroutine, so that
// thousands fit into one process.
package wsman
