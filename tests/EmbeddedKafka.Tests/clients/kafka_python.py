"""A kafka-python client for the tests: kafka_python.py BOOTSTRAP codecs|produce|consume|member ..."""
import signal
import sys

from kafka import ConsumerRebalanceListener, KafkaConsumer, KafkaProducer, OffsetAndMetadata
from kafka.codec import has_gzip, has_lz4, has_snappy, has_zstd
from kafka.coordinator.assignors.range import RangePartitionAssignor
from kafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from kafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor
from kafka.errors import CommitFailedError, RebalanceInProgressError


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
                             session_timeout_ms=30000, heartbeat_interval_ms=500)
    read = 0
    while read < int(count) and not stopped:
        for records in consumer.poll(timeout_ms=100).values():
            for record in records:
                print(record.topic, record.key.decode(), record.value.decode(), flush=True)
                read += 1
    consumer.close()


class Printer(ConsumerRebalanceListener):
    """Prints what a member is given and what is taken from it."""

    def on_partitions_assigned(self, assigned):
        print("assigned", *(each.partition for each in assigned), flush=True)

    def on_partitions_revoked(self, revoked):
        print("revoked", *(each.partition for each in revoked), flush=True)


def member(bootstrap, group, assignor):
    """GROUP ASSIGNOR: a member that reads topic events, and commits what it has read after each poll."""
    stopped = []
    signal.signal(signal.SIGTERM, lambda *_: stopped.append(True))
    assignors = {"range": RangePartitionAssignor, "roundrobin": RoundRobinPartitionAssignor, "sticky": StickyPartitionAssignor}
    consumer = KafkaConsumer(bootstrap_servers=bootstrap, group_id=group, auto_offset_reset="earliest", enable_auto_commit=False,
                             partition_assignment_strategy=[assignors[assignor]], session_timeout_ms=30000, heartbeat_interval_ms=200)
    consumer.subscribe(["events"], listener=Printer())
    while not stopped:
        for partition, records in consumer.poll(timeout_ms=100).items():
            for record in records:
                print("record", record.partition, record.offset)
            following = records[-1].offset + 1
            try:
                consumer.commit({partition: OffsetAndMetadata(following, "")})
                print("committed", partition.partition, following, flush=True)
            except (CommitFailedError, RebalanceInProgressError):
                pass  # whoever gets the partition reads the records again
    consumer.close(autocommit=False)


globals()[sys.argv[2]](sys.argv[1], *sys.argv[3:])
