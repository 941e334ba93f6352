"""The only importer of aiokafka, and its keeper.

aiokafka 0.14 can wait for ever: an idempotent send and `stop()` with the broker down, `commit()` through retries; a
send that timed out may still be delivered; a sequence error never heals. So every await here has its own deadline, and
a producer that has failed once is thrown away.
"""

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from .connection import Connection, is_passing
from .producer import Producer, Record
from .reader import Received, StalledError, TopicReader
from .topics import create_topics, group_lag, read_whole, topic_partitions

__all__ = [
    "Connection",
    "KafkaError",
    "Producer",
    "Received",
    "Record",
    "StalledError",
    "TopicPartition",
    "TopicReader",
    "create_topics",
    "group_lag",
    "is_passing",
    "read_whole",
    "topic_partitions",
]
