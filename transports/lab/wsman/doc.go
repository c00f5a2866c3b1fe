// Package wsman is the Windows end of WinRM: a WS-Management server that
// speaks, as far as cmd shells go, what Windows speaks on the wire, with a
// Backend behind it that runs the commands. Simulated hosts stand behind it in
// the lab, and real processes in tests.
//
// It knows the operations Create, Command, Send, Receive, Signal, Delete and
// Identify, logins by Basic, NTLM and TLS client certificates, sealed
// messages, the faults that Windows answers with, and on top of them faults
// that are asked for by name. Kerberos and CredSSP are not offered, and tokens
// that are wrapped in SPNEGO are not read.
//
// Sources: MS-WSMV for the shell's messages, DSP0226 for WS-Management, and
// MS-NLMP for NTLM.
//
// A server without connections is a small value and no goroutine, so that
// thousands fit into one process.
package wsman
