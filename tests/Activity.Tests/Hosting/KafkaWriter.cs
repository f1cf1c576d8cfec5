using System.Text;
using System.Text.Json;
using Confluent.Kafka;
using Shop.Contracts;
using Shop.Messaging.Kafka;
using Shop.Testing;

namespace Shop.Activity.Tests.Hosting;

/// <summary>Another service, as Kafka sees one: writes events, and records that are none, with nothing of Messaging.</summary>
public sealed class KafkaWriter : IDisposable
{
    private readonly IProducer<string, byte[]?> _producer;
    private readonly EnsuredTopics _topics;

    public KafkaWriter(string bootstrapServers)
    {
        // loads librdkafka the way the services do
        _ = KafkaConnection.Parse(bootstrapServers);
        _producer = new ProducerBuilder<string, byte[]?>(new ProducerConfig { BootstrapServers = bootstrapServers, Partitioner = Partitioner.Murmur2Random })
            .SetLogHandler((_, _) => { }).Build();
        _topics = new(bootstrapServers);
    }

    /// <summary>Publishes one of the shop's events and returns its id.</summary>
    public async Task<Guid> PublishAsync(object @event, Guid? causedBy = null, DateTimeOffset? at = null, Guid? id = null, string? trace = null)
    {
        var topic = Topics.All.Single(topic => topic.TryGetEvent(@event.GetType(), out _));
        topic.TryGetEvent(@event.GetType(), out var type);
        return await WriteAsync(topic, type!.KeyOf(@event), type.Name, JsonSerializer.SerializeToUtf8Bytes(@event, type.Json), causedBy, at, id, trace);
    }

    /// <summary>Writes any record and returns its event id.</summary>
    public async Task<Guid> WriteAsync(Topic topic, string key, string type, byte[]? body, Guid? causedBy = null, DateTimeOffset? at = null, Guid? id = null, string? trace = null)
    {
        var eventId = id ?? Guid.CreateVersion7();
        var headers = new Headers
        {
            { "ce_id", Utf8(eventId.ToString()) }, { "ce_type", Utf8(type) }, { "ce_source", Utf8("/test") },
            { "ce_time", Utf8((at ?? DateTimeOffset.UtcNow).ToString("O")) },
        };
        if (causedBy is { } cause)
            headers.Add("ce_causationid", Utf8(cause.ToString()));
        if (trace is not null)
            headers.Add("traceparent", Utf8($"00-{trace}-00f067aa0ba902b7-01"));
        await _topics.EnsureAsync(topic);
        await _producer.ProduceAsync(topic.Name, new() { Key = key, Value = body, Headers = headers }, TestContext.Current.CancellationToken);
        return eventId;
    }

    public void Dispose() => _producer.Dispose();

    private static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text);
}
