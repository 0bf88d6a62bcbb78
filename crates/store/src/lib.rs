//! Every SQL statement of Roadstead, on SQLite and on PostgreSQL.
