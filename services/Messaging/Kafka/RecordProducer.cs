using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using Confluent.Kafka;
using Microsoft.Extensions.Logging;
using Shop.Messaging.Operations;
using static Shop.Messaging.Kafka.LibrdkafkaCalls;

namespace Shop.Messaging.Kafka;

/// <summary>What became of a record.</summary>
/// <param name="Id">The number it was produced under.</param>
/// <param name="Topic">Where it went.</param>
/// <param name="Latency">From being handed over until the broker's answer; zero unless somebody measures it.</param>
/// <param name="Error">Null where the broker has it.</param>
internal readonly record struct Delivery(long Id, string Topic, TimeSpan Latency, Error? Error);

/// <summary>
/// A producer on librdkafka itself, for the relay: records are handed over without being marshalled, and reported by the number
/// that the caller gave them. Confluent.Kafka's marshals every header's name and makes a handful of objects for every report.
/// </summary>
/// <remarks>One thread produces; reports come on another, which the producer owns. Records that are not answered when it is disposed are given up.</remarks>
internal sealed unsafe class RecordProducer : IDisposable
{
    private const int ProducerType = 0, CopyFlag = 2, ErrorSize = 512;

    /// <summary>How long the reporting thread sleeps when nothing happens; disposing waits as long.</summary>
    private const int PollMilliseconds = 100;

    private readonly ILogger _logger;
    private readonly nint _client;
    private readonly Thread _reporting;
    private readonly Dictionary<string, nint> _topics = [];
    private readonly Dictionary<nint, string> _topicNames = [];
    private readonly Dictionary<string, byte[]> _headerNames = [];
    private readonly List<Delivery> _delivered = [];
    private GCHandle _self;
    private Action<IReadOnlyList<Delivery>>? _report;
    private volatile bool _disposed;

    /// <param name="settings">librdkafka's settings; those of Confluent.Kafka itself are left out.</param>
    /// <param name="logger">For what librdkafka has to say.</param>
    /// <exception cref="InvalidOperationException">librdkafka refuses a setting; the message says which.</exception>
    public RecordProducer(ProducerConfig settings, ILogger logger)
    {
        _logger = logger;
        _self = GCHandle.Alloc(this);
        var configuration = NewConfiguration();
        var error = stackalloc byte[ErrorSize];
        foreach (var (name, value) in settings.Where(setting => !setting.Key.StartsWith("dotnet.", StringComparison.Ordinal)))
        {
            if (Set(configuration, name, value, error, ErrorSize) != 0)
            {
                DestroyConfiguration(configuration);
                _self.Free();
                throw new InvalidOperationException(Text(error));
            }
        }
        SetOpaque(configuration, GCHandle.ToIntPtr(_self));
        SetDelivered(configuration, &OnDelivered);
        SetFailed(configuration, &OnFailed);
        SetLogged(configuration, &OnLogged);
        _client = NewClient(ProducerType, configuration, error, ErrorSize);
        if (_client == 0)
        {
            DestroyConfiguration(configuration);
            _self.Free();
            throw new InvalidOperationException(Text(error));
        }
        _reporting = new(Report) { IsBackground = true, Name = "Kafka deliveries" };
    }

    /// <summary>Begins to report.</summary>
    /// <param name="report">Called on the producer's own thread with what came at once; the list is its only until it returns.</param>
    public void Start(Action<IReadOnlyList<Delivery>> report)
    {
        _report = report;
        _reporting.Start();
    }

    /// <summary>Hands a record over; what becomes of it is reported.</summary>
    /// <param name="topic">Its topic.</param>
    /// <param name="record">Key, value, headers and timestamp, which are copied.</param>
    /// <param name="id">Under which it is reported.</param>
    /// <returns>Null, or why it is not taken: it is not reported then.</returns>
    public Error? Produce(string topic, Message<byte[], byte[]> record, long id)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        var topicHandle = TopicOf(topic);
        var headers = HeadersOf(record);
        nint error;
        fixed (byte* key = record.Key, value = record.Value)
        {
            var parts = stackalloc RecordPart[]
            {
                new() { Type = RecordPartType.Topic, Value = topicHandle },
                new() { Type = RecordPartType.Flags, Value = CopyFlag },
                new() { Type = RecordPartType.Opaque, Value = (nint)id },
                new() { Type = RecordPartType.Timestamp, Value = (nint)record.Timestamp.UnixTimestampMs },
                new() { Type = RecordPartType.Key, Value = (nint)key, Length = record.Key.Length },
                new() { Type = RecordPartType.Value, Value = (nint)value, Length = record.Value.Length },
                new() { Type = RecordPartType.Headers, Value = headers },
            };
            error = LibrdkafkaCalls.Produce(_client, parts, 7);
        }
        if (error == 0)
            return null;
        var code = CodeOf(error);
        DestroyError(error);
        // they are librdkafka's only once it has taken the record. (Its own way to add headers frees them twice then, before 2.12.)
        DestroyHeaders(headers);
        return ErrorOf(code, null);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_disposed)
            return;
        _disposed = true;
        if (_report is not null)
            _reporting.Join();
        foreach (var topic in _topics.Values)
            DestroyTopic(topic);
        DestroyClient(_client);
        _self.Free();
    }

    private void Report()
    {
        while (!_disposed)
        {
            Poll(_client, PollMilliseconds);
            if (_delivered.Count == 0)
                continue;
            _report!(_delivered);
            _delivered.Clear();
        }
    }

    private nint TopicOf(string name)
    {
        if (_topics.TryGetValue(name, out var topic))
            return topic;
        topic = NewTopic(_client, name, 0);
        if (topic == 0)
            throw new KafkaException(ErrorOf(LastError(), null));
        return _topics[name] = topic;
    }

    private nint HeadersOf(Message<byte[], byte[]> record)
    {
        var headers = NewHeaders((nuint)record.Headers.Count);
        for (var i = 0; i < record.Headers.Count; i++)
        {
            var header = record.Headers[i];
            if (!_headerNames.TryGetValue(header.Key, out var name))
                _headerNames[header.Key] = name = Encoding.UTF8.GetBytes(header.Key);
            fixed (byte* text = name, value = header.GetValueBytes())
                AddHeader(headers, text, name.Length, value, header.GetValueBytes().Length);
        }
        return headers;
    }

    /// <summary>What is behind <see cref="ErrorCode.Local_Fatal"/> is asked for.</summary>
    private Error ErrorOf(int code, string? reason)
    {
        if ((ErrorCode)code != ErrorCode.Local_Fatal)
            return reason is null ? new((ErrorCode)code) : new((ErrorCode)code, reason);
        var text = stackalloc byte[ErrorSize];
        return new((ErrorCode)FatalError(_client, text, ErrorSize), Text(text), isFatal: true);
    }

    private static string Text(byte* text) => Marshal.PtrToStringUTF8((nint)text) ?? "";

    private static RecordProducer Of(nint opaque) => (RecordProducer)GCHandle.FromIntPtr(opaque).Target!;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void OnDelivered(nint client, RecordState* record, nint opaque)
    {
        var producer = Of(opaque);
        var latency = MessagingTelemetry.MeasuresSending ? TimeSpan.FromMicroseconds(LatencyMicroseconds(record)) : TimeSpan.Zero;
        if (!producer._topicNames.TryGetValue(record->Topic, out var topic))
            producer._topicNames[record->Topic] = topic = Text(NameOf(record->Topic));
        producer._delivered.Add(new(record->Opaque, topic, latency,
            record->Error == 0 ? null : producer.ErrorOf(record->Error, null)));
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void OnFailed(nint client, int code, byte* reason, nint opaque)
    {
        var producer = Of(opaque);
        try
        {
            KafkaLog.Write(producer._logger, producer.ErrorOf(code, Text(reason)));
        }
        catch (AggregateException)
        {
            // of the logger, which does not end the process for it, as an exception that leaves a callback would
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void OnLogged(nint client, int level, byte* facility, byte* text)
    {
        if (client == 0)
            return;
        try
        {
            KafkaLog.Write(Of(OpaqueOf(client))._logger, new LogMessage("", (SyslogLevel)level, Text(facility), Text(text)));
        }
        catch (AggregateException)
        {
            // see above
        }
    }
}
