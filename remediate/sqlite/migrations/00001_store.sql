-- +goose Up
-- Times are microseconds since 1970 in UTC, 0 for none. Digests are the 32
-- bytes of a SHA-256. Findings are JSON, NULL for none.

CREATE TABLE meta (
    one         INTEGER PRIMARY KEY CHECK (one = 1),
    campaign_id TEXT    NOT NULL,
    created     INTEGER NOT NULL
);

-- What is known of each host now. owed_* is the failed attempt that nothing
-- has answered; class and detail are the last failure of any kind.
CREATE TABLE hosts (
    name        TEXT    NOT NULL PRIMARY KEY,
    standing    TEXT    NOT NULL DEFAULT 'unseen',
    platform    TEXT    NOT NULL DEFAULT '',
    os          TEXT    NOT NULL DEFAULT '',
    findings    TEXT,
    digest      BLOB,
    seen_at     INTEGER NOT NULL DEFAULT 0,
    class       TEXT    NOT NULL DEFAULT '',
    detail      TEXT    NOT NULL DEFAULT '',
    owed_class  TEXT    NOT NULL DEFAULT '',
    owed_detail TEXT    NOT NULL DEFAULT '',
    last_kind   TEXT    NOT NULL DEFAULT '',
    last_class  TEXT    NOT NULL DEFAULT '',
    last_detail TEXT    NOT NULL DEFAULT '',
    last_at     INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;

-- Each distinct raw text once. data is raw DEFLATE (RFC 1951), or the text
-- itself where that is not longer: then length(data) = size.
CREATE TABLE raws (
    digest BLOB    NOT NULL PRIMARY KEY,
    size   INTEGER NOT NULL,
    data   BLOB    NOT NULL
);

CREATE TABLE looks (
    seq      INTEGER PRIMARY KEY,
    host     TEXT    NOT NULL,
    kind     TEXT    NOT NULL,
    run      TEXT    NOT NULL,
    at       INTEGER NOT NULL,
    digest   BLOB,
    platform TEXT    NOT NULL,
    os       TEXT    NOT NULL,
    boot_id  TEXT    NOT NULL,
    complete INTEGER NOT NULL,
    class    TEXT    NOT NULL,
    detail   TEXT    NOT NULL,
    findings TEXT
);
CREATE INDEX looks_by_host ON looks (host, at);

CREATE TABLE plans (
    id     TEXT    NOT NULL PRIMARY KEY,
    digest TEXT    NOT NULL,
    at     INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE runs (
    seq     INTEGER PRIMARY KEY,
    id      TEXT    NOT NULL UNIQUE,
    kind    TEXT    NOT NULL,
    plan    TEXT    NOT NULL,
    started INTEGER NOT NULL,
    ended   INTEGER NOT NULL DEFAULT 0,
    exit    INTEGER NOT NULL DEFAULT 0,
    note    TEXT    NOT NULL DEFAULT ''
);
CREATE INDEX runs_open ON runs (kind, plan, started) WHERE ended = 0;

CREATE TABLE attempts (
    seq     INTEGER PRIMARY KEY,
    id      TEXT    NOT NULL UNIQUE,
    run     TEXT    NOT NULL,
    host    TEXT    NOT NULL,
    plan    TEXT    NOT NULL,
    script  TEXT    NOT NULL,
    phase   TEXT    NOT NULL,
    boot_id TEXT    NOT NULL,
    started INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    exit    INTEGER NOT NULL,
    kind    TEXT    NOT NULL DEFAULT '',
    class   TEXT    NOT NULL DEFAULT '',
    detail  TEXT    NOT NULL DEFAULT '',
    result  TEXT    NOT NULL
);
CREATE INDEX attempts_by_run ON attempts (run, started);
CREATE INDEX attempts_by_host ON attempts (host, started);
CREATE INDEX attempts_open ON attempts (started) WHERE phase <> 'cleaned';

-- The log of an attempt, packed as in raws.
CREATE TABLE logs (
    attempt INTEGER PRIMARY KEY REFERENCES attempts (seq),
    size    INTEGER NOT NULL,
    data    BLOB    NOT NULL
);

CREATE TABLE trust (
    host        TEXT    NOT NULL,
    address     TEXT    NOT NULL,
    fingerprint TEXT    NOT NULL,
    at          INTEGER NOT NULL,
    PRIMARY KEY (host, address, fingerprint)
) WITHOUT ROWID;
