// Package storetest is the conformance suite of remediate.Store: Run holds
// any store to every sentence of the contract. Memory is the contract in its
// simplest form, a store without a disk: it passes the same suite, is the
// model that other stores are compared with, and serves as a fake in tests.
//
// Where the contract leaves a choice, the suite settles it:
//
//   - A successful look sets digest, time, platform and system of the host's
//     state whatever its kind; its findings count if it was complete or found
//     something. Only looks of the kinds scan and verify move the standing.
//   - A failed look is answered by any successful look. A failed attempt is
//     answered by an outcome that is removed, nothing-to-do or
//     reboot-pending, and by a complete scan or verify look that found
//     nothing; one that did not reach the host (unreachable, auth, untrusted)
//     by any successful look as well. What is answered leaves the state; of
//     what is left, the last failure stands there.
//   - A nil log leaves the log that is stored. OpenAttempts and RunAttempts
//     leave logs out, so that their answer stays small.
//   - Zero times are stamped with the store's clock where a time is needed.
//     Times keep microseconds and come back in UTC.
//   - An empty list of findings comes back as nil.
package storetest
