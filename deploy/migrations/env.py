"""Alembic's entry: runs the migrations of one service on the connection it was handed."""

from __future__ import annotations

from alembic import context

service = context.config.get_main_option("service")
context.configure(
    connection=context.config.attributes["connection"],
    version_table="schema_version",
    version_table_schema=service,
)
with context.begin_transaction():
    context.run_migrations()
