-- The two roles of Plinto and its database. Run this once, as a superuser or as whoever may make roles and databases:
--
--   export OWNER_PASSWORD=... APP_PASSWORD=...
--   plinto migrate --print-roles | psql postgres://postgres@localhost/postgres
--
-- or, on the machine of the database, | sudo --preserve-env=OWNER_PASSWORD,APP_PASSWORD -u postgres psql

\set ON_ERROR_STOP on
\getenv owner_password OWNER_PASSWORD
\getenv app_password APP_PASSWORD

-- owns the tables; only `plinto migrate` is given its URL
CREATE ROLE plinto_owner LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS PASSWORD :'owner_password';

-- the nodes; row-level security holds for it, and it cannot change that
CREATE ROLE plinto_app LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS PASSWORD :'app_password';

CREATE DATABASE plinto OWNER plinto_owner ENCODING 'UTF8' TEMPLATE template0;
REVOKE ALL ON DATABASE plinto FROM PUBLIC;
GRANT CONNECT ON DATABASE plinto TO plinto_app;
