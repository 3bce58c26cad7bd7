"""kafka-python against a broker: one section a run, `ok` lines on stdout, an exception if anything is not as Kafka has it.

usage: kafka_python_client.py BROKER PREFIX SECTION
"""
import sys
import time

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType, NewPartitions, NewTopic
from kafka.errors import TopicAlreadyExistsError, UnknownTopicOrPartitionError

broker, prefix, section = sys.argv[1:4]
codecs = [None, "gzip", "snappy", "lz4", "zstd"]


def ok(what):
    print(f"ok {what}", flush=True)


def topic(name, partitions=3):
    admin = KafkaAdminClient(bootstrap_servers=broker)
    admin.create_topics([NewTopic(f"{prefix}-{name}", partitions, 1)])
    admin.close()
    return f"{prefix}-{name}"


def read_all(name, count, **settings):
    consumer = KafkaConsumer(bootstrap_servers=broker, auto_offset_reset="earliest", enable_auto_commit=False, **settings)
    partitions = [TopicPartition(name, p) for p in sorted(consumer.partitions_for_topic(name))]
    consumer.assign(partitions)
    consumer.seek_to_beginning()
    found = []
    deadline = time.monotonic() + 30
    while len(found) < count and time.monotonic() < deadline:
        for records in consumer.poll(timeout_ms=500).values():
            found.extend(records)
    consumer.close()
    assert len(found) == count, f"{name}: read {len(found)} of {count}"
    return found


def produce():
    """Every codec, keys, headers, nulls, idempotent; equal keys to equal partitions."""
    for codec in codecs:
        name = topic(f"produce-{codec}")
        producer = KafkaProducer(bootstrap_servers=broker, compression_type=codec, acks="all", enable_idempotence=True, linger_ms=5)
        futures = [
            producer.send(name, key=f"k{i % 7}".encode(), value=None if i % 50 == 0 else (f"value {i} " * 20).encode(), headers=[("n", str(i).encode())], timestamp_ms=1700000000000 + i)
            for i in range(500)
        ]
        sent = {(m.partition, m.offset): i for i, m in enumerate(f.get(timeout=30) for f in futures)}
        producer.close()
        by_key = {}
        for record in read_all(name, 500):
            i = sent[(record.partition, record.offset)]
            assert record.key == f"k{i % 7}".encode() and record.timestamp == 1700000000000 + i
            assert record.value == (None if i % 50 == 0 else (f"value {i} " * 20).encode())
            assert record.headers == [("n", str(i).encode())], record.headers
            by_key.setdefault(record.key, set()).add(record.partition)
        assert all(len(partitions) == 1 for partitions in by_key.values())
        ok(f"produce {codec}")


def group():
    """A group of two, one leaves, committed offsets hold."""
    name = topic("group", 4)
    producer = KafkaProducer(bootstrap_servers=broker)
    for i in range(400):
        producer.send(name, value=str(i).encode(), partition=i % 4)
    producer.flush()

    def member(client):
        return KafkaConsumer(name, bootstrap_servers=broker, group_id=f"{prefix}-group", client_id=client, auto_offset_reset="earliest", enable_auto_commit=False, session_timeout_ms=6000, heartbeat_interval_ms=200, max_poll_records=20)

    one, two = member("one"), member("two")
    seen = set()
    deadline = time.monotonic() + 60

    def poll(consumer):
        records = consumer.poll(timeout_ms=200)
        for batch in records.values():
            for record in batch:
                seen.add((record.partition, record.offset))
        if records:
            consumer.commit()

    while not (one.assignment() and two.assignment()) and time.monotonic() < deadline:
        poll(one)
        poll(two)
    assert len(one.assignment()) == 2 and len(two.assignment()) == 2, (one.assignment(), two.assignment())
    two.close()
    while len(seen) < 400 and time.monotonic() < deadline:
        poll(one)
    assert len(seen) == 400, len(seen)
    assert len(one.assignment()) == 4
    one.close()
    late = member("late")
    deadline = time.monotonic() + 20
    while not late.assignment() and time.monotonic() < deadline:
        assert not late.poll(timeout_ms=200), "what was committed came again"
    assert all(late.committed(p) == 100 for p in late.assignment()), "every record was committed"
    late.close()
    ok("group")


def admin():
    """Topics, configs, partitions, records and groups as consoles handle them."""
    client = KafkaAdminClient(bootstrap_servers=broker)
    name = f"{prefix}-admin"
    client.create_topics([NewTopic(name, 2, 1, topic_configs={"retention.ms": "60000"})])
    try:
        client.create_topics([NewTopic(name, 2, 1)])
        raise AssertionError("created twice")
    except TopicAlreadyExistsError:
        ok("admin exists")
    assert name in client.list_topics()
    resource = ConfigResource(ConfigResourceType.TOPIC, name)
    described = str(client.describe_configs([resource]))
    assert "retention.ms" in described and "60000" in described, described
    client.create_partitions({name: NewPartitions(5)})
    deadline = time.monotonic() + 10
    while len(client.describe_topics([name])[0]["partitions"]) != 5:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    ok("admin partitions")
    producer = KafkaProducer(bootstrap_servers=broker)
    for i in range(10):
        producer.send(name, value=b"x", partition=0).get(timeout=10)
    client.delete_records({TopicPartition(name, 0): 6})
    consumer = KafkaConsumer(bootstrap_servers=broker)
    partition = TopicPartition(name, 0)
    assert consumer.beginning_offsets([partition])[partition] == 6
    assert consumer.end_offsets([partition])[partition] == 10
    ok("admin delete records")
    client.delete_topics([name])
    deadline = time.monotonic() + 10
    while name in client.list_topics():
        assert time.monotonic() < deadline
        time.sleep(0.1)
    ok("admin delete topic")
    client.close()


def times():
    """Offsets by time."""
    name = topic("times", 1)
    producer = KafkaProducer(bootstrap_servers=broker)
    for i in range(20):
        producer.send(name, value=b"x", partition=0, timestamp_ms=1000 + i * 100).get(timeout=10)
    consumer = KafkaConsumer(bootstrap_servers=broker)
    partition = TopicPartition(name, 0)
    assert consumer.offsets_for_times({partition: 1450})[partition].offset == 5
    assert consumer.offsets_for_times({partition: 9999})[partition] is None
    ok("times")


def transactions():
    """Committed records are read, aborted ones are not."""
    name = topic("transactions", 2)
    producer = KafkaProducer(bootstrap_servers=broker, transactional_id=f"{prefix}-tx", acks="all")
    producer.init_transactions()
    for round in range(10):
        producer.begin_transaction()
        for i in range(10):
            producer.send(name, value=f"{round}".encode(), partition=i % 2)
        producer.flush()
        if round % 2 == 0:
            producer.commit_transaction()
        else:
            producer.abort_transaction()
    producer.close()
    values = [r.value for r in read_all(name, 50, isolation_level="read_committed")]
    assert sorted(set(values)) == [b"0", b"2", b"4", b"6", b"8"], set(values)
    assert len(read_all(name, 100, isolation_level="read_uncommitted")) == 100
    ok("transactions")


{"produce": produce, "group": group, "admin": admin, "times": times, "transactions": transactions}[section]()
