//! Private PostgreSQL, PgBouncer and Redis servers on free ports in temporary directories, for tests and experiments.
