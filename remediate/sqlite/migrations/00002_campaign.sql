-- +goose Up
-- Campaigns that run for weeks: what persons decided, and what is due.

-- tries and failed_at go with class, owed_tries and owed_at with owed_class.
-- bare is of the last scan or verify that did not fail. reboots counts the
-- rows in reboots.
ALTER TABLE hosts ADD COLUMN tries      INTEGER NOT NULL DEFAULT 0;
ALTER TABLE hosts ADD COLUMN failed_at  INTEGER NOT NULL DEFAULT 0;
ALTER TABLE hosts ADD COLUMN owed_tries INTEGER NOT NULL DEFAULT 0;
ALTER TABLE hosts ADD COLUMN owed_at    INTEGER NOT NULL DEFAULT 0;
ALTER TABLE hosts ADD COLUMN removed_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE hosts ADD COLUMN boot_id    TEXT    NOT NULL DEFAULT '';
ALTER TABLE hosts ADD COLUMN bare       TEXT    NOT NULL DEFAULT '';
ALTER TABLE hosts ADD COLUMN bare_since INTEGER NOT NULL DEFAULT 0;
ALTER TABLE hosts ADD COLUMN reboots    INTEGER NOT NULL DEFAULT 0;

ALTER TABLE looks ADD COLUMN bare TEXT NOT NULL DEFAULT '';

-- person is who began the run, lowered the guards that were off for it.
ALTER TABLE runs ADD COLUMN person  TEXT NOT NULL DEFAULT '';
ALTER TABLE runs ADD COLUMN lowered TEXT NOT NULL DEFAULT '';
CREATE INDEX runs_by_start ON runs (started);
CREATE INDEX runs_unended ON runs (started) WHERE ended = 0;

-- playbooks is a JSON list, empty for none. journal has a line for each phase
-- that was entered: the phase, a space, the time.
ALTER TABLE attempts ADD COLUMN playbooks TEXT NOT NULL DEFAULT '';
ALTER TABLE attempts ADD COLUMN journal   TEXT NOT NULL DEFAULT '';

-- How long jobs took, in microseconds, for each of their playbooks.
CREATE TABLE durations (
    playbook TEXT    NOT NULL,
    ended    INTEGER NOT NULL,
    attempt  INTEGER NOT NULL REFERENCES attempts (seq),
    took     INTEGER NOT NULL,
    PRIMARY KEY (playbook, ended, attempt)
) WITHOUT ROWID;

CREATE TABLE approvals (
    plan   TEXT    NOT NULL PRIMARY KEY,
    at     INTEGER NOT NULL,
    person TEXT    NOT NULL
) WITHOUT ROWID;

CREATE TABLE approved_scripts (
    script TEXT NOT NULL,
    plan   TEXT NOT NULL REFERENCES approvals (plan),
    PRIMARY KEY (script, plan)
) WITHOUT ROWID;

-- The place of each host in the last approval that named it.
CREATE TABLE planned (
    host TEXT    NOT NULL PRIMARY KEY,
    plan TEXT    NOT NULL REFERENCES approvals (plan),
    wave INTEGER NOT NULL
) WITHOUT ROWID;

-- Only the last hold may be in force. person released it.
CREATE TABLE holds (
    seq      INTEGER PRIMARY KEY,
    at       INTEGER NOT NULL,
    reason   TEXT    NOT NULL,
    run      TEXT    NOT NULL,
    plan     TEXT    NOT NULL,
    wave     INTEGER NOT NULL,
    released INTEGER NOT NULL DEFAULT 0,
    person   TEXT    NOT NULL DEFAULT ''
);

CREATE TABLE exemptions (
    seq      INTEGER PRIMARY KEY,
    host     TEXT    NOT NULL,
    reason   TEXT    NOT NULL,
    approver TEXT    NOT NULL,
    until    INTEGER NOT NULL,
    at       INTEGER NOT NULL,
    person   TEXT    NOT NULL,
    ended    INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX exemptions_by_host ON exemptions (host) WHERE ended = 0;
CREATE INDEX exemptions_by_time ON exemptions (at);

CREATE TABLE reboots (
    seq     INTEGER PRIMARY KEY,
    host    TEXT    NOT NULL,
    boot_id TEXT    NOT NULL,
    attempt TEXT    NOT NULL,
    at      INTEGER NOT NULL,
    back    INTEGER NOT NULL DEFAULT 0,
    UNIQUE (host, boot_id)
);
CREATE INDEX reboots_by_host ON reboots (host, at);

-- What earlier versions did not keep, as far as their records tell it. Their
-- failures in a row were not counted, so the last one counts as the first.
UPDATE hosts SET
    boot_id = ifnull((SELECT l.boot_id FROM looks l WHERE l.host = hosts.name AND l.class = ''
        ORDER BY l.seq DESC LIMIT 1), ''),
    removed_at = CASE WHEN standing <> 'removed' THEN 0 ELSE ifnull((SELECT l.at FROM looks l
        WHERE l.host = hosts.name AND l.class = '' AND l.kind <> 'precheck' AND l.complete AND l.findings IS NULL
            AND l.seq > (SELECT ifnull(max(f.seq), 0) FROM looks f WHERE f.host = hosts.name AND f.class = ''
                AND f.kind <> 'precheck' AND f.findings IS NOT NULL)
        ORDER BY l.seq LIMIT 1), seen_at) END;
UPDATE hosts SET
    owed_tries = 1,
    owed_at = ifnull((SELECT a.updated FROM attempts a WHERE a.host = hosts.name AND a.kind = 'failed'
        AND a.class = hosts.owed_class ORDER BY a.updated DESC LIMIT 1), last_at)
    WHERE owed_class <> '';
UPDATE hosts SET
    tries = 1,
    failed_at = CASE WHEN class = owed_class AND detail = owed_detail THEN owed_at
        ELSE ifnull((SELECT l.at FROM looks l WHERE l.host = hosts.name AND l.class = hosts.class
            ORDER BY l.seq DESC LIMIT 1), last_at) END
    WHERE class <> '';
