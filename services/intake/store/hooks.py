"""Webhooks as they are kept: endpoints, deliveries until they are understood, messages until they are in order."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, DateTime, Identity, Index, Integer, LargeBinary, Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB

from .tables import metadata

endpoints: Final = Table(
    "endpoints",
    metadata,
    Column("tool", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("secret", LargeBinary, nullable=False, comment="encrypted with a key derived from SECRET_KEY"),
    Column("url", Text, comment="replaces scheme, host and path in what is verified"),
    Column("options", JSONB, nullable=False),
    Column("changed_at", DateTime(timezone=True), nullable=False),
)

deliveries: Final = Table(
    "deliveries",
    metadata,
    Column("position", BigInteger, Identity(), primary_key=True),
    Column("tool", Text, nullable=False),
    Column("endpoint", Text, nullable=False),
    Column("identity", Text, nullable=False, comment="the tool's own id of it: a repeat is the same"),
    Column("received_at", DateTime(timezone=True), nullable=False),
    Column("request", JSONB, comment="method, addresses, query, headers; gone once it is understood"),
    Column("body", LargeBinary, comment="the raw bytes; gone once they are understood"),
    Column("state", Text, nullable=False, server_default="new", comment="new, taken, nothing, thin or parked"),
    Column("why", Text, comment="for people; never what was sent"),
    Column("attempts", Integer, nullable=False, server_default="0", comment="of asking the tool's API"),
    Column("next_at", DateTime(timezone=True), comment="when the tool's API is asked again"),
    Index("ix_deliveries_tool_endpoint_identity", "tool", "endpoint", "identity", unique=True),
    Index("ix_deliveries_new", "position", postgresql_where=text("state = 'new'")),
    Index("ix_deliveries_thin", "next_at", "position", postgresql_where=text("state = 'thin'")),
    Index("ix_deliveries_received_at", "received_at"),
)

messages: Final = Table(
    "messages",
    metadata,
    Column("position", BigInteger, Identity(), primary_key=True),
    Column("tool", Text, nullable=False),
    Column("conversation", Text, nullable=False, comment="or the message's own id, where it belongs to none"),
    Column("kind", Text, nullable=False, comment="contact or response"),
    Column("event_id", Text, nullable=False),
    Column("occurred_at", DateTime(timezone=True), nullable=False),
    Column("order", Text, nullable=False, comment="the tool's order within one moment"),
    Column("received_at", DateTime(timezone=True), nullable=False),
    Column("customer_id", Text),
    Column("staff_id", Text, comment="who answered"),
    Column("body", JSONB, nullable=False, comment="as it will be posted; the row goes when it is"),
    Column("state", Text, nullable=False, server_default="waiting", comment="waiting, or early: before its contact"),
    Index("ix_messages_tool_conversation_kind_event_id", "tool", "conversation", "kind", "event_id", unique=True),
    Index("ix_messages_waiting", "received_at", postgresql_where=text("state = 'waiting'")),
    Index("ix_messages_customer_id", "customer_id", postgresql_where=text("customer_id IS NOT NULL")),
)
