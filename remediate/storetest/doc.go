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
//   - Tries counts one more for a failed look or attempt of the class that
//     stands in the state already, and is 1 for one of another class. Where an
//     attempt fails and the look that it rests on failed too, that is one
//     failure, the attempt's; a failed attempt that is closed twice is one as
//     well. Tries and FailedAt go when the class goes, and come back with a
//     failed attempt that a look's failure had covered. Outcomes that decide
//     nothing (stale, not-started, deferred, exempt, ready) leave them. An
//     attempt that could not reach its host (unreachable) covers the failure
//     of an earlier one that had, as a failed look does: that one comes back
//     when the host is seen, and a further failure of its class counts on.
//   - RemovedAt is the time of the look that made a host removed. BootID is of
//     successful looks of any kind, Bare and BareSince of scans and verifies
//     that did not fail, also of incomplete ones.
//   - An attempt's playbooks identify it as its host does; they come back
//     sorted, each once. Its journal has an entry for each phase that it was
//     found in first, at the Updated of that call: one only for an attempt that
//     CloseAttempt takes as new. Of phases before the journal was kept there is
//     none.
//   - Once an attempt has its outcome, only its phase goes on, and its journal
//     with it: what the outcome says stays as it was recorded.
//   - Transport, probe and run of the state are of the last successful look of
//     any kind. FoundAt is the time of the first that did not fail and found
//     something that counts, also of a precheck. Moves are those of the
//     standing, at the time of the look that moved it.
//   - A look that names its text by digest, and comes without it, is an error
//     unless that text is kept already. Text that is not UTF-8 is made legible,
//     and a name that is not is an error.
//   - A submission is what was said at one time to one receiver: the same again
//     changes nothing, another one is an error.
//   - Of approvals and holds, what was recorded later is later,
//     whatever the times in them say. Plan and At of an approval's hosts are
//     those of the approval. A host that stands in it twice, or in no wave, is
//     an error, and nothing of it is recorded.
//   - A hold is saved as one that is in force, an exemption as one that nobody
//     has taken back. An exemption that ends before it begins is an error. An
//     exemption ends another if that holds at its own time.
//   - A reboot needs a boot id. Restarts count for the budget from their
//     beginning, also when they are over.
//   - Durations end with the outcome, not with the cleaning after it, and leave
//     out those in which the clock was set back. A job had run if the attempt
//     had been launched, running or ended before its outcome. A limit that is
//     not positive gives an empty map.
//   - A nil log leaves the log that is stored. OpenAttempts and RunAttempts
//     leave logs and journals out, so that their answer stays small.
//   - Zero times are stamped with the store's clock where a time is needed.
//     Times keep microseconds and come back in UTC.
//   - An empty list of findings or playbooks comes back as nil.
//   - HostStates lists each host that an approval, an exemption or a reboot
//     names, too.
package storetest
