using Shop.Contracts;

namespace Shop.Messaging.Events;

/// <summary>The events a service produces and consumes.</summary>
internal sealed class EventTypes(IReadOnlyCollection<Topic> produced, IReadOnlyCollection<Topic> consumed)
{
    private readonly Dictionary<Type, EventType> _produced = produced.SelectMany(topic => topic.Events).ToDictionary(type => type.ClrType);
    private readonly Dictionary<string, EventType> _consumed = consumed.SelectMany(topic => topic.Events).ToDictionary(type => type.Name);

    /// <summary>Every topic the service needs.</summary>
    public IReadOnlyCollection<Topic> Topics { get; } = [.. produced.Union(consumed)];

    /// <summary>The event carried by <paramref name="clrType"/>.</summary>
    /// <exception cref="InvalidOperationException">The service does not produce it.</exception>
    public EventType Produced(Type clrType) => _produced.TryGetValue(clrType, out var type)
        ? type
        : throw new InvalidOperationException($"{clrType.Name} is on none of the topics that this service produces: name its topic in Produces()");

    /// <summary>The event with the CloudEvents type <paramref name="name"/>, if this service knows it.</summary>
    public EventType? Consumed(string name) => _consumed.GetValueOrDefault(name);
}
