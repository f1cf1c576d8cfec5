using Shop.Contracts;
using Shop.Messaging.ChangeCapture;
using Shop.Messaging.Consuming;

namespace Shop.Messaging;

/// <summary>Declares what a service produces and consumes.</summary>
public sealed class MessagingBuilder
{
    private readonly MessagingOptions _options;

    internal MessagingBuilder(MessagingOptions options) => _options = options;

    /// <summary>The topics whose events this service may publish; they are created where they do not exist.</summary>
    public MessagingBuilder Produces(params ReadOnlySpan<Topic> topics)
    {
        foreach (var topic in topics)
            _options.Produced.Add(topic);
        return this;
    }

    /// <summary>Has what the service logs sent to the topic <c>logs</c> too: warnings and errors, unless <c>ShippedLogs:Level</c> says otherwise.</summary>
    public MessagingBuilder ShipsLogs()
    {
        _options.ShipsLogs = true;
        _options.Produced.Add(Topics.Logs);
        return this;
    }

    /// <summary>Has every session of the service's database begin with a setting, by which triggers know them from others; no statement has to say it.</summary>
    /// <param name="name">The setting, as <c>orders.something</c>: one that PostgreSQL does not know has such a prefix.</param>
    /// <param name="value">Its value, without spaces.</param>
    public MessagingBuilder SessionSetting(string name, string value)
    {
        _options.SessionSettings.Add((name, value));
        return this;
    }

    /// <summary>Adds an endpoint: a consumer group of its own, named <c>service.name</c>.</summary>
    public MessagingBuilder Endpoint(string name, Action<EndpointBuilder> configure)
    {
        var endpoint = new EndpointOptions($"{_options.ServiceName}.{name}");
        configure(new(endpoint));
        _options.Endpoints.Add(endpoint);
        return this;
    }

    /// <summary>
    /// Publishes the changes of a table to its compacted topic, whoever makes them, from the write-ahead log: the topic is the table's copy.
    /// The model needs <see cref="CaptureTable.AddChangeCapture"/>, the server <c>wal_level = logical</c>, and the role <c>REPLICATION</c>.
    /// </summary>
    /// <param name="table">The table, in the schema <c>public</c>.</param>
    /// <param name="topic">A compacted topic.</param>
    /// <param name="key">The column that is the primary key: the record's key, which the event's own has to equal.</param>
    /// <param name="map">Makes the event of a row.</param>
    /// <exception cref="ArgumentException">The event is none of the topic's, or the topic keeps more than the newest of a key.</exception>
    public MessagingBuilder Captures<TEvent>(string table, Topic topic, string key, Func<CapturedRow, TEvent> map) where TEvent : class
    {
        if (!topic.Compacted || !topic.TryGetEvent(typeof(TEvent), out var type))
            throw new ArgumentException($"{topic} is no compacted topic of {typeof(TEvent).Name}", nameof(topic));
        _options.Captures.Add(new(table, key, type, map));
        return Produces(topic, Topics.Alarms);
    }
}
