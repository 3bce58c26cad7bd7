"""confluent-kafka and kafka-python log in over TLS by each mechanism, produce and read, and are kept out with a wrong
password. Prints "ok WHAT" for each finding; anything else, or an exception, is a failure.

Run: python security.py HOST:PORT CA-FILE TOPIC PASSWORD, as the user root.
"""

import sys

import confluent_kafka
import kafka

address, ca, topic, password = sys.argv[1:5]


def confluent(mechanism, secret):
    return {
        'bootstrap.servers': address,
        'security.protocol': 'SASL_SSL',
        'ssl.ca.location': ca,
        'sasl.mechanism': mechanism,
        'sasl.username': 'root',
        'sasl.password': secret,
        'log_level': 0,
    }


def by_confluent(mechanism):
    producer = confluent_kafka.Producer(confluent(mechanism, password))
    producer.produce(topic, value=mechanism)
    assert producer.flush(20) == 0
    reader = confluent_kafka.Consumer({**confluent(mechanism, password), 'group.id': topic + mechanism, 'auto.offset.reset': 'earliest'})
    reader.subscribe([topic])
    found = set()
    for _ in range(100):
        message = reader.poll(0.2)
        if message is not None and message.error() is None:
            found.add(message.value().decode())
            if mechanism in found:
                break
    reader.close()
    assert mechanism in found, found
    print('ok confluent', mechanism)
    errors = []
    stranger = confluent_kafka.Producer({**confluent(mechanism, 'wrong'), 'error_cb': errors.append})
    for _ in range(50):
        stranger.poll(0.1)
        if any(error.code() == confluent_kafka.KafkaError._AUTHENTICATION for error in errors):
            break
    assert any(error.code() == confluent_kafka.KafkaError._AUTHENTICATION for error in errors), errors
    print('ok confluent', mechanism, 'with a wrong password')


def python(mechanism, secret):
    return {
        'bootstrap_servers': address,
        'security_protocol': 'SASL_SSL',
        'ssl_cafile': ca,
        'sasl_mechanism': mechanism,
        'sasl_plain_username': 'root',
        'sasl_plain_password': secret,
    }


def by_python(mechanism):
    producer = kafka.KafkaProducer(**python(mechanism, password))
    producer.send(topic, mechanism.encode()).get(timeout=20)
    producer.close()
    print('ok kafka-python', mechanism)
    try:
        stranger = kafka.KafkaProducer(**python(mechanism, 'wrong'), bootstrap_timeout_ms=1500)
        stranger.send(topic, b'x').get(timeout=5)
        print('WRONG: a wrong password was taken')
    except kafka.errors.KafkaError:
        print('ok kafka-python', mechanism, 'with a wrong password')


for each in ('PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'):
    by_confluent(each)
    by_python(each)
