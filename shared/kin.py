"""Which customer ids are one person's, as intake tells it: `customer.merged`, under each of the ids that it concerns.

Each id says into which one it was merged, if any, and counts how often it said so: the last word counts, whatever the
order in which the words arrive, and however often.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import (
    ARRAY,
    Column,
    Index,
    Integer,
    MetaData,
    Select,
    Table,
    Text,
    bindparam,
    column,
    func,
    select,
    true,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.contracts.intake import CustomerMerged
from shared.prepared import Question
from shared.sets import insert_many


def kin_table(metadata: MetaData) -> Table:
    """`kin` of one service's schema."""
    table = Table(
        "kin",
        metadata,
        Column("id", Text, primary_key=True),
        Column("into_id", Text, comment="the other id of the same person; null since they were taken apart"),
        Column("number", Integer, nullable=False, comment="which word of this id it is"),
    )
    Index("ix_kin_into_id", table.c.into_id)
    return table


@dataclass(slots=True)
class Kin:
    """Ids of persons, as far as they were asked for; what is told changes it at once."""

    told: dict[str, tuple[str | None, int]] = field(default_factory=dict)
    changed: set[str] = field(default_factory=set)

    def of(self, customer_id: str) -> set[str]:
        """All ids of whoever has this one, it among them."""
        found, next_ = {customer_id}, [customer_id]
        while self.told and next_:
            one = next_.pop()
            near = {of for of, (into, _) in self.told.items() if into == one}
            into_id, _ = self.told.get(one, (None, 0))
            new = (near | {into_id} if into_id else near) - found
            found |= new
            next_ += new
        return found

    def all_of(self, customers: Collection[str]) -> set[str]:
        """All ids of all of these."""
        return {one for customer_id in customers for one in self.of(customer_id)} if self.told else set(customers)

    def tell(self, event: CustomerMerged) -> bool:
        """Takes a word in; whether it was new."""
        _, number = self.told.get(event.merged_id, (None, 0))
        if event.number <= number:
            return False
        self.told[event.merged_id] = (event.into_id, event.number)
        self.changed.add(event.merged_id)
        return True

    async def save(self, conn: AsyncConnection, table: Table) -> None:
        """Writes what was told."""
        rows: list[Mapping[str, Any]] = [
            {"id": one, "into_id": self.told[one][0], "number": self.told[one][1]} for one in sorted(self.changed)
        ]
        await insert_many(conn, table, rows, conflict=("id",), update=True)


class Asked:
    """The question who is kin to customers: made once for each table."""

    def __init__(self, table: Table) -> None:
        self._query = kin_query(table)

    def __call__(self, customers: Collection[str]) -> Question:
        return Question(self._query, {"kin_of": sorted(customers)})

    async def of(self, conn: AsyncConnection, customer_id: str) -> list[str]:
        """All ids of whoever has this one."""
        rows = (await conn.execute(self._query, {"kin_of": [customer_id]})).all()
        return sorted(read(rows).of(customer_id))


def read(rows: Sequence[Any]) -> Kin:
    """What was answered."""
    return Kin({row.id: (row.into_id, row.number) for row in rows})


def kin_query(table: Table, into: str = "into_id", number: str = "number") -> Select[Any]:
    """(id, into_id, number) of all ids of whoever has one of `kin_of`, as far as `table` has a row of them.

    One look-up in an index at a time, whatever the statistics say.
    """
    k, into_id = table.c, table.c[into]
    asked = func.unnest(bindparam("kin_of", type_=ARRAY(Text))).table_valued(column("id", Text)).render_derived("asked")
    same = select(asked.c.id).cte("same", recursive=True)
    near = (
        select(into_id.label("id"))
        .where(k.id == same.c.id, into_id.is_not(None))
        .union_all(select(k.id).where(into_id == same.c.id))
        .lateral("near")
    )
    same = same.union(select(near.c.id).select_from(same.join(near, true())))
    told = (
        select(k.id, into_id.label("into_id"), k[number].label("number"))
        .where(k.id == same.c.id)
        .limit(1)
        .lateral("told")
    )
    return select(told.c.id, told.c.into_id, told.c.number).select_from(same.join(told, true()))
