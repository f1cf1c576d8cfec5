namespace Shop.KafkaBroker;

/// <summary>The kinds of things that have settings.</summary>
internal enum ConfigResourceType : sbyte
{
    Topic = 2,
    Broker = 4,
}
