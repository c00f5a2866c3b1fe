// Package ntlm is the server's side of NTLM version 2: the challenge, the
// check of the client's answer with its proof, integrity code and channel
// binding token, and the session that seals messages. Versions before 2,
// anonymous logins, and sessions without extended session security are
// refused.
//
// Source: MS-NLMP; the numbers of sections below are its.
package ntlm
