using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Confluent.Kafka;
using Shop.Messaging.Events;
using Shop.Messaging.Kafka;

namespace Shop.Messaging.Streams;

/// <summary>
/// Publishes events straight to their topics, without a database on the way: for what comes continuously and changes nothing of the service's own.
/// An event that is acknowledged is on its topic; one that is not may be there all the same, so whoever sends it again uses an id of its own for it.
/// </summary>
public sealed class EventStream : IDisposable
{
    /// <summary>What a client waits for an answer of a broker that is away.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    private readonly IProducer<byte[], byte[]> _producer;
    private readonly TopicCreation _topics;
    private readonly CancellationTokenSource _stopping = new();
    private readonly EventTypes _eventTypes;
    private readonly string _source;
    private readonly TimeProvider _time;

    /// <summary>Made once for a service; the first event connects.</summary>
    internal EventStream(KafkaConnection kafka, TopicCreation topics, EventTypes eventTypes, MessagingOptions options, KafkaLog log, TimeProvider time, string name = "stream")
    {
        var config = kafka.Producer($"{options.ServiceName}.{name}", gapless: false, batchBytes: 512 * 1024);
        config.MessageTimeoutMs = (int)Patience.TotalMilliseconds;
        config.LingerMs = 2;
        config.QueueBufferingMaxMessages = 50_000;
        config.QueueBufferingMaxKbytes = 32 * 1024;
        _producer = log.Attach(new ProducerBuilder<byte[], byte[]>(config)).Build();
        (_topics, _eventTypes, _source, _time) = (topics, eventTypes, options.EventSource, time);
    }

    /// <summary>Publishes events in their order, and returns when the broker has all of them.</summary>
    /// <exception cref="EventsNotTakenException">The broker did not take all of them: it is away, or slower than what comes.</exception>
    /// <exception cref="InvalidOperationException">The service does not produce an event's topic.</exception>
    public async Task PublishAsync(IReadOnlyCollection<object> events)
    {
        // a producer that asks for a topic has many brokers create it with settings of their own
        try
        {
            await _topics.EnsureAllAsync(_stopping.Token).WaitAsync(Patience, _time);
        }
        catch (Exception e) when (e is TimeoutException or InvalidOperationException or OperationCanceledException)
        {
            throw new EventsNotTakenException(e.Message, events.Count);
        }
        var pending = new Pending(events.Count);
        foreach (var @event in events)
        {
            var type = _eventTypes.Produced(@event.GetType());
            var (key, now) = (type.KeyOf(@event), _time.GetUtcNow());
            var attributes = new CloudEvent(Guid.CreateVersion7(now), type.Name, _source, now, key, TraceParent: Activity.Current?.Id);
            try
            {
                _producer.Produce(type.Topic.Name, new() { Key = Encoding.UTF8.GetBytes(key), Value = JsonSerializer.SerializeToUtf8Bytes(@event, type.Json), Headers = attributes.ToHeaders() },
                    report => pending.Answered(report.Error));
            }
            catch (ProduceException<byte[], byte[]> e)
            {
                pending.Answered(e.Error);
            }
        }
        await pending.Task;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _stopping.Cancel();
        _stopping.Dispose();
        _producer.Flush(Patience);
        _producer.Dispose();
    }

    /// <summary>Events on their way.</summary>
    private sealed class Pending
    {
        private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _unanswered, _failed;
        private Error? _failure;

        public Pending(int count)
        {
            _unanswered = count;
            if (count == 0)
                _done.SetResult();
        }

        public Task Task => _done.Task;

        public void Answered(Error error)
        {
            if (error.IsError)
            {
                _failure = error;
                Interlocked.Increment(ref _failed);
            }
            if (Interlocked.Decrement(ref _unanswered) > 0)
                return;
            if (_failure is null)
                _done.SetResult();
            else
                _done.SetException(new EventsNotTakenException(_failure.Reason, _failed));
        }
    }
}

/// <summary>The broker did not take events in time.</summary>
public sealed class EventsNotTakenException(string reason, int count) : Exception(reason)
{
    /// <summary>How many they are.</summary>
    public int Count { get; } = count;
}
