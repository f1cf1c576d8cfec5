// A KafkaJS client for the tests: node kafkajs.mjs BOOTSTRAP produce|consume|member ...
import kafkajs from 'kafkajs';
import snappy from 'kafkajs-snappy';
import lz4 from 'lz4-napi';
import { ZstdCodec } from 'zstd-codec';

const { Kafka, CompressionCodecs, CompressionTypes, logLevel } = kafkajs;
const [bootstrap, command, ...args] = process.argv.slice(2);
const kafka = new Kafka({ clientId: 'kafkajs', brokers: [bootstrap], logLevel: logLevel.ERROR });
const types = { none: CompressionTypes.None, gzip: CompressionTypes.GZIP, snappy: CompressionTypes.Snappy, lz4: CompressionTypes.LZ4, zstd: CompressionTypes.ZSTD };

// KafkaJS itself has gzip only. The usual packages for lz4 and zstd (kafkajs-lz4, @kafkajs/zstd) compile C for old versions of
// Node.js; these come with all they need. (lz4js does not do: Java refuses its frames, whose blocks are not marked independent.)
const codec = (compress, decompress) => () => ({
  compress: async (encoder) => Buffer.from(await compress(encoder.buffer)),
  decompress: async (buffer) => Buffer.from(await decompress(buffer)),
});
const zstd = new Promise((resolve) => ZstdCodec.run((module) => resolve(new module.Streaming())));
CompressionCodecs[types.snappy] = snappy;
CompressionCodecs[types.lz4] = codec(lz4.compressFrame, lz4.decompressFrame);
CompressionCodecs[types.zstd] = codec(async (bytes) => (await zstd).compress(bytes), async (bytes) => (await zstd).decompress(bytes));

// COUNT TOPIC=CODEC... : writes COUNT records to each topic
async function produce(count, ...topics) {
  const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 });
  await producer.connect();
  for (const [topic, codec] of topics.map((each) => each.split('='))) {
    const messages = Array.from({ length: Number(count) }, (_, i) => ({ key: `key-${i}`, value: `value-${i}`, headers: { number: `${i}` } }));
    await producer.send({ topic, messages, compression: types[codec] });
  }
  await producer.disconnect();
}

// GROUP COUNT TOPIC... : prints "topic key value" of each record until COUNT were read
async function consume(group, count, ...topics) {
  const consumer = kafka.consumer({ groupId: group, sessionTimeout: 30000, heartbeatInterval: 500, maxWaitTimeInMs: 100 });
  await consumer.connect();
  await consumer.subscribe({ topics, fromBeginning: true });
  let read = 0;
  const enough = new Promise((resolve) => {
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

// GROUP : a member that reads topic events, commits now and then, and prints what happens to it
async function member(group) {
  const consumer = kafka.consumer({ groupId: group, sessionTimeout: 30000, heartbeatInterval: 200, maxWaitTimeInMs: 100 });
  await consumer.connect();
  await consumer.subscribe({ topics: ['events'], fromBeginning: true });
  let owned = [];
  consumer.on(consumer.events.GROUP_JOIN, (event) => {
    console.log(['revoked', ...owned].join(' '));
    owned = event.payload.memberAssignment.events ?? [];
    console.log(['assigned', ...owned].join(' '));
  });
  const stopped = new Promise((resolve) => process.once('SIGTERM', resolve));
  await consumer.run({
    autoCommit: false,
    eachMessage: async ({ topic, partition, message }) => {
      console.log(`record ${partition} ${message.offset}`);
      if (Number(message.offset) % 5 !== 4) return;
      const next = `${Number(message.offset) + 1}`;
      await consumer.commitOffsets([{ topic, partition, offset: next }]); // refused in a rebalance: KafkaJS joins again and reads the record again
      console.log(`committed ${partition} ${next}`);
    },
  });
  await stopped;
  await consumer.disconnect();
}

await { produce, consume, member }[command](...args);
