#!/bin/sh
# apache-kafka.sh HOME DIR PORT CONTROLLER_PORT [NAME=VALUE ...]: runs a node of Apache Kafka (4.x) that is broker and controller, KRaft without ZooKeeper.
# Of the distribution at HOME only libs/ is used; DIR has the configuration, written at every start, and the log in data/. Further settings of the node come last.
set -eu
home=$1 directory=$2 port=$3 controller=$4
shift 4
java=${JAVA_HOME:-/nowhere}/bin/java
[ -x "$java" ] || java=$(command -v java) || {
    echo 'Apache Kafka (KAFKA_HOME) needs Java 17 or newer on PATH or at JAVA_HOME. Debian has it in openjdk-17-jre-headless.' >&2
    exit 1
}
[ -d "$home/libs" ] || { echo "KAFKA_HOME is '$home', where there is no directory libs." >&2; exit 1; }

mkdir -p "$directory"
cat > "$directory/server.properties" <<CONF
process.roles=broker,controller
node.id=1
listeners=PLAINTEXT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$controller
advertised.listeners=PLAINTEXT://127.0.0.1:$port
controller.quorum.voters=1@127.0.0.1:$controller
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs=$directory/data
num.network.threads=2
num.io.threads=4
auto.create.topics.enable=false
default.replication.factor=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=1
group.initial.rebalance.delay.ms=0
log.retention.hours=-1
log.cleaner.dedupe.buffer.size=16777216
CONF
# the last of a name counts
for setting; do printf '%s\n' "$setting"; done >> "$directory/server.properties"
cat > "$directory/log4j2.xml" <<'CONF'
<Configuration status="WARN">
  <Appenders><Console name="out" target="SYSTEM_OUT"><PatternLayout pattern="%p %c{1}: %m%n%throwable{short}"/></Console></Appenders>
  <Loggers><Root level="WARN"><AppenderRef ref="out"/></Root></Loggers>
</Configuration>
CONF

set -- -Xmx384m -XX:+UseSerialGC -Djava.awt.headless=true "-Dlog4j2.configurationFile=$directory/log4j2.xml" -cp "$home/libs/*"
if [ ! -f "$directory/data/meta.properties" ]; then
    # a random UUID in URL-safe base64; no dash, for the first character may not be one
    cluster=$(head -c 16 /dev/urandom | base64 | tr '+/' 'ab' | tr -d '=')
    "$java" -XX:TieredStopAtLevel=1 "$@" kafka.tools.StorageTool format --cluster-id "$cluster" --config "$directory/server.properties" >/dev/null
fi
exec "$java" -Xms64m "$@" kafka.Kafka "$directory/server.properties"
