"""confluent-kafka (a new librdkafka) against a broker: one section a run, `ok` lines on stdout.

usage: confluent_client.py BROKER PREFIX SECTION
"""
import sys
import time

from confluent_kafka import OFFSET_BEGINNING, Consumer, ConsumerGroupTopicPartitions, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, NewPartitions, NewTopic, OffsetSpec, ResourceType

broker, prefix, section = sys.argv[1:4]
base = {"bootstrap.servers": broker}
# Kept: an admin that is collected takes its requests with it.
shared_admin = AdminClient(base)


def ok(what):
    print(f"ok {what}", flush=True)


def done(futures):
    return {key: future.result(timeout=30) for key, future in futures.items()}


def topic(name, partitions=3, **config):
    done(shared_admin.create_topics([NewTopic(f"{prefix}-{name}", partitions, 1, config=config)]))
    return f"{prefix}-{name}"


def read_all(name, partitions, count, **settings):
    consumer = Consumer({**base, "group.id": f"{prefix}-read", "enable.auto.commit": False, "auto.offset.reset": "error", **settings})
    consumer.assign([TopicPartition(name, p, OFFSET_BEGINNING) for p in range(partitions)])
    found = []
    deadline = time.monotonic() + 30
    while len(found) < count and time.monotonic() < deadline:
        for message in consumer.consume(500, 0.5):
            assert message.error() is None, message.error()
            found.append(message)
    assert not consumer.consume(1, 0.3), "more than were sent"
    consumer.close()
    assert len(found) == count, f"{name}: read {len(found)} of {count}"
    return found


def produce():
    """Every codec, idempotent; headers, nulls; stored compressed is looked at outside."""
    for codec in ["none", "gzip", "snappy", "lz4", "zstd"]:
        name = topic(f"produce-{codec}")
        acked = {}

        def told(error, message):
            assert error is None, error
            acked[(message.partition(), message.offset())] = message.value()

        producer = Producer({**base, "compression.type": codec, "enable.idempotence": True, "linger.ms": 5})
        for i in range(1000):
            producer.produce(name, key=f"k{i % 7}", value=None if i % 50 == 0 else f"value {i} " * 20, headers={"n": str(i)}, on_delivery=told)
        assert producer.flush(30) == 0
        for message in read_all(name, 3, 1000):
            assert acked[(message.partition(), message.offset())] == message.value()
            assert message.headers()[0][0] == "n"
        ok(f"produce {codec}")


def transactions():
    """Commit, abort, consume-transform-produce with offsets, fencing."""
    source, target = topic("tx-source", 2), topic("tx-target", 2)
    feeder = Producer({**base, "enable.idempotence": True})
    for i in range(200):
        feeder.produce(source, value=str(i), partition=i % 2)
    assert feeder.flush(30) == 0
    consumer = Consumer({**base, "group.id": f"{prefix}-copier", "enable.auto.commit": False, "auto.offset.reset": "earliest", "isolation.level": "read_committed"})
    consumer.subscribe([source])
    producer = Producer({**base, "transactional.id": f"{prefix}-tx"})
    producer.init_transactions(30)
    copied, rounds = 0, 0
    deadline = time.monotonic() + 60
    while copied < 200 and time.monotonic() < deadline:
        messages = consumer.consume(30, 0.5)
        if not messages:
            continue
        rounds += 1
        producer.begin_transaction()
        for message in messages:
            assert message.error() is None, message.error()
            producer.produce(target, value=message.value(), partition=message.partition())
        producer.send_offsets_to_transaction(consumer.position(consumer.assignment()), consumer.consumer_group_metadata())
        if rounds % 3 == 1:
            producer.abort_transaction(30)
            # As if it had crashed: back to what was committed.
            for partition in consumer.committed(consumer.assignment()):
                consumer.seek(TopicPartition(partition.topic, partition.partition, max(0, partition.offset)))
        else:
            producer.commit_transaction(30)
            copied += len(messages)
    consumer.close()
    values = sorted(int(m.value()) for m in read_all(target, 2, 200, **{"isolation.level": "read_committed"}))
    assert values == list(range(200)), values[:20]
    ok("transactions copy")
    newer = Producer({**base, "transactional.id": f"{prefix}-tx"})
    newer.init_transactions(30)
    try:
        producer.begin_transaction()
        producer.produce(target, value="zombie", partition=0)
        producer.commit_transaction(30)
        raise AssertionError("a fenced producer committed")
    except KafkaException as error:
        assert error.args[0].fatal() or error.args[0].code() in (KafkaError._FENCED, KafkaError.INVALID_PRODUCER_EPOCH), error
    ok("transactions fenced")


def group(protocol):
    """Two members, one leaves, everything is read; offsets hold."""
    name = topic(f"group-{protocol}", 6)
    producer = Producer(base)
    for i in range(600):
        producer.produce(name, value=str(i), partition=i % 6)
    assert producer.flush(30) == 0

    def member(client):
        settings = {**base, "group.id": f"{prefix}-{protocol}", "client.id": client, "enable.auto.commit": False, "auto.offset.reset": "earliest", "group.protocol": protocol}
        if protocol == "classic":
            settings.update({"session.timeout.ms": 6000, "heartbeat.interval.ms": 200})
        consumer = Consumer(settings)
        consumer.subscribe([name])
        return consumer

    one, two = member("one"), member("two")
    seen = set()
    deadline = time.monotonic() + 90

    def poll(consumer):
        messages = consumer.consume(20, 0.2)
        for message in messages:
            assert message.error() is None, message.error()
            seen.add((message.partition(), message.offset()))
        if messages:
            try:
                consumer.commit(asynchronous=False)
            except KafkaException as error:
                # In the middle of a rebalance: whoever owns it next reads it again.
                print(f"while rebalancing: {error}", file=sys.stderr)

    while not (len(one.assignment()) == 3 and len(two.assignment()) == 3):
        assert time.monotonic() < deadline, (one.assignment(), two.assignment())
        poll(one)
        poll(two)
    two.close()
    while len(seen) < 600 or len(one.assignment()) < 6:
        assert time.monotonic() < deadline, (len(seen), one.assignment())
        poll(one)
    committed = one.committed(one.assignment(), timeout=10)
    one.close()
    assert sum(p.offset for p in committed) == 600, committed
    late = member("late")
    deadline = time.monotonic() + 30
    while len(late.assignment()) < 6:
        assert time.monotonic() < deadline
        assert not late.consume(1, 0.2), "what was committed came again"
    late.close()
    ok(f"group {protocol}")


def admin():
    """What consoles ask."""
    client = shared_admin
    name = topic("admin", 2, **{"retention.ms": "60000"})
    metadata = client.list_topics(timeout=10)
    assert name in metadata.topics and len(metadata.brokers) == 1
    cluster = client.describe_cluster().result(timeout=10)
    assert cluster.cluster_id and len(cluster.nodes) == 1
    resource = ConfigResource(ResourceType.TOPIC, name)
    assert done(client.describe_configs([resource]))[resource]["retention.ms"].value == "60000"
    change = ConfigResource(ResourceType.TOPIC, name)
    change.add_incremental_config(ConfigEntry("retention.ms", "120000", incremental_operation=AlterConfigOpType.SET))
    done(client.incremental_alter_configs([change]))
    assert done(client.describe_configs([resource]))[resource]["retention.ms"].value == "120000"
    ok("admin configs")
    done(client.create_partitions([NewPartitions(name, 4)]))
    deadline = time.monotonic() + 10
    while len(client.list_topics(name, timeout=10).topics[name].partitions) != 4:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    ok("admin partitions")
    producer = Producer(base)
    for i in range(10):
        producer.produce(name, value="x", partition=0)
    producer.flush(10)
    deleted = done(client.delete_records([TopicPartition(name, 0, 6)]))
    assert list(deleted.values())[0].low_watermark == 6
    listed = done(client.list_offsets({TopicPartition(name, 0): OffsetSpec.earliest()}))
    assert list(listed.values())[0].offset == 6
    ok("admin records")
    group_id = f"{prefix}-admin-group"
    done(client.alter_consumer_group_offsets([ConsumerGroupTopicPartitions(group_id, [TopicPartition(name, 0, 7)])]))
    offsets = done(client.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group_id)]))
    assert offsets[group_id].topic_partitions[0].offset == 7
    assert group_id in [g.group_id for g in client.list_consumer_groups().result(timeout=10).valid]
    done(client.delete_consumer_groups([group_id]))
    assert group_id not in [g.group_id for g in client.list_consumer_groups().result(timeout=10).valid]
    ok("admin groups")
    done(client.delete_topics([name]))
    ok("admin delete")


{"produce": produce, "transactions": transactions, "classic": lambda: group("classic"), "consumer": lambda: group("consumer"), "admin": admin}[section]()
