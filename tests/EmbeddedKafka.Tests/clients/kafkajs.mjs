// A KafkaJS client for the tests: node kafkajs.mjs BOOTSTRAP produce|consume|group ...
import { Kafka, CompressionTypes, logLevel } from 'kafkajs';

const [bootstrap, command, ...args] = process.argv.slice(2);
const kafka = new Kafka({ clientId: 'kafkajs', brokers: [bootstrap], logLevel: logLevel.ERROR });

// COUNT TOPIC=CODEC... : writes COUNT records to each topic
async function produce(count, ...topics) {
  const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 });
  await producer.connect();
  for (const [topic, codec] of topics.map((each) => each.split('='))) {
    const messages = Array.from({ length: Number(count) }, (_, i) => ({ key: `key-${i}`, value: `value-${i}`, headers: { number: `${i}` } }));
    await producer.send({ topic, messages, compression: codec === 'gzip' ? CompressionTypes.GZIP : CompressionTypes.None });
  }
  await producer.disconnect();
}

// GROUP COUNT TOPIC... : prints "topic key value" of each record until COUNT were read
async function consume(group, count, ...topics) {
  const consumer = kafka.consumer({ groupId: group, sessionTimeout: 6000, heartbeatInterval: 500, maxWaitTimeInMs: 100 });
  await consumer.connect();
  await consumer.subscribe({ topics, fromBeginning: true });
  let read = 0;
  const enough = new Promise((resolve) => {
    consumer.on(consumer.events.GROUP_JOIN, (event) =>
      console.log(`assigned ${Object.values(event.payload.memberAssignment).flat().length}`));
    process.once('SIGTERM', resolve);
    consumer.run({
      eachMessage: async ({ topic, message }) => {
        console.log(`${topic} ${message.key} ${message.value}`);
        if (++read === Number(count)) resolve();
      },
    });
  });
  await enough;
  await consumer.disconnect();
}

await (command === 'produce' ? produce(...args) : consume(...args));
