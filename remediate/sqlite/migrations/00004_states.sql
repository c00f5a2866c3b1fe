-- +goose Up
-- The row of each host as one text, which is how all states are read: to put
-- the columns of 100,000 hosts together takes longer than all else about them.
-- The audit holds each against its host. The text is kept as a BLOB, which SQLite
-- gives out as it lies there: a TEXT is copied to get a zero at its end.
CREATE TABLE states (
    name   TEXT NOT NULL PRIMARY KEY,
    joined BLOB NOT NULL
) WITHOUT ROWID;

-- The columns in the order in which they are read; the character between them
-- is U+001F.
CREATE VIEW joined_hosts (name, joined) AS
    SELECT name, CAST(concat_ws(char(31), name, boot_id, iif(length(digest) > 0, 'sha256:' || lower(hex(digest)), ''),
        standing, platform, os, ifnull(findings, ''), seen_at, class, detail,
        last_kind, last_class, last_detail, last_at, tries, failed_at, removed_at, bare, bare_since, reboots,
        transport, probe, run, found_at) AS BLOB)
    FROM hosts;

-- +goose StatementBegin
CREATE TRIGGER host_added AFTER INSERT ON hosts BEGIN
    INSERT INTO states SELECT name, joined FROM joined_hosts WHERE name = new.name;
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER host_changed AFTER UPDATE ON hosts BEGIN
    UPDATE states SET (name, joined) = (SELECT name, joined FROM joined_hosts WHERE name = new.name) WHERE name = old.name;
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER host_gone AFTER DELETE ON hosts BEGIN
    DELETE FROM states WHERE name = old.name;
END;
-- +goose StatementEnd

INSERT INTO states SELECT name, joined FROM joined_hosts ORDER BY name;
