-- The roles and the database, for the embedded cluster, the tests' and docker-compose's alike.
-- Run by psql as superuser with OTC_OWNER_PASSWORD, OTC_APP_PASSWORD and OTC_BACKUP_PASSWORD in its environment;
-- run again it changes passwords and makes what is missing.
\set ON_ERROR_STOP on
\getenv owner_password OTC_OWNER_PASSWORD
\getenv app_password OTC_APP_PASSWORD
\getenv backup_password OTC_BACKUP_PASSWORD

SELECT format('CREATE ROLE %I', wanted) FROM unnest(ARRAY['otc_owner', 'otc_app', 'otc_backup']) AS wanted
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) \gexec

-- The owner migrates; the application owns nothing and can't step around row-level security.
ALTER ROLE otc_owner LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE NOREPLICATION PASSWORD :'owner_password';
ALTER ROLE otc_app LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE NOREPLICATION PASSWORD :'app_password';
-- A backup reads every organization's rows and writes none.
ALTER ROLE otc_backup LOGIN NOSUPERUSER BYPASSRLS NOCREATEDB NOCREATEROLE NOREPLICATION PASSWORD :'backup_password';
ALTER ROLE otc_backup SET default_transaction_read_only = on;
GRANT pg_read_all_data TO otc_backup;

-- The nil uuid as default: without a tenant context a policy compares with it and finds no row, and no error.
ALTER ROLE otc_owner SET otc.organization = '00000000-0000-0000-0000-000000000000';
ALTER ROLE otc_owner SET otc.person = '00000000-0000-0000-0000-000000000000';
ALTER ROLE otc_owner SET otc.user_id = '00000000-0000-0000-0000-000000000000';
ALTER ROLE otc_app SET otc.organization = '00000000-0000-0000-0000-000000000000';
ALTER ROLE otc_app SET otc.person = '00000000-0000-0000-0000-000000000000';
ALTER ROLE otc_app SET otc.user_id = '00000000-0000-0000-0000-000000000000';
ALTER ROLE otc_app SET idle_in_transaction_session_timeout = '60s';
-- A worker that was killed must not go on holding its locks.
ALTER ROLE otc_app SET client_connection_check_interval = '2s';
-- A report of a large organization sorts and joins in memory rather than in files.
ALTER ROLE otc_app SET work_mem = '32MB';
-- For the one function that enters history: it asks set by set what foreign keys would ask row by row. Without this
-- right it does so too and is slower.
GRANT SET ON PARAMETER session_replication_role TO otc_owner;

SELECT $$CREATE DATABASE otc OWNER otc_owner TEMPLATE template0 ENCODING 'UTF8'
    LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8' LC_COLLATE 'C' LC_CTYPE 'C'$$
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'otc') \gexec
REVOKE ALL ON DATABASE otc FROM PUBLIC;
GRANT CONNECT, TEMPORARY ON DATABASE otc TO otc_app;
GRANT CONNECT ON DATABASE otc TO otc_backup;

\connect otc
ALTER SCHEMA public OWNER TO otc_owner;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO otc_app;
ALTER DEFAULT PRIVILEGES FOR ROLE otc_owner IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO otc_app;
ALTER DEFAULT PRIVILEGES FOR ROLE otc_owner IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO otc_app;
