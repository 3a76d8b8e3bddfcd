-- Distributes the tables by tenant under Citus (https://www.citusdata.com). Run once, as the owner, on the
-- coordinator, after `plinto migrate` and before the first tenant is created:
--
--     psql "$OWNER_URL" -f citus.sql
--
-- NOT RUN by this project's tests: they use plain PostgreSQL. It follows the manual of Citus 12.
--
-- Every table of a tenant is distributed by tenant_id and colocated, so each transaction of a tenant stays on one
-- worker. The platform's tables are small and read by all: they become reference tables. ledger_heads and
-- ledger_entries go with the tenants; the platform's own ledger is the shard of the nil id.
--
-- Statements that plinto merges into one over arrays name no single tenant outside of them, so Citus may refuse
-- them (0A000): plinto then sends them one by one from there on, and says so once in its log.
--
-- Row-level security travels with the tables, the roles do not: create the application role on every worker, and
-- pass its scope on: the workers see `SET LOCAL plinto.scope` only with citus.propagate_set_commands = 'local'.

ALTER DATABASE :"DBNAME" SET citus.propagate_set_commands = 'local';

SELECT create_reference_table('schema_migrations');
SELECT create_reference_table('tenant_storage');
SELECT create_reference_table('master_checks');
SELECT create_reference_table('tenants');
SELECT create_reference_table('tenant_keys');
SELECT create_reference_table('api_keys');
SELECT create_reference_table('service_accounts');
SELECT create_reference_table('write_probes');

SELECT create_distributed_table('users', 'tenant_id');
SELECT create_distributed_table('user_emails', 'tenant_id', colocate_with => 'users');
SELECT create_distributed_table('credentials', 'tenant_id', colocate_with => 'users');
SELECT create_distributed_table('password_history', 'tenant_id', colocate_with => 'users');
SELECT create_distributed_table('user_avatars', 'tenant_id', colocate_with => 'users');
SELECT create_distributed_table('sessions', 'tenant_id', colocate_with => 'users');
SELECT create_distributed_table('signing_keys', 'tenant_id', colocate_with => 'users');
SELECT create_distributed_table('one_time_tokens', 'tenant_id', colocate_with => 'users');
SELECT create_distributed_table('user_invitations', 'tenant_id', colocate_with => 'users');
SELECT create_distributed_table('outbox', 'tenant_id', colocate_with => 'users');
SELECT create_distributed_table('role_sets', 'tenant_id', colocate_with => 'users');
SELECT create_distributed_table('organizations', 'tenant_id', colocate_with => 'users');
SELECT create_distributed_table('organization_members', 'tenant_id', colocate_with => 'users');
SELECT create_distributed_table('organization_invitations', 'tenant_id', colocate_with => 'users');
SELECT create_distributed_table('organization_domains', 'tenant_id', colocate_with => 'users');
SELECT create_distributed_table('organization_departures', 'tenant_id', colocate_with => 'users');
SELECT create_distributed_table('roles', 'tenant_id', colocate_with => 'users');
SELECT create_distributed_table('grants', 'tenant_id', colocate_with => 'users');
SELECT create_distributed_table('flags', 'tenant_id', colocate_with => 'users');
SELECT create_distributed_table('clients', 'tenant_id', colocate_with => 'users');
SELECT create_distributed_table('authorizations', 'tenant_id', colocate_with => 'users');
SELECT create_distributed_table('client_consents', 'tenant_id', colocate_with => 'users');
SELECT create_distributed_table('used_proofs', 'tenant_id', colocate_with => 'users');
SELECT create_distributed_table('policy_sets', 'tenant_id', colocate_with => 'users');
SELECT create_distributed_table('policy_versions', 'tenant_id', colocate_with => 'users');
SELECT create_distributed_table('consents', 'tenant_id', colocate_with => 'users');
SELECT create_distributed_table('legal_holds', 'tenant_id', colocate_with => 'users');
SELECT create_distributed_table('ledger_checkpoints', 'tenant_id', colocate_with => 'users');
SELECT create_distributed_table('ledger_heads', 'tenant_id', colocate_with => 'users');
SELECT create_distributed_table('ledger_entries', 'tenant_id', colocate_with => 'users');
SELECT create_distributed_table('user_imports', 'tenant_id', colocate_with => 'users');
SELECT create_distributed_table('user_import_errors', 'tenant_id', colocate_with => 'users');
SELECT create_distributed_table('user_search', 'tenant_id', colocate_with => 'users');
