using System.Diagnostics;
using Confluent.Kafka;
using Microsoft.Extensions.Logging;
using Shop.Messaging.Kafka;

namespace Shop.Messaging.Consuming;

/// <summary>
/// Tells a batch that cannot be read from a broker that is slow or away. librdkafka fetches such a batch again and again, mostly without an
/// error; that nothing came of what it fetched, it tells its log alone. A checksum that is wrong is an error, after which it does not go on where it should.
/// </summary>
internal sealed partial class ReadabilityProbe(KafkaConnection kafka, MessagingOptions options, TimeProvider time, ILogger<ReadabilityProbe> logger)
{
    /// <summary>As many fetches have to give nothing; one may be an answer to the offset before.</summary>
    private const int Fetches = 3;

    /// <summary>
    /// What librdkafka (src/rdkafka_msgset_reader.c) says of a fetch with bytes and without records, errors, markers or aborted ones. Where there was an error, that
    /// is what tells: it is not taken for one of another offset, as a line may be, of which many come where a batch is fetched again without a pause.
    /// </summary>
    private const string NothingParsed = "Enqueue 0 ", NoError = " 0 ops)", NothingLeftOut = " 0 ctrl msgs, 0 aborted msgsets";

    private static readonly TimeSpan PollTimeout = TimeSpan.FromMilliseconds(10);

    /// <summary>After that much time without a record or evidence the broker is slow or away, and nothing is known.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>How long a question that cannot be given up may take.</summary>
    private static readonly TimeSpan RequestTimeout = TimeSpan.FromSeconds(2);

    /// <summary>Damage of many offsets takes long: how often it is said how far that is.</summary>
    private static readonly TimeSpan ProgressInterval = TimeSpan.FromSeconds(30);

    /// <summary>Finds the first offset from <paramref name="start"/> on at which there is a readable record, or the log's end; tries one after another, since a batch does not tell where it ends.</summary>
    /// <param name="partition">The partition.</param>
    /// <param name="start">The offset to begin at.</param>
    /// <param name="goesOn">Asked again and again, with the offset that is looked at, whether anybody still wants to know: damage of many offsets takes long.</param>
    /// <returns>Null where nobody does, or the broker does not answer in time; <paramref name="start"/> where there is nothing wrong; the log's end where it ends before that.</returns>
    public long? FindReadable(TopicPartition partition, long start, Func<long, bool> goesOn)
    {
        var empty = 0;
        using var consumer = new ConsumerBuilder<Ignore, Ignore>(kafka.Probe(options.ServiceName)).SetErrorHandler((_, _) => { })
            .SetLogHandler((_, message) =>
            {
                if (message.Message.Contains(NothingParsed, StringComparison.Ordinal) && message.Message.Contains(NoError, StringComparison.Ordinal)
                    && message.Message.Contains(NothingLeftOut, StringComparison.Ordinal))
                    Interlocked.Increment(ref empty);
            }).Build();
        var saidAt = time.GetTimestamp();
        var first = start;
        for (var offset = start; ; offset++)
        {
            if (time.GetElapsedTime(saidAt) > ProgressInterval)
            {
                saidAt = time.GetTimestamp();
                StillUnreadable(logger, partition.Topic, partition.Partition.Value, start, offset - 1);
            }
            consumer.Assign(new TopicPartitionOffset(partition, offset));
            Interlocked.Exchange(ref empty, 0);
            for (var began = Stopwatch.GetTimestamp(); Volatile.Read(ref empty) < Fetches;)
            {
                if (!goesOn(offset) || Stopwatch.GetElapsedTime(began) > Patience)
                    return null;
                try
                {
                    if (consumer.Consume(PollTimeout) is { } found && found.Offset.Value >= offset)
                        return offset == first ? start : offset;
                }
                catch (ConsumeException e) when (e.Error.Code == ErrorCode.Local_AutoOffsetReset)
                {
                    if (FindBounds(consumer, partition) is not { } bounds)
                        return null;
                    if (offset > bounds.High)
                        return bounds.High;
                    if (offset < bounds.Low)
                    {
                        // deleted by its age or size, which is nothing wrong
                        first = offset == first ? bounds.Low : first;
                        offset = bounds.Low;
                        Interlocked.Exchange(ref empty, 0);
                    }
                    // or about an offset that was taken from what cannot be read, under the assignment before: this one has ended with it all the same
                    consumer.Assign(new TopicPartitionOffset(partition, offset));
                }
                catch (ConsumeException e) when (e.Error.Code is ErrorCode.InvalidMsg or ErrorCode.MsgSizeTooLarge)
                {
                    // what the broker keeps there is damaged, not for good where a file is put back this moment; or nothing comes of it, however much is fetched
                    Interlocked.Increment(ref empty);
                }
                catch (ConsumeException e) when (e.Error.Code is ErrorCode.Local_BadMsg or ErrorCode.Local_BadCompression or ErrorCode.Local_NotImplemented)
                {
                    break;
                }
                catch (ConsumeException)
                {
                    // about the broker, not what it keeps
                }
            }
        }
    }

    /// <summary>Where a log begins and ends; null where the broker does not answer.</summary>
    private static WatermarkOffsets? FindBounds(IConsumer<Ignore, Ignore> consumer, TopicPartition partition)
    {
        try
        {
            return consumer.QueryWatermarkOffsets(partition, RequestTimeout);
        }
        catch (KafkaException)
        {
            return null;
        }
    }

    [LoggerMessage(EventName = "StillUnreadable", Level = LogLevel.Warning, Message = "{Topic}[{Partition}] cannot be read from offset {First} on: up to {Last} nothing can, what is behind that is looked at one after the other")]
    private static partial void StillUnreadable(ILogger logger, string topic, int partition, long first, long last);
}
