using System.Reflection;
using System.Text.Json.Nodes;

namespace Shop.Contracts.Tests.AsyncApi;

/// <summary>The shop's events as an AsyncAPI 3.0 document (asyncapi.com/docs/reference/specification/v3.0.0), from <see cref="Topics.All"/> and the comments in Contracts.</summary>
internal static class AsyncApiDocument
{
    public static JsonObject Create()
    {
        var docs = XmlDocs.OfContracts();
        var schemas = new JsonSchemas(docs);
        var messages = new JsonObject();
        foreach (var type in Topics.All.SelectMany(topic => topic.Events))
            messages[type.ClrType.Name] = Message(type, docs, schemas);
        return new()
        {
            ["asyncapi"] = "3.0.0",
            ["info"] = new JsonObject
            {
                ["title"] = "Shop's events",
                ["version"] = "1.0.0",
                ["description"] = "Everything that happens in the shop. Subscribe with a consumer group of your own; nobody has to be asked. "
                    + "Events are CloudEvents 1.0 in Kafka's binary content mode: attributes are record headers, the value is plain JSON. "
                    + "The record key is the id of the aggregate that the event is about, so one aggregate's events are in order. "
                    + "Deliveries may repeat: the same ce_id is the same event. Skip types that you do not know; new ones, and new versions beside old ones, may appear.",
            },
            ["defaultContentType"] = "application/json",
            ["channels"] = Each(Topics.All, topic => topic.Name, topic => Channel(topic, docs)),
            ["operations"] = Each(Topics.All, topic => $"publish-{topic.Name}", topic => new JsonObject
            {
                ["action"] = "send",
                ["channel"] = Reference($"channels/{topic.Name}"),
            }),
            ["components"] = new JsonObject
            {
                ["messages"] = messages,
                ["messageTraits"] = new JsonObject { ["cloudEvent"] = CloudEvent() },
                ["schemas"] = new JsonObject(schemas.Components.Select(schema => KeyValuePair.Create(schema.Key, schema.Value))),
            },
        };
    }

    private static JsonObject Channel(Topic topic, XmlDocs docs)
    {
        var field = typeof(Topics).GetFields(BindingFlags.Public | BindingFlags.Static).Single(field => ReferenceEquals(field.GetValue(null), topic));
        return new()
        {
            ["address"] = topic.Name,
            ["description"] = docs.OfTopic(field.Name),
            ["messages"] = Each(topic.Events, type => type.ClrType.Name, type => Reference($"components/messages/{type.ClrType.Name}")),
            ["bindings"] = new JsonObject
            {
                ["kafka"] = new JsonObject
                {
                    ["topic"] = topic.Name,
                    ["partitions"] = topic.Partitions,
                    ["topicConfiguration"] = topic.Compacted
                        ? new JsonObject { ["cleanup.policy"] = new JsonArray("compact") }
                        : new JsonObject { ["cleanup.policy"] = new JsonArray("delete"), ["retention.ms"] = (long?)topic.Retention?.Age.TotalMilliseconds ?? -1 },
                },
            },
        };
    }

    private static JsonObject Message(EventType type, XmlDocs docs, JsonSchemas schemas) => new()
    {
        ["name"] = type.Name,
        ["title"] = type.ClrType.Name,
        ["summary"] = docs.OfType(type.ClrType),
        ["traits"] = new JsonArray(Reference("components/messageTraits/cloudEvent")),
        ["headers"] = new JsonObject
        {
            ["type"] = "object",
            ["properties"] = new JsonObject { ["ce_type"] = new JsonObject { ["const"] = type.Name } },
        },
        ["payload"] = schemas.Of(type.ClrType),
    };

    /// <summary>The attributes that every event has (CloudEvents 1.0.2, Kafka Protocol Binding).</summary>
    private static JsonObject CloudEvent() => new()
    {
        ["contentType"] = "application/json",
        ["headers"] = new JsonObject
        {
            ["type"] = "object",
            ["required"] = new JsonArray("ce_specversion", "ce_id", "ce_type", "ce_source", "ce_time", "ce_subject"),
            ["properties"] = new JsonObject
            {
                ["ce_specversion"] = new JsonObject { ["const"] = "1.0" },
                ["ce_id"] = Header("The event's id, a UUIDv7: deliveries with the same id are the same event.", "uuid"),
                ["ce_type"] = Header("What happened, with the version of its data."),
                ["ce_source"] = Header("The service that published it, for example /shop/orders."),
                ["ce_time"] = Header("When it happened.", "date-time"),
                ["ce_subject"] = Header("The id of the aggregate it is about: the record key."),
                ["ce_causationid"] = Header("The id of the event that caused it, where one did.", "uuid"),
                ["traceparent"] = Header("The trace it belongs to (W3C Trace Context), where there is one."),
                ["content-type"] = new JsonObject { ["const"] = "application/json" },
            },
        },
        ["bindings"] = new JsonObject
        {
            ["kafka"] = new JsonObject { ["key"] = Header("The id of the aggregate that the event is about.") },
        },
    };

    private static JsonObject Header(string description, string? format = null)
    {
        var header = new JsonObject { ["type"] = "string" };
        if (format is not null)
            header["format"] = format;
        header["description"] = description;
        return header;
    }

    private static JsonObject Reference(string path) => new() { ["$ref"] = $"#/{path}" };

    private static JsonObject Each<T>(IEnumerable<T> items, Func<T, string> name, Func<T, JsonNode> value) =>
        new(items.Select(item => KeyValuePair.Create(name(item), (JsonNode?)value(item))));
}
