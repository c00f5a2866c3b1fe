-- +goose Up
-- Evidence: the ledger, what is made of it, and which record tells each row.

-- seq is the number of a record, text the record itself. hashes are the
-- stored hashes (golang.org/x/mod/sumdb/tlog) that come with it, 32 bytes
-- each: its own, then those of the subtrees that it completes.
CREATE TABLE ledger (
    seq    INTEGER PRIMARY KEY,
    host   TEXT NOT NULL,
    hashes BLOB NOT NULL,
    text   BLOB NOT NULL
);
CREATE INDEX ledger_by_host ON ledger (host);

-- The signed head after the last record of each day (UTC, counted from 1970),
-- and so the newest as well.
CREATE TABLE heads (
    day  INTEGER PRIMARY KEY,
    size INTEGER NOT NULL,
    text TEXT    NOT NULL
);

-- ledger_key is the key in force. carried is 1 once the ledger tells all that
-- was kept before there was one.
ALTER TABLE meta ADD COLUMN ledger_key TEXT    NOT NULL DEFAULT '';
ALTER TABLE meta ADD COLUMN carried    INTEGER NOT NULL DEFAULT 0;

-- files is a JSON list.
CREATE TABLE submissions (
    seq      INTEGER PRIMARY KEY,
    report   TEXT    NOT NULL,
    at       INTEGER NOT NULL,
    person   TEXT    NOT NULL,
    receiver TEXT    NOT NULL,
    files    TEXT    NOT NULL,
    record   INTEGER,
    UNIQUE (report, at, receiver)
);
CREATE INDEX submissions_by_time ON submissions (at);

-- Every change of a standing.
CREATE TABLE moves (
    seq    INTEGER PRIMARY KEY,
    host   TEXT    NOT NULL,
    at     INTEGER NOT NULL,
    before TEXT    NOT NULL,
    after  TEXT    NOT NULL,
    record INTEGER
);
CREATE INDEX moves_by_time ON moves (at);

ALTER TABLE hosts ADD COLUMN transport TEXT    NOT NULL DEFAULT '';
ALTER TABLE hosts ADD COLUMN probe     TEXT    NOT NULL DEFAULT '';
ALTER TABLE hosts ADD COLUMN run       TEXT    NOT NULL DEFAULT '';
ALTER TABLE hosts ADD COLUMN found_at  INTEGER NOT NULL DEFAULT 0;

ALTER TABLE looks ADD COLUMN transport TEXT NOT NULL DEFAULT '';
ALTER TABLE looks ADD COLUMN address   TEXT NOT NULL DEFAULT '';
ALTER TABLE looks ADD COLUMN probe     TEXT NOT NULL DEFAULT '';
ALTER TABLE looks ADD COLUMN record    INTEGER;

ALTER TABLE plans ADD COLUMN record INTEGER;

ALTER TABLE runs ADD COLUMN record         INTEGER;
ALTER TABLE runs ADD COLUMN lowered_record INTEGER;
ALTER TABLE runs ADD COLUMN ended_record   INTEGER;

-- record is NULL where an outcome was recorded without an intent.
ALTER TABLE attempts ADD COLUMN address        TEXT NOT NULL DEFAULT '';
ALTER TABLE attempts ADD COLUMN record         INTEGER;
ALTER TABLE attempts ADD COLUMN outcome_record INTEGER;

-- The SHA-256 of the log.
ALTER TABLE logs ADD COLUMN digest BLOB;

ALTER TABLE trust ADD COLUMN record INTEGER;

ALTER TABLE approvals ADD COLUMN record INTEGER;

ALTER TABLE holds ADD COLUMN record          INTEGER;
ALTER TABLE holds ADD COLUMN released_record INTEGER;

ALTER TABLE exemptions ADD COLUMN ground       TEXT NOT NULL DEFAULT '';
ALTER TABLE exemptions ADD COLUMN mitigation   TEXT NOT NULL DEFAULT '';
ALTER TABLE exemptions ADD COLUMN record       INTEGER;
ALTER TABLE exemptions ADD COLUMN ended_record INTEGER;

ALTER TABLE reboots ADD COLUMN record      INTEGER;
ALTER TABLE reboots ADD COLUMN back_record INTEGER;

-- What earlier versions did not keep, as far as their records tell it.
UPDATE hosts SET
    run = ifnull((SELECT l.run FROM looks l WHERE l.host = hosts.name AND l.class = ''
        ORDER BY l.seq DESC LIMIT 1), '')
    WHERE seen_at <> 0;
