using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.Json.Serialization.Metadata;

namespace Shop.Contracts;

/// <summary>One published event: its CloudEvents type, the topic it travels on and how its key is read.</summary>
/// <remarks>The key is always the id of the aggregate the event is about, never the type: one aggregate's events stay in order.</remarks>
public sealed class EventType
{
    private readonly Func<object, string> _key;

    internal EventType(Topic topic, Type clrType, int version, Func<object, string> key, JsonTypeInfo json)
    {
        Topic = topic;
        ClrType = clrType;
        Json = json;
        _key = key;
        Name = $"shop.{topic.Name}.{KebabCase(clrType.Name)}.v{version}";
    }

    /// <summary>The CloudEvents type, for example <c>shop.orders.order-submitted.v1</c>.</summary>
    public string Name { get; }

    /// <summary>The topic the event is published to.</summary>
    public Topic Topic { get; }

    /// <summary>The record that carries the event's data.</summary>
    public Type ClrType { get; }

    /// <summary>Source-generated JSON metadata of <see cref="ClrType"/>.</summary>
    public JsonTypeInfo Json { get; }

    /// <summary>The record key of <paramref name="event"/>: the id of the aggregate it is about.</summary>
    public string KeyOf(object @event) => _key(@event);

    private static string KebabCase(string name)
    {
        var kebab = new StringBuilder(name.Length + 8);
        foreach (var letter in name)
        {
            if (char.IsUpper(letter) && kebab.Length > 0)
                kebab.Append('-');
            kebab.Append(char.ToLowerInvariant(letter));
        }
        return kebab.ToString();
    }
}

/// <summary>What a topic keeps that is no archive: whatever is older, or more, is dropped by Kafka.</summary>
/// <param name="Age">How long a record is kept.</param>
/// <param name="PartitionBytes">How much of each partition is kept.</param>
public sealed record TopicRetention(TimeSpan Age, long PartitionBytes);

/// <summary>A Kafka topic of the shop: its name, its partitions and the events that may appear on it.</summary>
public sealed class Topic
{
    private readonly Dictionary<string, EventType> _byName = new(StringComparer.Ordinal);
    private readonly Dictionary<Type, EventType> _byClrType = [];

    /// <summary>Describes a topic.</summary>
    /// <param name="name">The topic's name.</param>
    /// <param name="partitions">Partitions it is created with; topics that are joined by key must have the same number.</param>
    /// <param name="compacted">Whether Kafka keeps only the newest record of each key.</param>
    /// <param name="retention">What is kept of a topic that anybody can fill; null for one that keeps everything.</param>
    public Topic(string name, int partitions, bool compacted = false, TopicRetention? retention = null)
    {
        Retention = retention;
        Name = name;
        Partitions = partitions;
        Compacted = compacted;
    }

    /// <summary>The topic's name.</summary>
    public string Name { get; }

    /// <summary>The number of partitions the topic is created with.</summary>
    public int Partitions { get; }

    /// <summary>Whether only the newest record of each key is kept.</summary>
    public bool Compacted { get; }

    /// <summary>What is kept of it; null where it is everything, for ever.</summary>
    public TopicRetention? Retention { get; }

    /// <summary>The events of this topic, in the order they were declared.</summary>
    public IReadOnlyCollection<EventType> Events => _byName.Values;

    /// <summary>Declares an event of this topic.</summary>
    /// <param name="key">Reads the aggregate's id.</param>
    /// <param name="json">Source-generated metadata of <typeparamref name="TEvent"/>.</param>
    /// <param name="version">The event's version; a change that old readers cannot read needs a new one.</param>
    /// <exception cref="ArgumentException">The event was declared before.</exception>
    public Topic With<TEvent>(Func<TEvent, string> key, JsonTypeInfo<TEvent> json, int version = 1) where TEvent : class
    {
        var type = new EventType(this, typeof(TEvent), version, @event => key((TEvent)@event), json);
        _byName.Add(type.Name, type);
        _byClrType.Add(type.ClrType, type);
        return this;
    }

    /// <summary>Finds the event with the CloudEvents type <paramref name="name"/>.</summary>
    public bool TryGetEvent(string name, [MaybeNullWhen(false)] out EventType type) => _byName.TryGetValue(name, out type);

    /// <summary>Finds the event carried by <paramref name="clrType"/>.</summary>
    public bool TryGetEvent(Type clrType, [MaybeNullWhen(false)] out EventType type) => _byClrType.TryGetValue(clrType, out type);

    /// <inheritdoc/>
    public override string ToString() => Name;
}
