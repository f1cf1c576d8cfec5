"""A kafka-python client for the tests: kafka_python.py BOOTSTRAP codecs|produce|consume ..."""
import signal
import sys

from kafka import KafkaConsumer, KafkaProducer
from kafka.codec import has_gzip, has_lz4, has_snappy, has_zstd


def codecs(_):
    """Prints the codecs whose libraries are installed."""
    has = {"gzip": has_gzip, "snappy": has_snappy, "lz4": has_lz4, "zstd": has_zstd}
    print(" ".join(["none"] + [name for name, installed in has.items() if installed()]))


def produce(bootstrap, count, *topics):
    """COUNT TOPIC=CODEC...: writes COUNT records to each topic."""
    for topic, codec in (each.split("=") for each in topics):
        producer = KafkaProducer(bootstrap_servers=bootstrap, acks="all", linger_ms=5, compression_type=None if codec == "none" else codec)
        for i in range(int(count)):
            producer.send(topic, key=b"key-%d" % i, value=b"value-%d" % i, headers=[("number", b"%d" % i)])
        producer.flush()
        producer.close()


def consume(bootstrap, group, count, *topics):
    """GROUP COUNT TOPIC...: prints "topic key value" of each record until COUNT were read."""
    stopped = []
    signal.signal(signal.SIGTERM, lambda *_: stopped.append(True))
    consumer = KafkaConsumer(*topics, bootstrap_servers=bootstrap, group_id=group, auto_offset_reset="earliest",
                             session_timeout_ms=6000, heartbeat_interval_ms=500)
    read, assigned = 0, None
    while read < int(count) and not stopped:
        polled = consumer.poll(timeout_ms=100)
        if len(consumer.assignment()) != assigned:
            assigned = len(consumer.assignment())
            print("assigned", assigned, flush=True)
        for records in polled.values():
            for record in records:
                print(record.topic, record.key.decode(), record.value.decode(), flush=True)
                read += 1
    consumer.close()


globals()[sys.argv[2]](sys.argv[1], *sys.argv[3:])
